"""Without fractions 20 % validate and 20 % test; what the data cannot give is not asked of it."""

import os
from pathlib import Path

import numpy as np
import pytest

from nettrain.config.load import load
from nettrain.data.dataset import PARTS, Dataset
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.default_split import settle_split
from nettrain.data.divide import load_data
from nettrain.data.features import Features
from nettrain.data.source import Source
from nettrain.data.split import Split
from nettrain.data.target import Target
from nettrain.errors import ConfigError, DataError

DEFAULT = Split()


def divided(tmp_path: Path, content: str, split: Split = DEFAULT, seed: int = 0):
    path = tmp_path / "t.csv"
    path.write_text(content)
    source = Source.parse({"type": "csv", "path": str(path), "target": "y"})
    return load_data(DatasetConfig(source=source, split=split), seed)


def sizes(loaded) -> dict[str, int]:
    return {part: len(rows) for part, rows in loaded.rows.items()}


def table(rows: int, target, extra=None) -> str:
    more = "" if extra is None else ",t"
    lines = [f"a{more},y"]
    for i in range(rows):
        lines.append(f"{i}{'' if extra is None else ',' + str(extra(i))},{target(i)}")
    return "\n".join(lines) + "\n"


CASES = {
    "classes": (100, lambda i: "ab"[i % 2], (60, 20, 20), "stratified by class"),
    "numbers": (100, lambda i: i / 7, (60, 20, 20), "drawn with the seed"),
    "a class of one row": (100, lambda i: "ab"[i % 2] if i else "c", (60, 20, 20), "with the seed"),
    "few rows": (9, lambda i: "ab"[i % 2], (9,), "split: none, for 9 rows cannot be divided well"),
}


@pytest.mark.parametrize("case", CASES)
def test_rows_are_kept_for_validation_and_test_and_that_is_said(tmp_path, case):
    rows, target, expected, said = CASES[case]
    loaded = divided(tmp_path, table(rows, target))
    assert tuple(sizes(loaded).values()) == expected
    (note,) = [note for note in loaded.notes if note.startswith("split: ")]
    assert said in note


def rows_of(count: int, **keys: object) -> Dataset:
    target = Target(np.arange(count) % 2, classes=("a", "b"))
    return Dataset(Features(np.zeros((count, 1)), ("a",)), target, origin="t.csv", **keys)


VALIDATION, TEST = (np.array([-1] * 20 + [PARTS.index(part)] * 2) for part in PARTS[1:])
BOTH = np.array([-1] * 20 + [1, 2])
SETTLED = {  # (rows, keys, parts of their own) -> validation, test, stratify, words
    "classes": (rows_of(40), {}, (), (0.2, 0.2, True), "20 % for validation and 20 % for test, stratified by class"),
    "ten rows": (rows_of(10), {}, (), (0.2, 0.2, True), "20 % for validation"),
    "nine rows": (rows_of(9), {}, (), (0.0, 0.0, False), "none, for 9 rows"),
    "one row": (rows_of(1), {}, (), (0.0, 0.0, False), "none, for 1 row cannot"),
    "not stratified": (rows_of(40), {"stratify": False}, (), (0.2, 0.2, False), "drawn with the seed"),
    "groups": (rows_of(40), {"group": "g"}, (), (0.2, 0.2, False), "whole groups of 'g'"),
    "times": (rows_of(40), {"time": "t"}, (), (0.2, 0.2, False), "the latest by 't'"),
    "a validation part": (rows_of(22, part=VALIDATION), {}, (), (0.0, 0.2, True), "20 % for test, stratified"),
    "a test part": (rows_of(22, part=TEST), {}, (), (0.2, 0.0, True), "20 % for validation, stratified"),
    "both parts": (rows_of(22, part=BOTH), {}, (), (0.0, 0.0, False), None),
    "both elsewhere": (rows_of(40), {}, ("validation", "test"), (0.0, 0.0, False), None),
    "fractions": (rows_of(40), {"test": 0.3}, (), (0.0, 0.3, False), None),
    "the other fraction": (rows_of(40), {"validation": 0.3, "stratify": True}, (), (0.3, 0.0, True), None),
}  # fmt: skip


@pytest.mark.parametrize("case", SETTLED)
def test_every_key_that_is_left_out_is_settled(case):
    dataset, keys, separate, expected, words = SETTLED[case]
    settled, note = settle_split(Split(**keys), dataset, separate)
    assert (settled.validation, settled.test, settled.stratify) == expected
    assert note == "" if words is None else note.startswith("split: ") and words in note


