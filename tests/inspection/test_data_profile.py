"""Planted faults are named, each once and with its lines; healthy data are left in peace."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from nettrain.config.load import load
from nettrain.inspection.data_profile.profile import profile_data
from nettrain.training.train import prepare_run

ROWS = 240
SPLIT = "{validation: 0.2, test: 0.2}"


def table():
    """Two numbers, a category, and a class that they tell in part."""
    chance = np.random.default_rng(1)
    x, z = chance.normal(10, 3, ROWS), chance.normal(0, 1, ROWS)
    kind = np.array(["red", "green", "blue"])[chance.integers(0, 3, ROWS)]
    score = (x - 10) / 3 + z + chance.normal(0, 2, ROWS)
    return {
        "x": [f"{value:.4f}" for value in x],
        "z": [f"{value:.4f}" for value in z],
        "kind": list(kind),
        "y": ["yes" if value > 0 else "no" for value in score],
    }


def planted(**columns):
    """The table with further columns before the target, or others in their place."""
    found = table()
    target = found.pop("y")
    return found | {"y": target} | columns if "y" in columns else found | columns | {"y": target}


def with_cells(name, cells):
    """The table with some cells of a column changed: {row: text}."""
    found = table()
    for row, text in cells.items():
        found[name][row] = text
    return found


def rows_twice(count, flip=False):
    """The table with its first rows once more at its end."""
    found = table()
    for name, cells in found.items():
        copies = cells[:count]
        if flip and name == "y":
            copies = ["no" if text == "yes" else "yes" for text in copies]
        cells += copies
    return found


def marks(seed=5):
    chance = np.random.default_rng(seed)
    values = [f"{value:.2f}" for value in chance.uniform(0, 40, ROWS)]
    for row in (3, 50, 51, 200):
        values[row] = "-200"
    return values


AMOUNTS = [f"{value:.3f}" for value in np.exp(np.random.default_rng(3).normal(0, 2, ROWS))]
OUTLIER = {7: "3e9"}
DAYS = [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(ROWS)]

# The table, keys of the source and of the dataset, the suspicion, its columns, its first line.
FAULTS = {
    "row numbers": (planted(**{"Unnamed: 0": [str(i) for i in range(ROWS)]}), "", "",
                    "row_number", ("Unnamed: 0",), None),
    "row numbers of repeated rows": (
        {"n": [str(i % ROWS) for i in range(ROWS + 10)]} | rows_twice(10), "", "",
        "row_number", ("n",), None),
    "identifier": (planted(client_id=[str(7919 * i % 99991) for i in range(ROWS)]), "", "",
                   "identifier", ("client_id",), None),
    "constant": (planted(version=["3"] * ROWS), "", "", "constant_column", ("version",), None),
    "empty": (planted(notes=["NA"] * ROWS), "", "transforms: [{type: drop, columns: [notes]}, standardize, one_hot]", "empty_column", ("notes",), None),
    "names": (planted(name=[f"person {i}" for i in range(ROWS)]), "", "",
              "unique_texts", ("name",), None),
    "day or month": (planted(sold=[f"{1 + i % 9:02}/{1 + i % 7:02}/2024" for i in range(ROWS)]),
                     "", "transforms: [standardize, one_hot]", "ambiguous_date", ("sold",), None),
    "copy": (planted(again=table()["x"]), "", "", "repeated_column", ("x", "again"), None),
    "other unit": (planted(cm=[f"{2.54 * float(v) + 1:.6f}" for v in table()["x"]]), "", "",
                   "repeated_column", ("x", "cm"), None),
    "name and number": (planted(code=[str({"red": 5, "green": 2, "blue": 9}[v]) for v in table()["kind"]]),
                        "", "", "repeated_column", ("kind", "code"), None),
    "mark apart": (planted(co=marks()), "", "", "missing_mark", ("co",), 5),
    "mark in texts": (with_cells("kind", {4: "--", 9: "--"}), "", "", "missing_text", ("kind",), 6),
    "mostly missing": (planted(rare=["NA"] * 200 + [str(i) for i in range(40)]), "", "",
                       "mostly_missing", ("rare",), 2),
    "skewed": (planted(amount=AMOUNTS), "", "", "skewed", ("amount",), None),
    "outlier": (with_cells("z", OUTLIER), "", "", "outlier", ("z",), 9),
    "unscaled": (planted(income=[str(20_000 + 7 * i * i % 90_000) for i in range(ROWS)]), "",
                 "transforms: [{type: standardize, columns: [x, z]}, one_hot]",
                 "unscaled_input", ("income",), None),
    "decimal commas among points": (planted(w=[f"{i},5" if i % 3 else f"{i}.25" for i in range(ROWS)]),
                                    "categorical: [w]", "", "numbers_as_text", ("w",), None),
    "dates as categories": (planted(sold=DAYS), "", "transforms: [standardize, one_hot]",
                            "date_as_text", ("sold",), None),
    "dates in two formats": (planted(sold=[*DAYS[:-1], "31.12.2024"]), "", "",
                             "mixed_dates", ("sold",), ROWS + 1),
    "months": (planted(month=[f"{2000 + i // 12}-{1 + i % 12:02}" for i in range(ROWS)]), "", "",
               "period_as_text", ("month",), None),
    "quarters": (planted(q=[f"{1974 + i // 4 % 40}Q{1 + i % 4}" for i in range(ROWS)]), "", "",
                 "period_as_text", ("q",), None),
    "dates as numbers": (planted(day=[text.replace("-", "") for text in DAYS]), "", "",
                         "date_as_number", ("day",), None),
    "numbers among texts": (planted(size=[str(i % 30) if i % 4 else "large" for i in range(ROWS)]),
                            "categorical: [size]", "", "mixed_types", ("size",), 2),
    "leading zeros": (planted(dial=[f"{i % 30:03}" for i in range(ROWS)]), "", "",
                      "leading_zeros", ("dial",), 2),
    "postcodes": (planted(zip=[str(10_000 + 13 * i % 900) for i in range(ROWS)]), "", "",
                  "codes_as_numbers", ("zip",), None),
    "case": (with_cells("kind", {0: "Red", 1: "RED"}), "", "", "spelled_alike", ("kind",), 2),
    "case of a class": (with_cells("y", {0: "Yes"}), "", "", "spelled_alike", ("y",), 2),
    "many categories": (planted(street=[f"street {i % 60}" for i in range(ROWS)]), "", "", "many_categories", ("street",), None),
    "rare class": (with_cells("y", {11: "maybe"}), "", "", "rare_class", ("y",), 13),
    "imbalance": (planted(y=["no" if i % 20 else "yes" for i in range(ROWS)]), "", "",
                  "imbalance", ("y",), None),
    "a class per row": (planted(y=[f"c{i // 2}" for i in range(ROWS)]), "", "",
                        "many_classes", ("y",), None),
    "codes as quantities": (planted(y=[["101", "205", "333", "350"][i % 4] for i in range(ROWS)]),
                            "", "loss: mse", "numeric_codes", ("y",), None),
    "target far away": (planted(y=[f"{i % 50}.5" for i in range(ROWS - 1)] + ["8e12"]), "", "",
                        "target_outlier", ("y",), ROWS + 1),
    "skewed target": (planted(y=AMOUNTS), "", "", "skewed_target", ("y",), None),
    "leak": (planted(paid=[f"{(2 if v == 'yes' else -2) + i % 7 / 5:.2f}" for i, v in enumerate(table()["y"])]),
             "", "", "leak", ("paid",), None),
    "copy of the target": (planted(answer=["j" if v == "yes" else "n" for v in table()["y"]]), "", "",
                           "leak", ("answer",), None),
    "leak of a number": (planted(later=[f"{3 * i % 97 + i % 3 / 10}" for i in range(ROWS)],
                                 y=[f"{3 * i % 97}.5" for i in range(ROWS)]), "", "",
                         "leak", ("later",), None),
    "a logarithm of the target": (planted(later=[f"{np.log(3 * i % 97 + 1):.6f}" for i in range(ROWS)],
                                          y=[f"{(3 * i % 97 + 1) ** 2}.5" for i in range(ROWS)]), "", "",
                                  "leak", ("later",), None),
    "rows in two parts": (rows_twice(40), "", "", "rows_in_two_parts", (), None),
    "all rows twice": (rows_twice(ROWS), "", "", "rows_in_two_parts", (), None),
    "rows twice": (rows_twice(40), "", "split: none", "repeated_rows", (), ROWS + 2),
    "twice with other targets": (rows_twice(40, flip=True), "", "split: none", "contradicting_rows", (), 2),
    "patients torn": (planted(patient=[f"p{i // 4}" for i in range(ROWS)]), "", "",
                      "torn_groups", ("patient",), None),
    "users left out and torn": (planted(user_id=[f"{i // 4}" for i in range(ROWS)]), "ignore: user_id", "",
                                "torn_groups", ("user_id",), None),
    "few rows": ({name: cells[:30] for name, cells in table().items()}, "", "", "few_rows", (), None),
    "other rows in test": (planted(z=[f"{float(v) + (i > 190) * 3:.3f}" for i, v in enumerate(table()["z"])]),
                           "", "split: {rows: {train: [0, 190], test: [190, 240]}}",
                           "part_differs", ("z",), None),
}  # fmt: skip


def profile(folder, columns, source="", dataset=""):
    names = list(columns)
    lines = [",".join(f'"{cell}"' for cell in row) for row in zip(*columns.values(), strict=True)]
    (folder / "t.csv").write_text("\n".join([",".join(f'"{n}"' for n in names), *lines]) + "\n")
    source = f", {source}" if source else ""
    loss = "loss: mse\n" if dataset == "loss: mse" else ""
    dataset = "" if loss else dataset
    split = "" if "split:" in dataset else f"  split: {SPLIT}\n"
    (folder / "t.yaml").write_text(
        f"dataset:\n  source: {{type: csv, path: t.csv, target: y{source}}}\n{split}"
        + (f"  {dataset}\n" if dataset else "")
        + f"model: {{type: mlp, hidden: [4]}}\n{loss}"
    )
    return profile_data(load(folder / "t.yaml"))


def keys_of(remedy):
    """What a remedy adds to the source and to the dataset; None: no key mends the fault."""
    if key := re.search(r"`(\w+: .+?)` in the source", remedy):
        return key[1], ""
    if transform := re.search(r"`(\{.+?\})` in `dataset.transforms`", remedy):
        return "", f"transforms: [{transform[1]}, impute, standardize, one_hot]"
    return None


@pytest.mark.parametrize(
    ("columns", "source", "dataset", "name", "suspected", "line"), FAULTS.values(), ids=FAULTS
)
def test_a_planted_fault_is_named_once_and_mended_by_its_remedy(
    tmp_path, columns, source, dataset, name, suspected, line
):
    found = profile(tmp_path, columns, source, dataset).suspicions
    named = [one for one in found if one.name == name]
    assert len(named) == 1, found
    assert set(suspected) <= set(named[0].columns)
    assert line is None or named[0].lines[0] == line
    assert [one.name for one in found if one.severity == "error"] in ([], [name])
    keys = keys_of(named[0].remedy)
    if keys is not None and not (source or dataset):
        assert name not in [left.name for left in profile(tmp_path, columns, *keys).suspicions]


def test_skewed_numbers_whose_tails_are_drawn_in_raise_no_suspicion(tmp_path):
    transforms = "transforms: [robust_scale, smooth_clip, one_hot]"
    assert profile(tmp_path, planted(amount=AMOUNTS), dataset=transforms).suspicions == ()


def test_a_healthy_table_raises_no_suspicion(tmp_path):
    assert profile(tmp_path, table()).suspicions == ()


def shapes(rows=120, side=6):
    """Small pictures of two classes, none like another."""
    chance = np.random.default_rng(2)
    return chance.integers(0, 256, (rows, side, side)).astype(np.uint8), np.arange(rows) % 2


def blank():
    x, y = shapes()
    x[5], x[9] = 7, 8
    return x, y


def copied():
    x, y = shapes()
    x[80:84] = x[:4]
    return x, y


def other_class():
    x, y = shapes()
    x[1] = x[0]
    return x, y


def darker():
    x, y = shapes()
    x[80:] //= 3
    return x, y


IMAGES = {
    "healthy": (shapes, "", None, None),
    "blank": (blank, "", "blank_images", 5),
    "the same in two parts": (copied, "", "rows_in_two_parts", 80),
    "the same in two classes": (other_class, "", "contradicting_rows", 0),
    "a darker test part": (darker, "", "part_differs", None),
    "channels first": (lambda: (shapes(side=12)[0].reshape(120, 3, 8, 6), shapes()[1]), "", "channels_first", None),
    "12 of 16 bits": (lambda: (shapes()[0] * np.float64(16), shapes()[1]),
                      "transforms: [{type: scale, divide_by: 65535}]", "narrow_range", None),
    "not scaled": (shapes, "transforms: [{type: clip, low: 0, high: 255}]", "unscaled_input", None),
}  # fmt: skip


@pytest.mark.parametrize(("images", "transforms", "name", "row"), IMAGES.values(), ids=IMAGES)
def test_what_is_wrong_with_images_is_named(tmp_path, images, transforms, name, row):
    x, y = images()
    np.savez(tmp_path / "t.npz", x=x, y=y)
    (tmp_path / "t.yaml").write_text(
        "dataset:\n  source: {type: npz, path: t.npz}\n"
        "  split: {rows: {train: [0, 60], validation: [60, 80], test: [80, 120]}}\n"
        + (f"  {transforms}\n" if transforms else "")
        + "model: {type: mlp, hidden: [4]}\n"
    )
    found = profile_data(load(tmp_path / "t.yaml")).suspicions
    assert [one.name for one in found] == ([] if name is None else [name])
    assert row is None or found[0].lines[0] == row


BUNDLED = ["digits", "iris", "moons", "sine", "spirals", "triangle", "xor"]


@pytest.mark.parametrize("source", BUNDLED)
def test_bundled_data_raise_no_suspicion(source):
    config = {"dataset": {"source": source, "split": {"validation": 0.2, "test": 0.2}},
              "model": {"type": "mlp", "hidden": [4]}}  # fmt: skip
    assert profile_data(load(config)).suspicions == ()


def test_columns_are_summarized_as_they_were_understood(tmp_path):
    columns = planted(share=[f"{i % 9} %" for i in range(ROWS)], sold=DAYS)
    columns["x"][3] = columns["kind"][5] = "NA"
    profile(tmp_path, columns)
    config = load(tmp_path / "t.yaml")
    found = profile_data(config, pipeline=prepare_run(config).pipeline)
    told = {column.name: column for column in found.columns}
    assert list(told) == ["y", "x", "z", "share", "kind", "sold"]
    assert (told["y"].role, told["y"].type, told["y"].inputs) == ("target", "classes", None)
    assert (told["x"].missing, told["share"].low, told["share"].high) == (1, 0, 8)
    assert (told["kind"].missing, told["kind"].distinct, told["kind"].inputs) == (1, 3, 3)
    assert told["sold"].type == "date" and told["sold"].inputs > 3
    inputs = sum(column.inputs or 0 for column in found.columns)
    assert inputs == prepare_run(config).pipeline.shape[0]


def test_later_rows_that_differ_are_no_warning_where_time_divides_them(tmp_path):
    columns = planted(day=[str(i) for i in range(ROWS)])
    columns["z"] = [f"{float(z) + i / 20:.3f}" for i, z in enumerate(columns["z"])]
    found = profile(tmp_path, columns, dataset="split: {time: day, test: 0.3}")
    (one,) = (one for one in found.suspicions if one.name == "part_differs")
    assert one.severity == "note" and one.columns[0] == "z"
    assert [column.role for column in found.columns if column.name == "day"] == ["time"]


def test_of_many_rows_a_sample_is_looked_at(tmp_path):
    chance = np.random.default_rng(0)
    np.savez(tmp_path / "t.npz", x=chance.normal(size=(60_000, 2)), y=chance.integers(0, 2, 60_000))
    config = {"dataset": {"source": {"type": "npz", "path": str(tmp_path / "t.npz")}, "split": {"test": 0.5}},
              "model": {"type": "mlp", "hidden": [4]}}  # fmt: skip
    found = profile_data(load(config))
    assert (found.rows, found.sampled, found.suspicions) == (60_000, 50_000, ())


# What real tables are told, errors and warnings alone; each was looked at and is true.
REAL = {
    "adult": ["missing_mark"],  # 99999 dollars of capital gain
    "california_housing": [],
    "fashion_cnn": [],
    "mnist": [],
    "semeion": [],
    "usps": [],
    "wine_quality": ["rows_in_two_parts"],  # 937 of 4,898
}


@pytest.mark.slow
@pytest.mark.skipif(
    "NETTRAIN_DATA" not in os.environ,
    reason="real data sets: set NETTRAIN_DATA to the folder that holds them",
)
@pytest.mark.parametrize("name", REAL)
def test_real_data_raise_true_warnings_and_no_error(name):
    config = load(Path(__file__).parents[2] / "configs" / f"{name}.yaml")
    told = [one for one in profile_data(config).suspicions if one.severity != "note"]
    assert [one.name for one in told] == REAL[name]
    assert all(one.severity == "warning" for one in told)
