"""What only a process of its own shows: signals, pipes, and what is imported before a command begins to work."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import preloaded
import pytest

from nettrain.version import __version__

NETTRAIN = [sys.executable, "-c", "from nettrain.cli.main import run; run()"]
REPOSITORY = str(Path(__file__).parents[2])


def environment():
    return os.environ | {"PYTHONPATH": REPOSITORY, "COLUMNS": "80"}


def start(*arguments, **options):
    return preloaded.Popen([*NETTRAIN, *arguments], env=environment(), text=True, **options)


def imported(code):
    """The modules that are loaded after some code has run."""
    script = f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_imports_nothing_heavy():
    found = imported(
        "from typer.testing import CliRunner\nfrom nettrain.cli.main import app\nCliRunner().invoke(app, ['fit', '--help'])"
    )
    assert "nettrain.cli.fit" in found
    assert not found & {
        "numpy",
        "yaml",
        "safetensors",
        "threadpoolctl",
        "pooch",
        "nettrain.config",
        "nettrain.training",
    }


def test_a_config_error_imports_neither_training_nor_rich(folder):
    Path("flowers.yaml").write_text("seed: x\n")
    found = imported(
        "from nettrain.cli.main import app\ntry:\n    app(['fit', 'flowers.yaml'])\nexcept SystemExit:\n    pass"
    )
    assert "nettrain.config.load" in found
    assert not found & {
        "nettrain.training",
        "safetensors",
        "threadpoolctl",
        "pooch",
        "rich.table",
        "rich.live",
    }


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_and_resume_goes_on(folder, number, exit_code):
    process = start(
        "fit",
        "flowers.yaml",
        "--set",
        "training.epochs=100000",
        "--json",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        while not process.stderr.readline().startswith("epoch 3/"):
            assert process.poll() is None
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=240)
    assert (process.returncode, stdout) == (exit_code, "")
    assert stderr.splitlines()[-1].endswith("to resume: nettrain fit --resume runs/flowers")
    assert "Traceback" not in stderr


def test_a_reader_that_goes_away_is_no_fault(folder):
    process = start(
        "fit",
        "flowers.yaml",
        "--set",
        "training.epochs=100000",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        process.stdout.close()
        process.stderr.readline()
        process.stderr.close()
        assert process.wait(timeout=240) == 1


def test_results_can_be_piped(trained):
    process = start(
        "predict",
        str(trained / "runs/flowers"),
        str(trained / "flowers.csv"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        stdout, stderr = process.communicate(timeout=240)
    assert (process.returncode, stderr, stdout.splitlines()[0]) == (0, "", "prediction,probability")


THREE_COMMANDS = """
import sys
from nettrain.cli.main import run
for words in ("fit flowers.yaml", "eval runs/flowers", "predict runs/flowers flowers.csv"):
    sys.argv[1:] = words.split()
    try:
        run()
    except SystemExit as end:
        if end.code:
            raise
"""


def test_names_that_the_terminal_cannot_show_are_no_fault(folder):
    Path("flowers.csv").write_text(
        Path("flowers.csv").read_text().replace("tulip", "Tülpe"), encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-c", THREE_COMMANDS],
        env=environment() | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    evaluated, predicted = done.stdout.split(b"prediction,")
    assert b"T\\xfclpe" in evaluated and "Tülpe".encode() in predicted


def test_a_full_device_is_told(trained):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with open("/dev/full", "w") as full:
        process = start(
            "predict",
            str(trained / "runs/flowers"),
            str(trained / "flowers.csv"),
            stdout=full,
            stderr=subprocess.PIPE,
        )
        with process:
            _, stderr = process.communicate(timeout=240)
    assert (process.returncode, stderr) == (2, "standard output: no space left on device\n")


def test_the_version_is_told(command):
    assert command("--version").stdout == f"nettrain {__version__}\n"


@pytest.mark.parametrize("closed", ["2>&-", "1>&-", "0<&-", "1>&- 2>&-"])
def test_a_stream_that_is_closed_does_not_stop_a_run(folder, closed):
    command = " ".join(["fit", "flowers.yaml", "--set", "training.epochs=1", closed])
    code = "from nettrain.cli.main import run; run()"
    shell = ["sh", "-c", f"exec {sys.executable} -c '{code}' {command}"]
    done = subprocess.run(shell, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path("runs/flowers/summary.json").exists()
    assert ("accuracy" in done.stdout) is ("1>&-" not in closed)


def test_a_removed_directory_is_named_where_a_relative_path_needs_it(folder):
    gone = folder / "gone"
    shell = f"mkdir {gone}; cd {gone}; rmdir {gone}; exec {sys.executable} -c '{{code}}' {{words}}"
    code = "from nettrain.cli.main import run; run()"
    words = f"fit {folder / 'flowers.yaml'} --set training.epochs=1 --quiet"
    for more, exit_code in (("", 2), (f"-o {folder / 'runs'}", 0)):
        line = shell.format(code=code, words=f"{words} {more}")
        done = subprocess.run(["sh", "-c", line], env=environment(), capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        assert done.returncode == exit_code, done.stderr
    assert (folder / "runs/flowers/summary.json").exists()


def test_a_message_about_a_long_value_stays_short(command, folder):
    done = command(
        "check", folder / "flowers.yaml", "--set", f"dataset.source.target={'z' * 60_000}"
    )
    assert done.exit_code == 2
    assert "no column 'zzz" in done.stderr and done.stderr.rstrip().endswith(")")
    assert len(done.stderr) < 2_100
