"""Every table of every command at 60, 80 and 120 columns: no line too long, no number in two."""

import io
import re

import pytest
from rich.console import Console

from nettrain.cli.output import wrapped
from nettrain.cli.search_progress import trials_table
from nettrain.search.sweep.result import SweepResult
from nettrain.search.sweep.trial import Trial

WIDTHS = (60, 80, 120)
COMMANDS = {
    "check": "check flowers.yaml",
    "compare": "compare runs/flowers runs/other",
    "eval": "eval runs/flowers",
    "explain": "explain adam",
    "gradcheck": "gradcheck flowers.yaml",
    "importance": "importance runs/flowers --repeats 2",
    "plot": "plot runs/flowers",
    "runs": "runs runs",
}
NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d+(?:e[+-]\d+)?(?![\w.])")


@pytest.fixture(scope="module")
def two_runs(trained, command):
    found = command(
        "fit", trained / "flowers.yaml", "-o", trained / "runs", "--run-name", "other", "--quiet",
        "--set", "optimizer.lr=0.02",
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    return trained


@pytest.mark.parametrize("name", COMMANDS)
def test_no_table_is_wider_than_the_terminal_or_breaks_a_number(
    name, two_runs, command, monkeypatch
):
    monkeypatch.chdir(two_runs)

    def drawn(width):
        monkeypatch.setenv("COLUMNS", str(width))
        return command(*COMMANDS[name].split()).stdout

    numbers = set(NUMBER.findall(drawn(400)))
    for width in WIDTHS:
        text = drawn(width)
        assert max(map(len, text.splitlines())) <= width
        assert set(NUMBER.findall(text)) <= numbers


SETTING = {
    "optimizer.lr": 0.0129,
    "model.hidden": [128, 64],
    "model.activation": "relu",
    "training.batch_size": 32,
    "regularization.dropout": 0.25,
    "regularization.l2": 1e-5,
    "schedule.type": "cosine",
}


@pytest.mark.parametrize(("width", "shown"), [(40, 2), (60, 4), (80, 5), (160, 12)])
def test_a_sweep_shows_all_settings_of_the_best_trials_and_names_the_trials_left_out(width, shown):
    trials = [
        Trial(index, SETTING, 0.9 - index / 100, "finished", seconds=1.0, run_directory="")
        for index in range(12)
    ]
    result = SweepResult("runs/s", "validation_accuracy", trials, trials, trials[0], None, [])
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    console.print(trials_table(result))
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert text.count("cosine") == text.count("1e-05") == text.count("[128, 64]") == shown
    assert [f"{0.9 - index / 100:.4f}" in text for index in range(shown)] == [True] * shown
    assert ("left out at this width: trial" in text) == (shown < 12)


def test_fit_of_data_says_at_most_ten_lines_of_80_columns_before_the_first_epoch(two_runs, command):
    found = command(
        "fit", two_runs / "flowers.csv", "-o", two_runs / "runs", "--run-name", "data",
        "--set", "training.epochs=1",
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    before, _, _ = found.stderr.partition("epoch 1/1")
    lines = [
        line
        for message in before.replace(str(two_runs), "data").splitlines()
        for line in wrapped(message, 80).splitlines()
    ]
    assert 4 <= len(lines) <= 10, lines
