"""Fits the examples of configs/ and writes their gallery: configs/README.md with a picture of each (tests/golden/gallery/).

`python tests/golden/gallery.py` fits all of them, in about fifteen minutes on two cores; `python tests/golden/gallery.py digits sweeps/optimizers`
those alone, and keeps what was measured of the others. `--runs FOLDER` takes finished runs from a folder, and leaves new ones there.
Needs the extras report, images and search; NETTRAIN_DATA is the folder of the data sets that are not bundled.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from nettrain.inspection.recorded_run import RecordedRun, inner_runs
from nettrain.inspection.runs import MAIN_METRICS, run_entry
from nettrain.report.overview.parallel_coordinates import parallel_coordinates
from nettrain.report.overview.sweep import finished_trials, metric_of
from nettrain.report.run_view import RunView
from nettrain.report.style import figure_bytes, styled

ROOT = Path(__file__).resolve().parents[2]
CONFIGS, PICTURES, MEASURED = (
    ROOT / "configs",
    ROOT / "tests/golden/gallery",
    ROOT / "tests/golden/gallery.json",
)
WIDTH, MOST_BYTES = 720, 60_000
GRAPH_WIDTH = 1400  # its letters are small

# What is drawn of each example: the words after `nettrain plot RUN`; `graph` and `sweep` are drawn otherwise.
DRAWN = {
    "xor": "boundary",
    "triangle": "boundary",
    "spirals": "boundary",
    "perceptron": "boundary",
    "sine": "fit",
    "descent": "descent",
    "digits": "embedding",
    "iris": "boundary --features petal_length,petal_width",
    "autoencoder": "first_layer",
    "own_components": "boundary",
    "wine_quality": "importance",
    "california_housing": "residuals",
    "adult": "dependence",
    "semeion": "calibration",
    "semeion_cnn": "feature_maps",
    "usps": "errors",
    "usps_cnn": "filters",
    "mnist": "confusion",
    "mnist_lenet5": "feature_maps --row 2",
    "fashion_cnn": "confusion",
    "cifar10_small": "pr",
    "images_folder": "errors",
    "by_hand/linear_unit": "graph",
    "by_hand/sigmoid_2222": "graph",
    "by_hand/sum_times": "graph",
    "sweeps/optimizers": "descent",
    "sweeps/digits_grid": "sweep",
    "sweeps/digits_random": "sweep",
    "sweeps/digits_bayes": "sweep",
    "ensembles/digits": "errors",
    "ensembles/triangle": "boundary",
    "ensembles/wine_quality": "residuals",
}
OPTIONS = {
    "own_components": ["--allow-plugins"],
    "images_folder": ["--set", "dataset.source.path=$NETTRAIN_DATA/cifar10-png"],
}
COMMANDS = {"sweeps": "sweep", "ensembles": "ensemble"}
METRICS = {"autoencoder": "mse"}  # others: accuracy or R2
HEADINGS = {
    "": "Networks",
    "sweeps": "Searches",
    "ensembles": "Ensembles",
    "by_hand": "Worked examples",
}


def picture_file(name):
    return PICTURES / f"{name.replace('/', '-')}.png"


def run_command(words):
    print("+", " ".join(words), flush=True)
    words = [word.replace("$NETTRAIN_DATA", os.environ.get("NETTRAIN_DATA", "")) for word in words]
    subprocess.run(
        [sys.executable, "-c", "from nettrain.cli.main import run; run()", *words[1:]],
        cwd=ROOT,
        check=True,
        timeout=1800,
    )


def command(name):
    """As the user types it, from the root of the project."""
    if name.startswith("by_hand"):
        return ["nettrain", "trace", f"configs/{name}.yaml"]
    verb = COMMANDS.get(name.partition("/")[0], "fit")
    return ["nettrain", verb, f"configs/{name}.yaml", *OPTIONS.get(name, [])]


def fitted(name, runs):
    """The directory of the finished run, trained if it is not there."""
    path = runs / name.replace("/", "-")
    if not path.exists() or RecordedRun.open(path).state != "finished":
        options = ["-o", str(runs), "--run-name", path.name, "--quiet"]
        run_command([*command(name), *options])
    return path


def compress(content, file, widest):
    """Writes a PNG file of as many colours as the limit allows."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    width = min(widest, image.width)
    image = image.resize(
        (width, round(image.height * width / image.width)), Image.Resampling.LANCZOS
    )
    for colours in (256, 128, 64, 32, 16):
        image.quantize(colours, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
            file, optimize=True
        )
        if file.stat().st_size < MOST_BYTES:
            return
    raise SystemExit(f"{file}: {file.stat().st_size} bytes")


