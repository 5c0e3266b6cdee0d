"""What the terminal shows, beside what --json has: every metric of every kind of model, in every command."""

import json
import re
from pathlib import Path

import pytest

from nettrain import streams

ROWS = 60
MODEL = "model: {type: mlp, hidden: [4]}\ntraining: {epochs: 2}\n"


def csv_config(target):
    split = "  split: {validation: 0.2, test: 0.2}\n"
    unused = [name for name in ("kind", "a", "b", "u", "v") if name not in target]
    source = f"{{type: csv, path: rows.csv, target: {target}, ignore: [{', '.join(unused)}]}}"
    return f"dataset:\n  source: {source}\n{split}{MODEL}"


CONFIGS = {
    "classes": csv_config("kind"),
    "a value": csv_config("u"),
    "several values": csv_config("[u, v]"),
    "labels": csv_config("[a, b]"),
    "itself": csv_config("kind").replace("dataset:\n", "dataset:\n  target: self\n"),
}


@pytest.fixture(params=CONFIGS)
def run(request, tmp_path, monkeypatch, command):
    """The current folder, with rows.csv and a finished run of one kind of model, `runs/kind`."""
    monkeypatch.chdir(tmp_path)
    x = streams.generator(0, "shown").normal(size=(ROWS, 2))
    lines = [
        f"{p:.4f},{q:.4f},{'big' if p > 0 else 'small'},{int(p > 0)},{int(q > 0)},{p + q:.4f},{p - q:.4f}"
        for p, q in x.tolist()
    ]
    Path("rows.csv").write_text("\n".join(["p,q,kind,a,b,u,v", *lines, ""]))
    Path("kind.yaml").write_text(CONFIGS[request.param])
    fitted = command("fit", "kind.yaml")
    assert fitted.exit_code == 0, fitted.stderr
    return fitted


def shown_metrics(text):
    """The cells beside each name in the first table that has it; a twin has those of the other."""
    cells, twins = {}, re.findall(r"(\w+) is the same as (\w+)", text)
    for line in text.splitlines():
        name, *values = line.split() or [""]
        cells.setdefault(name, values)
    return cells | {left_out: cells[kept] for left_out, kept in twins}


@pytest.mark.parametrize("options", [["--data", "rows.csv"], [], ["--split", "train"]], ids=str)
def test_eval_shows_every_metric_that_json_has(run, command, options):
    shown = shown_metrics(command("eval", "runs/kind", *options).stdout)
    metrics = json.loads(command("eval", "runs/kind", *options, "--json").stdout)["metrics"]
    assert metrics
    for name, value in metrics.items():
        assert float(shown[name][0]) == pytest.approx(value, abs=1e-3), name


def test_fit_shows_every_metric_of_every_part(run):
    summary = json.loads(Path("runs/kind/summary.json").read_text())["metrics"]
    shown = shown_metrics(run.stdout)
    assert list(summary) == ["train", "validation", "test"]
    for column, metrics in enumerate(summary.values()):
        for name, value in metrics.items():
            assert shown[name][column] != "" and value is not None, name
            assert float(shown[name][column]) == pytest.approx(value, abs=1e-3), name


def test_cv_shows_every_mean(run, command):
    found = command("cv", "kind.yaml", "--folds", "3", "--executor", "serial")
    assert found.exit_code == 0, found.stderr
    shown = shown_metrics(found.stdout)
    again = command("cv", "kind.yaml", "--folds", "3", "--executor", "serial", "--json", "--quiet")
    means = json.loads(again.stdout)["mean"]
    assert means
    for name, value in means.items():
        assert float(shown[name][3]) == pytest.approx(value, abs=1e-3), name


def test_ensemble_shows_every_metric_and_eval_of_it_too(run, command):
    arguments = ["ensemble", "kind.yaml", "--set", "ensemble.members=2", "--executor", "serial"]
    found = command(*arguments)
    if "target: self" in Path("kind.yaml").read_text():
        assert found.exit_code == 2 and "autoencoders" in found.stderr
        return
    assert found.exit_code == 0, found.stderr
    directory = "runs/kind-ensemble"
    metrics = json.loads(command("eval", directory, "--json").stdout)["metrics"]
    shown = shown_metrics(found.stdout)
    evaluated = shown_metrics(command("eval", directory, "--data", "rows.csv").stdout)
    for name, value in metrics.items():
        assert float(shown[name][3]) == pytest.approx(value, abs=1e-3), name
        assert evaluated[name]
