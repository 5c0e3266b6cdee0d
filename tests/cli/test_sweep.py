"""`nettrain sweep` as a user meets it: what is printed where, exit codes, signals, the live view, and what is imported when."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import preloaded
import pytest
from rich.console import Console

from nettrain.cli.live_display import LiveDisplay
from nettrain.cli.search_progress import LiveRuns, RunLines, setting_words
from nettrain.search.observer import Overview
from nettrain.search.sweep.trial import Trial

SWEEP = """\
base: flowers.yaml
metric: validation_accuracy
trials: 3
parameters:
  optimizer.lr: {min: 1e-3, max: 1e-1, distribution: log_uniform}
  model.hidden: {values: [[4], [8], [3, 3]]}
"""
METRIC = "validation_accuracy"
NETTRAIN = [sys.executable, "-c", "from nettrain.cli.main import run; run()"]


@pytest.fixture
def sweeps(folder):
    """The current folder, with flowers.yaml and s.yaml, which varies it."""
    (folder / "s.yaml").write_text(SWEEP)
    return folder


def environment(**more):
    return os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "100"} | more


def test_one_object_is_printed(sweeps, command):
    found = command("sweep", "s.yaml", "--json", "--workers", 2)
    assert found.exit_code == 0, found.output
    printed = json.loads(found.stdout)
    assert list(printed) == ["directory", "trials", "best", "test", "intervals"]
    assert set(printed["intervals"]) >= {"loss", "accuracy"}
    keys = ["index", "parameters", "metric", "status", "seconds", "run_directory"]
    assert [list(trial) for trial in printed["trials"]] == [keys] * 3 and list(
        printed["best"]
    ) == keys
    assert (
        printed["best"] in printed["trials"]
        and Path(printed["best"]["run_directory"], "config.yaml").exists()
    )
    assert (
        Path(printed["directory"]) == sweeps / "runs" / "s"
        and 0 <= printed["test"]["accuracy"] <= 1
    )
    lines = found.stderr.splitlines()
    assert [line.partition("  ")[0] for line in sorted(lines[:3])] != [] and lines[3].startswith(
        "retraining trial "
    )
    assert sorted(line.split()[1] for line in lines[:3]) == ["0", "1", "2"]
    assert [line.split()[2] for line in lines[:3]] == ["(1/3)", "(2/3)", "(3/3)"]


def test_the_best_are_shown_with_the_test_and_what_to_do_next(sweeps, command):
    found = command("sweep", "s.yaml", "--executor", "serial", "--run-name", "named")
    assert found.exit_code == 0, found.output
    assert (
        "validation_accuracy" in found.stdout
        and "model.hidden" in found.stdout
        and "3 trials: 3 finished" in found.stdout
    )
    assert (
        found.stderr.splitlines()[-1]
        == f"next: nettrain eval {sweeps / 'runs' / 'named' / 'final'}"
    )
    evaluated = command("eval", "runs/named/final", "--json")
    assert evaluated.exit_code == 0
    again = command("fit", "runs/named/best.yaml", "--json", "--quiet")
    assert again.exit_code == 0
    best = json.loads(Path("runs/named/summary.json").read_text())["best"]
    assert json.loads(again.stdout)["metrics"]["validation"]["accuracy"] == best["metric"]


def test_quiet_prints_nothing(sweeps, command):
    found = command("sweep", "s.yaml", "--executor", "serial", "--quiet")
    assert (found.exit_code, found.output) == (0, "")


def test_trials_and_set_change_the_sweep(sweeps, command):
    found = command("sweep", "s.yaml", "--executor", "serial", "--quiet", "--json", "--trials", 2, "--set", "training.epochs=1",
                    "--set", "metric=validation_loss")  # fmt: skip
    printed = json.loads(found.stdout)
    assert len(printed["trials"]) == 2
    summary = json.loads(Path(printed["best"]["run_directory"], "summary.json").read_text())
    assert (
        summary["epochs"] == 1
        and summary["metrics"]["validation"]["loss"] == printed["best"]["metric"]
    )


def test_a_sweep_goes_on(sweeps, command):
    command("sweep", "s.yaml", "--executor", "serial", "--quiet")
    found = command("sweep", "--resume", "runs/s", "--trials", 5, "--executor", "serial", "--json")
    assert found.exit_code == 0, found.output
    assert [trial["index"] for trial in json.loads(found.stdout)["trials"]] == [0, 1, 2, 3, 4]
    assert found.stderr.splitlines()[0] == "resuming after 3 trials"


def test_without_a_winner_the_exit_code_is_1(sweeps, command):
    too_large = "parameters={model.hidden: {values: [[1000000, 1000000]]}}"
    found = command("sweep", "s.yaml", "--executor", "serial", "--json", "--set", too_large)
    assert found.exit_code == 1
    assert json.loads(found.stdout)["best"] is None
    assert found.stderr.splitlines()[-1].startswith(
        "no trial finished; the first failed with: out of memory: model: "
    )


@pytest.mark.parametrize(("arguments", "said"), [
    ([], "sweep: name a CONFIG (a packaged example: nettrain sweep sweeps/digits_random), or resume with --resume DIR"),
    (["s.yaml", "--resume", "runs/s"], "sweep: CONFIG and --resume cannot be used together: a sweep is resumed with its own config"),
    (["--resume", "runs/s", "--set", "a=1", "-o", "x", "--run-name", "y"],
     "sweep: --set, --output-directory, --run-name and --resume cannot be used together: a sweep is resumed with its own config"),
    (["s.yaml", "--run-name", "a/b"], "--run-name: expected a name for a folder"),
    (["s.yaml", "--executor", "lokal"], "executor 'lokal' does not exist; did you mean 'local'?"),
    (["s.yaml", "--workers", "0"], "workers: expected a whole number from 1 to 1024, got 0"),
    (["s.yaml", "--trials", "0"], "--set trials=0: trials: expected a positive integer or null, got 0"),
    (["s.yaml", "--retry-failed"], "sweep: --retry-failed needs --resume DIR"),
    (["none.yaml"], "none.yaml: does not exist"),
    (["flowers.yaml"],
     "flowers.yaml: is the configuration of one run; a sweep varies it: write a file with `base: flowers.yaml` and `parameters:`"),
    (["--resume", "runs/s"], "runs/s: there is no such sweep directory"),
    (["s.yaml", "--set", "metric=validation_r2"], "metric.name: validation_r2 is no metric of classification"),
])  # fmt: skip
def test_a_mistake_is_told_and_nothing_written(sweeps, command, arguments, said):
    found = command("sweep", *arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.startswith(said), found.stderr
    assert not (sweeps / "runs").exists()


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_sweep_and_resume_goes_on(sweeps, command, number, exit_code):
    arguments = ["sweep", "s.yaml", "--trials", "100000", "--workers", "2"]
    process = preloaded.Popen(
        [*NETTRAIN, *arguments], env=environment(), text=True, stderr=subprocess.PIPE
    )
    with process:
        for _ in range(3):
            assert process.stderr.readline().startswith("trial ")
        process.send_signal(number)
        _, stderr = process.communicate(timeout=240)
    assert process.returncode == exit_code, stderr
    last = stderr.splitlines()[-1]
    assert last.startswith("interrupted; ") and last.endswith(
        f"to resume: nettrain sweep --resume {sweeps / 'runs' / 's'}"
    )
    assert "Traceback" not in stderr
    done = len(Path("runs/s/trials.jsonl").read_text().splitlines())
    found = command(
        "sweep", "--resume", "runs/s", "--trials", done + 2, "--json", "--quiet", "--workers", 2
    )
    assert [trial["index"] for trial in json.loads(found.stdout)["trials"]] == list(range(done + 2))


def test_ctrl_c_twice_ends_it_at_once(sweeps):
    arguments = ["sweep", "s.yaml", "--trials", "100000", "--workers", "2"]
    process = preloaded.Popen(
        [*NETTRAIN, *arguments],
        env=environment(),
        text=True,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        process.stderr.readline()
        os.killpg(process.pid, signal.SIGINT)
        os.killpg(process.pid, signal.SIGINT)
        _, stderr = process.communicate(timeout=240)
    assert process.returncode == 130 and "Traceback" not in stderr


def seen_on_a_terminal(arguments):
    """What a process writes on a terminal of 100 columns that it has on stderr."""
    ours, theirs = pty.openpty()
    process = preloaded.Popen(
        [*NETTRAIN, *arguments],
        env=environment(TERM="xterm", LINES="30"),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    with process:
        try:
            while portion := os.read(ours, 65536):
                seen += portion
        except OSError:  # Linux: the other end is closed
            pass
    os.close(ours)
    assert process.returncode == 0, seen
    return seen.decode()


def test_on_a_terminal_the_trials_are_seen_as_they_run(sweeps):
    seen = seen_on_a_terminal(
        ["sweep", "s.yaml", "--workers", "2", "--set", "training.epochs=300", "--trials", "6"]
    )
    assert "of 6 trials" in seen and "best validation_accuracy" in seen and "remaining" in seen
    assert "trial 0" in seen and "epoch " in seen and "optimizer.lr" in seen
    assert "retraining trial" in seen


def over(index, metric, status="finished", **more):
    trial = Trial(
        index,
        {"optimizer.lr": 0.123456, "model.hidden": [4]},
        metric,
        status,
        1.25,
        f"trials/{index:03}",
        **more,
    )
    return trial.outcome(METRIC)


BEST = "best validation_accuracy 0.8750 (trial 2)  2 of 8 trials"


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            100,
            [
                "trial 1  epoch 3  0.7500  optimizer.lr 0.01",
                f"{BEST}  1:00 remaining  0:10 elapsed",
            ],
        ),
        (60, ["trial 1  epoch 3  0.7500  optimizer.lr 0.01", BEST]),
        (40, ["trial 1  epoch 3  0.7500", BEST[:41]]),
    ],
)
def test_the_live_view_says_what_runs_what_is_best_and_how_long_it_takes(sweeps, width, lines):
    with LiveDisplay(Console(file=io.StringIO(), width=width)) as live:
        view = LiveRuns(live)
        view.begin(Overview("trials", 8, [over(0, 0.5)], METRIC, maximize=True))
        view.started("trial 1", {"optimizer.lr": 0.01})
        view.started("trial 2", {"optimizer.lr": 0.02})
        view.reported("trial 1", 3, 0.75)
        view.ended(over(2, 0.875))
        shown = Console(width=100, file=io.StringIO())
        shown.print(view.drawn(view._began + 10.0))
    assert shown.file.getvalue().splitlines() == lines


def test_a_trials_line_says_what_became_of_it(sweeps):
    lines = []
    view = RunLines()
    view.write = lines.append
    view.begin(Overview("trials", 4, [], METRIC, maximize=True))
    for trial in (
        over(0, 0.5),
        over(1, None, "diverged", message="in epoch 2"),
        over(2, 0.5, same_as=0),
        over(3, 0.25, "pruned"),
    ):
        view.ended(trial)
    setting = "optimizer.lr 0.1235  model.hidden [4]"
    assert lines == [
        f"trial 0 (1/4)  validation_accuracy 0.5000  {setting}  1.2 s",
        f"trial 1 (2/4)  {setting}  diverged: in epoch 2",
        f"trial 2 (3/4)  validation_accuracy 0.5000  {setting}  same as trial 0",
        f"trial 3 (4/4)  validation_accuracy 0.2500  {setting}  pruned",
    ]


def test_settings_are_told_as_a_user_would_write_them():
    setting = {"a": 0.000123456, "b": [1, 2], "c": None, "d": 3, "e": "adam"}
    assert setting_words(setting) == ["a 0.0001235", "b [1, 2]", "c null", "d 3", "e adam"]


def imported(arguments):
    """The modules that are loaded when a command has ended."""
    script = (f"import json, sys\nfrom nettrain.cli.main import app\ntry:\n    app({arguments!r})\nexcept SystemExit:\n    pass\n"
              "print(json.dumps(sorted(sys.modules)), file=sys.stderr)")  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_and_mistakes_import_nothing_heavy(sweeps):
    assert not imported(["sweep", "--help"]) & {
        "numpy",
        "yaml",
        "nettrain.config",
        "nettrain.search",
    }
    (sweeps / "s.yaml").write_text(SWEEP.replace("trials: 3", "trails: 3"))
    found = imported(["sweep", "s.yaml"])
    assert "nettrain.search.sweep.config" in found
    assert not found & {
        "nettrain.training",
        "safetensors",
        "threadpoolctl",
        "rich.table",
        "rich.live",
    }


def test_a_sweep_without_extras_imports_none(sweeps):
    found = imported(["sweep", "s.yaml", "--quiet", "--trials", "1"])
    assert "nettrain.search.sweep.sweep" in found and not found & {
        "optuna",
        "distributed",
        "dask",
        "sqlalchemy",
        "polars",
        "PIL",
    }


@pytest.mark.slow
def test_the_parent_waits_without_using_the_processor(sweeps, command):
    before = time.process_time()
    began = time.monotonic()
    command(
        "sweep", "s.yaml", "--set", "training.epochs=3000", "--trials", 2, "--workers", 2, "--quiet"
    )
    assert time.process_time() - before < max(1.0, 0.5 * (time.monotonic() - began))
