"""Transforms for the columns of tables: against the packages of their papers, and what they promise beside."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.pipeline import Pipeline
from nettrain.data.prepare import prepare
from nettrain.data.source import Source
from nettrain.data.split import Split
from nettrain.data.target import Target
from nettrain.data.transform import Transform
from nettrain.errors import ConfigError
from nettrain.quantiles import quantile_knots
from nettrain.transforms._tree_knots import tree_knots

GOLDEN = dict(np.load(Path(__file__).parents[1] / "golden/table_transforms.npz"))
COLUMNS = ("normal", "wide", "tailed", "zeros", "constant")
NUMBERS = Features(GOLDEN["x"], COLUMNS)
VALUES, CODES = np.unique(GOLDEN["city"], return_inverse=True)
CITY = Features(np.zeros((len(CODES), 0)), (), {"city": Category(CODES, tuple(map(str, VALUES)))})
TARGETS = {
    "numbers": Target(GOLDEN["y"][:, None]),
    "binary": Target((GOLDEN["classes"] == 1).astype(np.int64), classes=("no", "yes")),
    "classes": Target(GOLDEN["classes"], classes=("low", "middle", "high")),
}


def make(name: str, **fields: object) -> Transform:
    return Transform.parse({"type": name, **fields})


def test_robust_scale_is_that_of_the_paper_and_scikit_learn() -> None:
    transform = make("robust_scale")
    found = transform.apply(NUMBERS, transform.fit(NUMBERS)).array
    assert np.allclose(found, GOLDEN["robust_realmlp"], rtol=1e-12, atol=1e-12)
    spread = [0, 1, 2]  # where the interquartile range is not 0
    assert np.allclose(found[:, spread], GOLDEN["robust_scikit_learn"][:, spread], rtol=1e-12)


@pytest.mark.parametrize("name", ["quantiles", "tree", "class_tree"])
def test_bins_and_encoding_are_those_of_the_paper(name: str) -> None:
    fields = {"knots": "tree", "min_rows": 10} if "tree" in name else {}
    transform = make("piecewise_linear", bins=8, columns=COLUMNS[:3], **fields)
    state = transform.fit_to_target(
        NUMBERS, TARGETS["classes" if name == "class_tree" else "numbers"]
    )
    knots = [GOLDEN[f"piecewise_{name}_{i}"] for i in range(3)]
    for side, ends in (("lower", slice(None, -1)), ("upper", slice(1, None))):
        expected = np.concatenate([column[ends] for column in knots])
        assert np.allclose(state[side], expected, rtol=1e-12)
    found = transform.apply(NUMBERS, state)
    assert np.allclose(found.array[:, 5:], GOLDEN[f"piecewise_{name}"], rtol=1e-9, atol=1e-12)
    assert np.array_equal(found.array[:, :5], NUMBERS.array)


@given(
    x=hnp.arrays(np.float64, st.integers(4, 60), elements=st.sampled_from([0.0] * 6 + [*range(9)])),
    bins=st.integers(1, 8),
)
def test_ties_leave_no_bin_empty(x: np.ndarray, bins: int) -> None:
    distinct = np.unique(x)
    if len(distinct) > bins:
        knots = quantile_knots(x, bins)
        assert len(knots) == bins + 1 and (np.diff(knots) > 0).all()
        assert knots[0] == distinct[0] and knots[-1] == distinct[-1]


@pytest.mark.parametrize(("x", "y", "bins", "knots"), [
    ([0, 0, 0, 1, 1, 1], [0, 0, 9, 9, 9, 9], 2, [0, 0.5, 1]),  # no split between equal numbers
    ([*range(10)], [1e6 + (i > 4) for i in range(10)], 4, [0, 4.5, 9]),  # far from 0
    ([*range(10)], [0.0] * 10, 4, [0, 9]),  # nothing to split for
    ([3, 1, 2, 0], [1, 0, 1, 0], 2, [0, 1.5, 3]),  # in any order
])  # fmt: skip
def test_knots_of_a_tree_stand_where_the_target_changes(x, y, bins, knots) -> None:
    found = tree_knots(np.array(x, float), np.array(y, float)[:, None], bins, 1)
    assert found.tolist() == knots


def test_a_column_with_as_many_values_as_bins_is_left_alone() -> None:
    features = Features(np.tile(np.arange(4.0), 3)[:, None], ("a",))
    assert make("piecewise_linear", bins=4).fit(features)["names"] == []
    assert make("piecewise_linear", bins=3).fit(features)["names"] == ["a#1", "a#2", "a#3"]


def test_a_column_for_which_a_tree_has_no_split_is_left_alone() -> None:
    features = Features(np.arange(40.0)[:, None], ("a",))
    transform = make("piecewise_linear", bins=4, knots="tree", min_rows=1)
    assert transform.fit_to_target(features, Target(np.ones((40, 1))))["names"] == []


def test_several_numbers_to_predict_count_alike_whatever_their_units() -> None:
    rows = np.arange(40)
    y = np.stack([rows > 19, rows > 19, 1000 * (rows > 29)], axis=1).astype(float)
    transform = make("piecewise_linear", bins=2, knots="tree", min_rows=1)
    state = transform.fit_to_target(Features(rows[:, None] * 1.0, ("a",)), Target(y))
    assert state["lower"].tolist() == [0, 19.5]


def test_a_single_training_row_learns_from_itself() -> None:
    city = Features(np.zeros((1, 0)), (), {"city": Category(np.array([0]), ("a",))})
    transform, target = make("target_statistics", smoothing=1.0), Target(np.array([[3.0]]))
    state = transform.fit_to_target(city, target)
    assert transform.apply_in_training(city, state, target).array.tolist() == [[3]]


def test_mostly_zeros_still_get_their_bins() -> None:
    zeros = GOLDEN["x"][:, 3]
    assert len(np.unique(np.quantile(zeros, np.linspace(0, 1, 9)))) < 5
    knots = quantile_knots(zeros, 8)
    assert len(knots) == 9 and max(np.histogram(zeros[zeros != 0], knots)[0]) <= 4


def test_new_numbers_end_at_0_and_1_and_missing_ones_stay_missing() -> None:
    transform = make("piecewise_linear", bins=4)
    state = transform.fit(NUMBERS)
    assert "constant#1" not in state["names"] and state["names"][3:5] == ["normal#4", "wide#1"]
    new = np.array([[-1e300] * 5, [1e300] * 5, [np.nan] * 5])
    bins = transform.apply(Features(new, COLUMNS), state).array[:, 5:]
    assert (bins[0] == 0).all() and (bins[1] == 1).all() and np.isnan(bins[2]).all()


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("smoothing", ["auto", 5.0])
def test_target_statistics_are_scikit_learns(kind: str, smoothing: str | float) -> None:
    transform = make("target_statistics", smoothing=smoothing, folds=4)
    state = transform.fit_to_target(CITY, TARGETS[kind])
    found = transform.apply(CITY, state).array
    assert np.allclose(found, GOLDEN[f"target_{kind}_{smoothing}"], rtol=1e-12)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("smoothing", ["auto", 5.0])
def test_held_out_target_statistics_are_scikit_learns(
    kind: str, smoothing: str | float, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Folds:
        def permutation(self, rows: int) -> np.ndarray:
            return GOLDEN["fold"]

    monkeypatch.setattr("nettrain.transforms.target_statistics.generator", lambda *_: Folds())
    transform = make("target_statistics", smoothing=smoothing, folds=4)
    target = TARGETS[kind]
    state = transform.fit_to_target(CITY, target)
    found = transform.apply_in_training(CITY, state, target).array
    assert np.allclose(found, GOLDEN[f"target_{kind}_{smoothing}_held_out"], rtol=1e-12)


def test_no_training_row_sees_its_own_target() -> None:
    transform, y = make("target_statistics"), GOLDEN["y"][:, None]
    state = transform.fit_to_target(CITY, TARGETS["numbers"])
    before = transform.apply_in_training(CITY, state, Target(y)).array
    for row in (0, 77, 199):
        other = y.copy()
        other[row] += 1000
        after = transform.apply_in_training(CITY, state, Target(other)).array
        assert after[row] == before[row] and (after != before).any()


def test_unseen_categories_get_the_mean_and_missing_ones_their_own() -> None:
    codes = np.array([0, 0, 1, MISSING, MISSING])
    trained = Features(np.zeros((5, 0)), (), {"city": Category(codes, ("a", "b"))})
    transform = make("target_statistics", smoothing=0)
    y = np.array([1.0, 3, 5, 10, 20])[:, None]
    state = transform.fit_to_target(trained, Target(y))
    new = Features(np.zeros((3, 0)), (), {"city": Category(np.array([0, 1, MISSING]), ("a", "z"))})
    got = transform.apply(new, state)
    assert got.array[:, 0].tolist() == [2, 7.8, 15]
    assert got.names == ("city:mean",) and not got.categories


def test_a_run_trains_on_held_out_statistics_and_keeps_what_it_learned(tmp_path: Path) -> None:
    # each category has one row, so its mean would be that row's target
    y = np.random.Generator(np.random.PCG64(3)).normal(size=60)
    rows = "".join(f"{i},row {i},{target}\n" for i, target in enumerate(y))
    (tmp_path / "t.csv").write_text(f"n,id,y\n{rows}", encoding="utf-8")
    source = Source.parse({"type": "csv", "path": str(tmp_path / "t.csv"), "target": "y"})
    chain = (make("target_statistics"), make("piecewise_linear", bins=3, columns=["n"]))
    prepared = prepare(DatasetConfig(source=source, split=Split(validation=0.25), transforms=chain))
    encoded = {name: prepared.parts[name].x[:, 1] for name in ("train", "validation")}
    assert len(np.unique(encoded["train"])) == 5 and len(np.unique(encoded["validation"])) == 1
    packed, arrays = prepared.pipeline.pack()
    again = Pipeline.unpack(json.loads(json.dumps(packed)), arrays)
    assert again.names == ("n", "id:mean", "n#1", "n#2", "n#3")


def test_rare_and_new_categories_are_merged() -> None:
    codes = np.array([0, 0, 0, 1, 1, 2, MISSING])
    trained = Features(np.zeros((7, 0)), (), {"city": Category(codes, ("a", "b", "c"))})
    transform = make("rare_categories", min_count=2)
    state = transform.fit(trained)
    new = Category(np.array([0, 1, 2, 3, MISSING]), ("b", "c", "other", "z"))
    got = transform.apply(Features(np.zeros((5, 0)), (), {"city": new}), state).categories["city"]
    assert [None if code == MISSING else got.values[code] for code in got.codes] == [
        "b",
        "other",
        "other",
        "other",
        None,
    ]


IMAGES = Features(np.zeros((2, 2, 2, 1)))


@pytest.mark.parametrize(
    ("name", "fields", "features", "message"),
    [
        ("piecewise_linear", {}, IMAGES, "it is for tables, not images"),
        ("piecewise_linear", {"knots": "tree"}, NUMBERS, "`knots: tree` needs a target"),
        ("target_statistics", {}, CITY, "it needs a target, which an autoencoder has not"),
    ],
)
def test_what_cannot_be_learned_says_why(
    name: str, fields: dict[str, object], features: Features, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make(name, **fields).fit_to_target(features, None)
