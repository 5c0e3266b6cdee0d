"""What is chosen for data that nobody has described."""

import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from nettrain.component import find
from nettrain.data.features import MISSING, Category, Features
from nettrain.errors import DataError
from nettrain.inspection.data_profile.unused_columns import unused_columns
from nettrain.inspection.proposal.choice import Choice, Proposal, Wishes
from nettrain.inspection.proposal.commented_yaml import commented_yaml
from nettrain.inspection.proposal.data_file import locate
from nettrain.inspection.proposal.network import Size, propose_network, uses_tabular
from nettrain.inspection.proposal.propose import propose_config
from nettrain.inspection.proposal.transforms import propose_transforms
from nettrain.nn.architecture import Architecture

ROWS = 60
CHANCE = np.random.default_rng(0)


def category(values):
    distinct = sorted({value for value in values if value})
    codes = [distinct.index(value) if value else MISSING for value in values]
    return Category(np.array(codes, np.int32), tuple(distinct))


# A column, and what the reason says; None: it is kept.
COLUMNS = {
    "counted from 0": ("Unnamed: 0", np.arange(ROWS), "numbers the rows"),
    "counted from 1, shuffled": ("n", CHANCE.permutation(ROWS) + 1, "numbers the rows"),
    "an identifier": ("customer_id", CHANCE.permutation(1000)[:ROWS], "identifier"),
    "camel case": ("PassengerId", CHANCE.permutation(1000)[:ROWS], "identifier"),
    "whole numbers without repeats": ("income", CHANCE.permutation(9999)[:ROWS], None),
    "a name that ends like one": ("humid", CHANCE.permutation(9999)[:ROWS], None),
    "an identifier that repeats": ("user_id", np.arange(ROWS) % 7, None),
    "constant": ("version", np.full(ROWS, 3), "always 3"),
    "constant with gaps": ("flag", np.where(np.arange(ROWS) % 2, np.nan, 1), None),
    "empty": ("notes", np.full(ROWS, np.nan), "no values"),
    "names": ("name", [f"person {i}" for i in range(ROWS)], "names or free text"),
    "one text": ("country", ["peru"] * ROWS, "always 'peru'"),
    "one text with gaps": ("mark", ["x", ""] * (ROWS // 2), None),
    "few texts": ("colour", ["red", "blue"] * (ROWS // 2), None),
    "dates": ("sold", [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(ROWS)], None),
    "ambiguous dates": ("sold", [f"{1 + i % 9:02}/{1 + i % 7:02}/2024" for i in range(ROWS)],
                        "datetime"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "values", "reason"), COLUMNS.values(), ids=COLUMNS)
def test_columns_without_use_are_left_out_with_the_reason(name, values, reason):
    other = CHANCE.normal(size=(ROWS, 1))
    if isinstance(values, list):
        features = Features(other, ("other",), {name: category(values)})
    else:
        features = Features(np.column_stack([other, values]), ("other", name))
    found = unused_columns(features)
    assert list(found) == ([] if reason is None else [name])
    assert reason is None or reason in found[name]


def test_the_only_column_is_kept_though_it_counts_the_rows():
    assert unused_columns(Features(np.arange(20.0)[:, None], ("x",))) == {}


def test_transforms_say_which_columns_need_them():
    amounts = np.exp(CHANCE.normal(0, 2, 500))
    plain, gaps = CHANCE.normal(size=500), CHANCE.normal(size=500)
    gaps[::10] = np.nan
    far = CHANCE.normal(size=500)
    far[3] = -1000
    numbers = np.column_stack([amounts, plain, gaps, far])
    features = Features(numbers, ("amount", "plain", "gaps", "far"), {"c": category("ab" * 250)})
    chosen = propose_transforms(features)
    names = [
        choice.value["type"] if isinstance(choice.value, dict) else choice.value
        for choice in chosen
    ]
    assert names == ["impute", "log", "robust_scale", "clip", "one_hot"]
    assert "gaps (10%)" in chosen[0].reason
    assert chosen[1].value["columns"] == ["amount"]
    assert chosen[3].reason.endswith("far")


@pytest.mark.parametrize(
    ("rows", "inputs", "classes", "model"),
    [
        (50, 10, 2, "mlp"),
        (150, 10, 2, "tabular"),
        (150, 10, None, "mlp"),
        (250, 10, None, "tabular"),
        (50_000, 100, None, "tabular"),
        (50_000, 2_000, 2, "mlp"),
    ],
)
def test_features_are_embedded_where_rows_are_enough(rows, inputs, classes, model):
    size = Size(rows, inputs, inputs, None, classes)
    sections = propose_network(size, "default")
    assert sections["model"].value["type"] == model and uses_tabular(size) == (model != "mlp")
    features = Features(np.exp(CHANCE.normal(size=(rows, 2))), ("a", "b"))
    chosen = [choice.value for choice in propose_transforms(features, embedded=True)]
    assert [one["strategy"] for one in chosen if isinstance(one, dict)] == ["median"]
    assert chosen[1:] == ["robust_scale", "smooth_clip"]


def test_many_features_are_not_embedded():
    few, many = (propose_network(Size(5_001, n, n, None, 2), "default") for n in (10, 300))
    shared = {"type": "tabular", "members": 4, "rate_spread": 10}
    assert few["model"].value == shared | {"bins": 128}
    assert many["model"].value == shared | {"embedding": None}


@pytest.mark.parametrize(
    ("rows", "preset", "spread"),
    [(1_000, "default", 100), (1_001, "default", 30), (5_001, "strong", 10), (900, "small", None)],
)
def test_few_rows_are_learned_at_rates_far_apart(rows, preset, spread):
    model = propose_network(Size(rows, 10, 10, None, 2), preset)["model"].value
    assert model.get("rate_spread") == spread


def _size_of(model):
    """Networks, units or filters."""
    if model["type"] == "tabular":
        return model["members"]
    return sum(model.get("hidden") or [one["filters"] for one in model["blocks"]])


@pytest.mark.parametrize(
    ("embedded", "expected"),
    [(False, ["one_hot"]), (True, [{"type": "one_hot", "max_size": 9}, "ordinal"])],
)
def test_long_columns_of_categories_are_embedded(embedded, expected):
    columns = {
        name: Category(np.arange(100) % size, tuple(f"{name}{i}" for i in range(size)))
        for name, size in (("few", 9), ("long", 10))
    }
    features = Features(np.empty((100, 0)), (), columns)
    chosen = propose_transforms(features, embedded=embedded)
    assert [choice.value for choice in chosen] == expected
    assert ("long" in chosen[-1].reason) and ("few" in chosen[0].reason)
    if embedded:
        settings = find(Architecture, "tabular").settings["dataset"]
        assert settings["category_transforms"] == expected


@pytest.mark.parametrize("image", [None, (8, 8, 1), (32, 32, 3), (64, 64, 3)])
@pytest.mark.parametrize("rows", [10, 600, 5_000, 1_000_000])
def test_a_larger_preset_has_more_units_and_epochs(rows, image):
    sizes = []
    for preset in ("small", "default", "strong"):
        sections = propose_network(Size(rows, 10, 10, image, 3), preset)
        model, training = sections["model"].value, sections["training"].value
        sizes.append((_size_of(model), training["epochs"]))
    assert sizes == sorted(set(sizes))


def test_values_of_any_kind_are_read_back_and_comments_stay_comments():
    odd = ["yes", "a: b", "#", "1e3", "line\nbreak", "'", "ü", "", " x", "null"]
    tree = {
        "dataset": {"source": {"ignore": [Choice(name, f"why {name}\nmodel: broken") for name in odd]}},
        "model": Choice({"type": "cnn", "blocks": [{"filters": i} for i in range(30)]}, "large"),
        "seed": Choice(0),
    }  # fmt: skip
    for names in (odd, odd[:4]):
        tree["dataset"]["source"]["ignore"] = [Choice(name, "why\nx: y") for name in names]
        text = commented_yaml(Proposal("a\nb: c", (), tree), Path())
        read = yaml.safe_load(text)
        assert read["dataset"]["source"]["ignore"] == names
        assert len(read["model"]["blocks"]) == 30 and list(read) == ["dataset", "model", "seed"]


def test_a_column_of_numbers_and_texts_is_read_as_texts_but_not_for_a_typing_error(tmp_path):
    file = tmp_path / "t.csv"
    cells = [str(i % 9) if i % 3 else "abc"[i % 2] for i in range(90)]
    file.write_text(
        "code,x,k\n" + "".join(f"{c},{i * 7 % 10},{i % 2}\n" for i, c in enumerate(cells))
    )
    source = propose_config(file, Wishes()).mapping()["dataset"]["source"]
    assert source["categorical"] == ["code"] and source["target"] == "k"
    rows = "".join(f"{'1o' if i == 50 else i % 9},{i * 7 % 10},{i % 2}\n" for i in range(90))
    file.write_text("code,x,k\n" + rows)
    with pytest.raises(Exception, match="'1o'"):
        propose_config(file, Wishes())


def test_rows_without_a_target_are_dropped_and_lone_classes_not_stratified(tmp_path):
    file = tmp_path / "t.csv"
    kinds = ["", *(["a", "b"] * 20), "c"]
    file.write_text(
        "x,y,Class,z\n"
        + "".join(f"{i * 7 % 41},{i % 5},{k},{i % 6}\n" for i, k in enumerate(kinds))
    )
    dataset = propose_config(file, Wishes()).mapping()["dataset"]
    assert dataset["source"]["target"] == "Class"  # by its name, though not the last
    assert dataset["missing_target"] == "drop"
    assert dataset["split"] == {"validation": 0.2, "test": 0.2}


def test_numbers_far_beyond_the_others_do_not_decide_the_scale_of_the_target(tmp_path):
    x = CHANCE.normal(size=100)
    y = np.where(np.arange(100) == 3, 1e9, x)
    rows = [f"{a:.4f},{b:.4f}" for a, b in zip(x, y, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *rows]) + "\n", encoding="utf-8")
    proposal = propose_config(tmp_path / "t.csv", Wishes(target="y"))
    chosen = proposal.mapping()
    assert chosen["loss"] == "huber" and "y has numbers such as 1e+09" in proposal.decisions[0]
    assert chosen["dataset"]["target_transforms"] == ["robust_scale"]


def test_two_arrays_of_one_name_are_one(tmp_path):
    """A zip file may have two members of one name; NumPy's own never do."""
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's own, of the second name
        for _ in range(2):
            with archive.open("rows.npy", "w") as member:
                np.save(member, np.ones((4, 2)))
    with pytest.raises(DataError, match=r"which array holds the rows.*\(there are: rows\)"):
        locate(path, None)