def draw(name, path, work):
    file, (kind, *options) = work / "picture.png", DRAWN[name].split()
    if kind == "sweep":
        record = RecordedRun.open(path)
        metric, higher = metric_of(record)
        trials = finished_trials(record)
        names = list(dict.fromkeys(key for trial in trials for key in trial["parameters"]))
        with styled():
            content = figure_bytes(parallel_coordinates(trials, names, metric, higher), "png")
    else:
        if kind == "graph":
            words = ["graph", f"configs/{name}.yaml", "--row", "0"]
        else:
            plugins = ["--allow-plugins"] if name == "own_components" else []
            words = ["plot", str(path), kind, *options, *plugins]
        run_command(["nettrain", *words, "-o", str(file), "--overwrite"])
        content = file.read_bytes()
    compress(content, picture_file(name), GRAPH_WIDTH if kind == "graph" else WIDTH)


def measured(name, path):
    """The main metric of the last part with its interval, and the seconds of training."""
    record = RecordedRun.open(path)
    seconds, own = run_entry(record).seconds, record
    if record.kind == "sweep":
        final = [run for run in inner_runs(record) if run.path.name == "final"]
        trials = [run for run in inner_runs(record) if run.path.parent.name == "trials"]
        own = (final or trials)[0]
        if name == "sweeps/optimizers":  # what it shows is the way, not a winner
            return {"seconds": seconds}
    view = RunView(own, allow_plugins=True)
    metrics = view.evaluation.metrics
    metric = METRICS.get(name) or next(one for one in MAIN_METRICS if one in metrics)
    ends = view.intervals.get(metric)
    figure = {"part": view.part, "metric": metric, "value": metrics[metric], "interval": ends}
    return {**figure, "seconds": seconds}


def description(name):
    """The comment at the top of the file, up to what it reaches."""
    lines = []
    for line in (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#") or line.startswith(("# Reaches", "# needs:", "#     ")):
            break
        said, command_follows, _ = line.lstrip("# ").partition(": nettrain ")
        lines.append(f"{said}." if command_follows else said)
    return " ".join(lines)


def figures(name, found):
    """One line: the metric with its interval, and the time."""
    facts = []
    if "metric" in found:
        metric, ends = found["metric"].replace("_", " ").replace("r2", "R2"), found["interval"]
        interval = f" (95 % interval {ends[0]:.3f} to {ends[1]:.3f})" if ends else ""
        facts.append(f"{found['part']} {metric} {found['value']:.3f}{interval}")
    if found.get("seconds") is not None:
        seconds = found["seconds"]
        facts.append(
            f"training {seconds:.2g} s" if seconds < 10 else f"training {round(seconds)} s"
        )
    return "; ".join(facts)


def gallery(results):
    lines = [
        "# Examples",
        "",
        "Every example, what it shows, what it reaches, how long it takes and the command that trains it. Figures and pictures were made",
        "by `python tests/golden/gallery.py`, on two cores that other programs used as well, so times are upper bounds;",
        "intervals say how far a figure would vary with other test rows.",
        "Each is installed, too: `nettrain fit digits` finds it by name.",
        "",
    ]
    for folder, heading in HEADINGS.items():
        lines += [f"## {heading}", ""]
        for name in DRAWN:
            if name.rpartition("/")[0] != folder:
                continue
            link = os.path.relpath(picture_file(name), CONFIGS)
            said = figures(name, results.get(name, {}))
            lines += [f"### [{name}]({name}.yaml)", "", description(name), ""]
            lines += [said[0].upper() + said[1:] + ".", ""] if said else []
            lines += [f"```bash\n{' '.join(command(name))}\n```", ""]
            lines += [f"![{name}: {DRAWN[name].split()[0]}]({link})", ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as digits; default: all")
    parser.add_argument("--runs", type=Path, help="a folder of finished runs; default: a new one")
    arguments = parser.parse_args()
    results = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        runs = (arguments.runs or Path(work) / "runs").absolute()
        for name in arguments.names or DRAWN:
            trained = not name.startswith("by_hand")
            path = fitted(name, runs) if trained else None
            draw(name, path, Path(work))
            results[name] = measured(name, path) if trained else {}
            MEASURED.write_text(json.dumps(results, indent=1) + "\n")
    (CONFIGS / "README.md").write_text(gallery(results), encoding="utf-8")


if __name__ == "__main__":
    main()