def test_classes_keep_their_proportions(tmp_path):
    loaded = divided(tmp_path, table(100, lambda i: "a" if i % 10 else "b"))
    shares = [np.bincount(loaded.target_values(part)) for part in loaded.rows]
    assert [count.tolist() for count in shares] == [[54, 6], [18, 2], [18, 2]]


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        (Split(validation=0.0, test=0.0), {"train": 40}),
        (Split(validation=0.5), {"train": 20, "validation": 20}),
        (Split(test=0.25), {"train": 30, "test": 10}),
        (Split(stratify=False), {"train": 24, "validation": 8, "test": 8}),
        (Split(group="t"), {"train": 24, "validation": 8, "test": 8}),
    ],
)
def test_what_is_given_is_followed(tmp_path, split, expected):
    content = table(40, lambda i: "ab"[i % 2], lambda i: f"g{i // 4}")
    assert sizes(divided(tmp_path, content, split)) == expected


def test_the_default_is_the_same_as_its_fractions_written_out(tmp_path):
    content = table(50, lambda i: "ab"[i % 2])
    written = Split(validation=0.2, test=0.2, stratify=True)
    chosen, asked = divided(tmp_path, content), divided(tmp_path, content, written)
    assert all(np.array_equal(chosen.rows[part], asked.rows[part]) for part in asked.rows)
    assert not [note for note in asked.notes if note.startswith("split: ")]


@pytest.mark.skipif("NETTRAIN_DATA" not in os.environ, reason="a real data set")
def test_a_predefined_test_part_is_kept_and_validation_drawn():
    config = DatasetConfig(source=Source.parse("optdigits"))
    rows = sizes(load_data(config, 0))
    assert rows["test"] == 1797 and rows["validation"] == round(0.2 * 3823)


CONFIG = "dataset:\n  source: digits\n{}model: mlp\n"


def test_none_is_a_word_of_yaml_whose_fractions_can_be_set(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(CONFIG.format("  split: none\n"))
    assert load(path).dataset.split == Split(validation=0.0, test=0.0)
    changed = load(path, ["dataset.split.test=0.3"]).dataset.split
    assert (changed.validation, changed.test) == (0.0, 0.3)
    assert load(path, ["dataset.split={}"]).dataset.split == Split()
    with pytest.raises(ConfigError, match=r"expected a mapping \(.*\) or none, got 'nnoe'"):
        load(path, ["dataset.split=nnoe"])


# How the time of row i is written, and a number that grows with it.
TIMES = {
    "dates": (
        lambda i: f"2024-{1 + i % 12:02d}-{1 + i // 12:02d}",
        lambda i: 100 * (i % 12) + i // 12,
    ),
    "days first": (lambda i: f"{1 + i % 28:02d}.{1 + i // 28:02d}.2024", lambda i: i),
    "numbers": (lambda i: 1000 - i, lambda i: -i),
}


@pytest.mark.parametrize("case", TIMES)
def test_the_latest_rows_test(tmp_path, case):
    write, order = TIMES[case]
    loaded = divided(tmp_path, table(50, lambda i: i / 7, write), Split(time="t"))
    assert sizes(loaded) == {"train": 30, "validation": 10, "test": 10}
    times = {part: [order(int(row)) for row in rows] for part, rows in loaded.rows.items()}
    assert max(times["train"]) < min(times["validation"])
    assert max(times["validation"]) < min(times["test"])
    assert loaded.dataset.features.names == ("a",) and not loaded.dataset.features.categories


@pytest.mark.parametrize(("split", "expected"), [
    (Split(time="t", test=0.2), {"train": 40, "test": 10}),
    (Split(time="t", validation=0.2), {"train": 40, "validation": 10}),
])  # fmt: skip
def test_a_part_that_is_not_asked_for_takes_no_rows_by_time(tmp_path, split, expected):
    content = table(50, lambda i: i / 7, lambda i: 1000 - i)
    assert sizes(divided(tmp_path, content, split)) == expected


def test_rows_of_one_time_stay_in_one_part(tmp_path):
    content = table(60, lambda i: i / 7, lambda i: 2000 + i % 7)
    loaded = divided(tmp_path, content, Split(time="t"))
    years = [{int(row) % 7 for row in rows} for rows in loaded.rows.values()]
    assert years[0] | years[1] | years[2] == set(range(7))
    assert not (years[0] & years[1]) and not (years[1] & years[2])


MISTAKES = {
    "a gap": (lambda i: "" if i == 4 else 2000 + i, r"t.csv:6: the time 't' is missing"),
    "no time": (lambda i: "soon" if i == 4 else f"2024-01-{i + 1:02d}", r"t.csv:6: .*'soon'"),
    "two readings": (lambda i: f"0{1 + i % 9}/0{1 + i % 8}/2024", r"write them as year-month-day"),
    "one time": (lambda i: 2000, r"1 different times, too few for 3 parts"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_times_that_cannot_divide_are_named(tmp_path, case):
    write, message = MISTAKES[case]
    with pytest.raises((ConfigError, DataError), match=message):
        divided(tmp_path, table(20, lambda i: i / 7, write), Split(time="t"))
