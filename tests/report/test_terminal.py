"""Learning curves as text: every width, with and without colours, without matplotlib."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from nettrain.cli.main import app
from nettrain.report.terminal import terminal_curves

ESCAPE = "\x1b["


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_curves_fit_the_terminal(views, width):
    lines = terminal_curves(views["classes"], width, coloured=False).splitlines()
    assert max(map(len, lines)) == width
    assert any("loss per row" in line for line in lines)
    assert any("accuracy" in line for line in lines)
    assert sum(line.count("+") for line in lines) > 10  # the validation line


def test_colours_are_for_terminals_alone(views):
    assert ESCAPE in terminal_curves(views["classes"], 80, coloured=True)
    assert ESCAPE not in terminal_curves(views["classes"], 80, coloured=False)


def test_curves_are_drawn_into_a_pipe_without_matplotlib(trained):
    code = (
        "import sys; from nettrain.cli.main import app\n"
        f"try: app(['plot', {str(trained / 'classes')!r}, '--terminal'])\n"
        "except SystemExit as end: assert not end.code\n"
        "assert 'matplotlib' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert "loss per row" in done.stdout and ESCAPE not in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["roc"], "draws curves alone; roc needs a file (-o roc.png)"),
        (["curves", "-o", "curves.png"], "cannot be used together with --terminal"),
    ],
)
def test_what_the_terminal_cannot_draw_is_named(trained, words, message):
    run = CliRunner().invoke(app, ["plot", str(trained / "classes"), *words, "--terminal"])
    assert run.exit_code == 2 and message in run.stderr
