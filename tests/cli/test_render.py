import errno
import io
import os
import time
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console
from rich.text import Text

from nettrain.cli import live_display
from nettrain.cli.live_display import LiveDisplay
from nettrain.cli.progress import MovingLine
from nettrain.cli.render import (
    class_table,
    confusion_table,
    folds_table,
    gain_table,
    member_table,
    metrics_table,
    number,
)
from nettrain.cli.render_model import diagnostics_table, gradient_table, layer_table
from nettrain.nn.summary import LayerSummary

METRICS = {"train": {"loss": 0.1, "accuracy": 1.0}, "test": {"loss": 0.25, "accuracy": 0.9}}
BASELINE = {"train": {"accuracy": 0.4}, "test": {"accuracy": 0.5}}
INSIDE = LayerSummary("around.a", "a", "conv", (9,), (3, 1), 7, 8, 9)
LAYERS = [
    LayerSummary("around", "around", "residual", (28, 28, 3), (5, 3), 1234, 2468, 500, (INSIDE,)),
    LayerSummary("probe_1", "probe_1", "probe", (10,), None, 0, 0, 10),
]


def drawn(table, width=100):
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    console.print(table)
    return console.file.getvalue()


def cells(text):
    return [line.split() for line in text.splitlines() if line.strip() and not line.startswith("─")]


def test_metrics_stand_a_part_a_column_beside_the_baseline():
    text = drawn(metrics_table(METRICS, BASELINE))
    assert cells(text)[-2:] == [
        ["loss", "0.1000", "0.2500", "-"],
        ["accuracy", "1.0000", "0.9000", "0.5000"],
    ]
    assert "(test)" in text and "validation" not in text


LINEAR = {"test": {"accuracy": 0.8765}}
# By width: which of train, interval, baseline and linear model are shown beside the test figure.
SHOWN = [
    (100, True, True, True, True),
    (57, False, True, True, True),
    (40, False, False, True, True),
    (30, False, False, True, False),
]


@pytest.mark.parametrize(("width", "train", "interval", "baseline", "linear"), SHOWN)
def test_the_other_parts_are_left_out_first_and_test_figure_and_baseline_never(
    width, train, interval, baseline, linear
):
    table = metrics_table(METRICS, BASELINE, {"test": {"accuracy": (0.8, 0.95)}}, LINEAR)
    text = drawn(table, width)
    numbers = ("1.0000", "0.8000 to 0.9500", "0.5000", "0.8765", "0.9000")
    assert [n in text for n in numbers] == [train, interval, baseline, linear, True]
    assert ("left out at this width: train" in text) == (not train)
    left_out = " ".join(text.partition("left out")[2].split())
    assert ("95 % interval" in left_out) == (not interval)


def test_without_a_baseline_there_is_no_column_for_it():
    assert "baseline" not in drawn(metrics_table({"x.csv": {"loss": 1.0}, **METRICS}, {}))


NUMBERS = [
    (0.5, "0.5000"),
    (0, "0"),
    (0.0, "0.0000"),
    (36, "36"),
    (1234567, "1,234,567"),
    (1234.5, "1234.5000"),
    (1e-5, "1e-05"),
    (123456.7, "1.235e+05"),
    (-0.25, "-0.2500"),
    (float("nan"), "-"),
    (None, "-"),
    (float("inf"), "inf"),
    (1234567890123456789012345.0, "1.235e+24"),
]


@pytest.mark.parametrize(("value", "text"), NUMBERS)
def test_numbers_are_written_with_the_digits_that_matter(value, text):
    assert number(value) == text


def test_names_from_data_are_no_markup():
    names = ["[red]x[/red]", "[/]"]
    text = drawn(
        class_table(names, {"recall": np.array([1.0, np.nan]), "support": np.array([3, 0])})
    )
    assert cells(text)[1:] == [["[red]x[/red]", "1.0000", "3"], ["[/]", "-", "0"]]
    assert "[/]" in drawn(confusion_table(names, [[1, 0], [0, 1]], 100))


def test_a_confusion_matrix_that_is_too_wide_becomes_a_list_of_mistakes():
    classes = [f"class {i}" for i in range(30)]
    matrix = np.diag(np.full(30, 9))
    matrix[3, 4], matrix[7, 1] = 5, 2
    assert cells(drawn(confusion_table(classes, matrix.tolist(), 100)))[1:] == [
        ["class", "3", "class", "4", "5"],
        ["class", "7", "class", "1", "2"],
    ]


def test_layers_inside_a_layer_stand_below_it_and_only_the_outer_ones_are_summed():
    lines = drawn(layer_table(LAYERS, 8)).splitlines()
    assert [line.split() for line in lines[-5:]] == [
        [
            "around",
            "residual",
            "28",
            "x",
            "28",
            "x",
            "3",
            "5",
            "x",
            "3",
            "1,234",
            "2,468",
            "4",
            "KB",
        ],
        ["a", "conv", "9", "3", "x", "1", "7", "8", "72", "bytes"],
        ["probe_1", "probe", "10", "-", "0", "0", "80", "bytes"],
        [],
        ["total", "1,234", "2,468", "4.08", "KB"],
    ]
    assert lines[-4].startswith("  a ") and "receptive" in lines[0]
    assert "receptive" not in drawn(layer_table(LAYERS[1:], 8))


