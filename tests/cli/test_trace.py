"""`nettrain trace` and `nettrain graph`: worked examples in numbers, pictures of them, mistakes."""

import json
import re
from pathlib import Path

import pytest

CONFIGS = Path(__file__).parents[2] / "configs"
BY_HAND = CONFIGS / "by_hand"

WORKED = {
    "e = (a+b)(b+1)": ("sum_times", "0", ["= 3 * 2 = 6", "d x[0, 0] = 2 * 1 + 3 * 0 = 2", " = 5"]),
    "the linear unit": ("linear_unit", "0", ["2.7 * (-0.06) + 8.6 * 2.5 + 0.002 * 1.4 = 21.34"]),
    "2-2-2-2 at (1, -1)": (
        "sigmoid_2222", "0", ["= 0.982", "= 0.1192", "= 0.8635", "= 0.1107", "= 0.6177", "= 0.8291"]
    ),
    "2-2-2-2 at (0, 0)": (
        "sigmoid_2222", "1", ["= 0.7311", "= 0.5", "= 0.7235", "= 0.1232", "= 0.5118", "= 0.8544"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("example", WORKED)
def test_worked_examples_come_out_of_a_configuration(command, example):
    name, row, numbers = WORKED[example]
    done = command("trace", BY_HAND / f"{name}.yaml", "--row", row)
    assert done.exit_code == 0, done.stderr
    for number in numbers:
        assert number in done.stdout


@pytest.mark.parametrize("width", [40, 60, 80])
def test_lines_are_broken_between_words(command, width, monkeypatch):
    monkeypatch.setattr("nettrain.cli.trace._width", lambda: width)
    done = command("trace", CONFIGS / "xor.yaml", "--step")
    assert done.exit_code == 0, done.stderr
    words = re.compile(r"\S{" + str(width + 1) + r",}")
    assert all(len(line) <= width or words.search(line) for line in done.stdout.splitlines())


def test_a_step_shows_every_weight_before_and_after(command):
    done = command("trace", CONFIGS / "xor.yaml", "--step", "--json", "--elements", "100")
    update = json.loads(done.stdout)["update"]
    assert update["optimizer"] == "adam" and "m = b1 m + (1-b1) g" in update["formula"]
    weights = [
        line["target"]
        for section in update["sections"]
        for line in section["lines"]
        if line["target"].startswith("dense_")
    ]
    assert len(weights) == 2 * 4 + 4 + 4 + 1


def test_a_run_is_traced_with_its_trained_weights(command, tmp_path):
    assert command("fit", CONFIGS / "xor.yaml", "-o", tmp_path, "--quiet").exit_code == 0
    trained = json.loads(command("trace", tmp_path / "xor", "--json").stdout)
    first = json.loads(command("trace", CONFIGS / "xor.yaml", "--json").stdout)
    assert trained["loss"] < 0.1 < first["loss"]


def test_a_graph_is_written_in_the_format_of_its_ending(command, tmp_path):
    for ending, start in {
        "svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "html": b"<!doctype html>", "dot": b"digraph"
    }.items():  # fmt: skip
        file = tmp_path / f"graph.{ending}"
        done = command("graph", CONFIGS / "xor.yaml", "--row", "0", "-o", file)
        assert done.exit_code == 0, done.stderr
        assert file.read_bytes().startswith(start)
    again = command("graph", CONFIGS / "xor.yaml", "-o", tmp_path / "graph.dot")
    assert again.exit_code == 2 and "exists already" in again.stderr


def test_without_a_file_the_graph_is_graphviz_source(command):
    done = command("graph", CONFIGS / "xor.yaml")
    assert done.stdout.startswith("digraph nettrain {") and '"v1" -> "v3"' in done.stdout


@pytest.mark.parametrize(("words", "said"), [
    (["trace", "xor.yaml", "--row", "9999"], "row 9999: there is no such row; they are numbered 0 to "),
    (["trace", "xor.yaml", "--part", "test"], "there is no test part; there are: train"),
    (["trace", "xor.yaml", "--step", "--set", "optimizer=lbfgs", "--set", "training.batch_size=null"],
     "lbfgs evaluates the loss at points of its own"),
    (["graph", "xor.yaml", "-o", "graph.gif"], "expected one of .svg, .png, .pdf, .html, .dot"),
])  # fmt: skip
def test_mistakes_are_named(command, words, said, monkeypatch):
    monkeypatch.chdir(CONFIGS)
    done = command(*words)
    assert done.exit_code == 2
    assert said in done.stderr