@pytest.mark.parametrize("width", [1, 10, 24, 40])
def test_narrow_terminals_break_no_table(width):
    tables = [
        metrics_table(METRICS, BASELINE),
        class_table(["a", "b"], {"recall": np.array([1.0, 0.5])}),
        confusion_table(["a", "b"], [[1, 0], [0, 1]], width),
        layer_table(LAYERS, 8),
    ]
    for table in tables:
        assert max(map(len, drawn(table, width).splitlines())) <= width


LONG = {
    "loss": 1.2345e25,
    "mse": 1234567890123456789012345.0,
    "a_metric_with_a_long_name": 0.123456789,
    "rows": 123456789,
}
FOLDS = [{"repeat": 1, "fold": fold, "metrics": LONG} for fold in range(1, 7)]
ARRAYS = [
    SimpleNamespace(
        name="residual_1.dense_1.w", shape=(512, 1024), checked=64, size=524288, error=1.2e-9,
        index=(511, 1023), autodiff=-1.23456e-05, difference=-1.23457e-05, passed=True, kink=False,
    )
]  # fmt: skip
WIDE_TABLES = {
    "metrics": metrics_table({"train": LONG, "validation": LONG, "test": LONG}, {"test": LONG}),
    "folds": folds_table(FOLDS, LONG, LONG, {name: (v, v) for name, v in LONG.items()}, None),
    "gain": gain_table([LONG], LONG, LONG, "validation", LONG),
    "members": member_table(
        [{"member": "member-1", "epochs": 30, "weight": 1.0, "metrics": {"test": LONG}}], "test"
    ),
    "layers": layer_table(LAYERS, 8),
    "gradients": gradient_table(ARRAYS),
}


@pytest.mark.parametrize("name", WIDE_TABLES)
@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_table_breaks_a_number_and_what_is_left_out_is_named(name, width):
    whole, text = drawn(WIDE_TABLES[name], 400), drawn(WIDE_TABLES[name], width)
    assert max(map(len, text.splitlines())) <= width
    numbers = {word for line in whole.splitlines() for word in line.split() if word[0].isdigit()}
    table, _, _ = text.partition("left out")
    shown = {word for line in table.splitlines() for word in line.split() if word[0].isdigit()}
    assert shown <= numbers
    assert numbers <= shown or "left out at this width: " in text


def test_a_table_that_fits_leaves_nothing_out():
    assert "left out" not in drawn(WIDE_TABLES["metrics"], 80)


def test_diagnostics_show_what_there_is_of_each_layer():
    layers = {
        "dense_1": {"gradient_norm": 0.01234, "weight_norm": 12.0, "update_ratio": 1e-5},
        "[b]act[/b]": {"dead": 0.25},
        "dense_2": {"gradient_norm": float("inf"), "weight_norm": 3.25},
    }
    text = drawn(diagnostics_table(layers))
    assert cells(text)[-3:] == [
        ["dense_1", "0.0123", "12", "1e-05", "-"], ["[b]act[/b]", "-", "-", "-", "25%"], ["dense_2", "inf", "3.25", "-", "-"],
    ]  # fmt: skip
    assert "dead" in text and "saturated" not in text


# By width: how much is shown of the line, whole parts alone.
MOVING = [
    (20, "validation_f1 0.6250"),
    (40, "epoch 4/4  validation_f1 0.6250  0:00"),
    (60, "epoch 4/4  validation_f1 0.6250  0:00  train_loss 0.5000"),
    (80, "epoch 4/4  validation_f1 0.6250  0:00  validation_accuracy 0.7500  lr 0.001"),
    (120, "epoch 4/4  validation_f1 0.6250  0:00  validation_accuracy 0.7500  validation_loss"),
]


@pytest.mark.parametrize(("width", "shows"), MOVING)
def test_the_moving_line_shows_the_monitored_metric_first_and_never_leaves_its_line(width, shows):
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None)
    run = SimpleNamespace(
        notes=["rows: train 64"],
        config=SimpleNamespace(training=SimpleNamespace(epochs=4)),
        progress=SimpleNamespace(epoch=0, batch=1, stop_reason=None),
        plan=SimpleNamespace(
            steps_per_epoch=2, step_rows=32, monitor=SimpleNamespace(name="validation_f1")
        ),
        warnings=[],
    )
    with LiveDisplay(console) as live:
        line = MovingLine(live)
        line.begin(run)
        line.batch_end(run)
        run.warnings.append("epoch 4: units die")
        run.progress.epoch, run.progress.batch, run.progress.stop_reason = 4, 0, "epochs"
        line.epoch_end(
            run,
            {
                "epoch": 4,
                "train_loss": 0.5,
                "validation_loss": 0.25,
                "validation_accuracy": 0.75,
                "validation_f1": 0.625,
                "lr": 0.001,
            },
        )
        line.end(run)
        shown = line.line(run, time.monotonic())
    assert len(console.render_lines(shown, pad=False)) == 1
    assert len(str(shown)) <= width and str(shown).startswith(shows)
    assert "rows:" in console.file.getvalue() and "warning:" in console.file.getvalue()


def test_a_terminal_that_is_closed_ends_the_display_and_not_the_work(monkeypatch):
    class Closed(io.StringIO):
        def flush(self):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    dropped = []
    monkeypatch.setattr(live_display, "drop_messages", lambda: dropped.append(True))
    with LiveDisplay(Console(file=Closed(), force_terminal=True)) as live:
        live.update(Text("moving"))
        live.print("stays")
    assert dropped
