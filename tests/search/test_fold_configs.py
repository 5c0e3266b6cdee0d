"""The configurations of folds: which rows they train on, validate with and are scored on, and that `fit` runs them."""

from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.config.dump import as_yaml
from nettrain.config.load import load
from nettrain.data.loader import Loader
from nettrain.errors import ConfigError, DataError
from nettrain.search.cv.fold_configs import divide_into_folds

CSV = "a,b,who,part,kind\n" + "".join(
    f"{i},{i * i % 7},{i // 4},{('train', 'train', 'validation', 'test')[i % 4]},{'xyz'[i % 3]}\n"
    for i in range(48)
)


@pytest.fixture
def config(tmp_path):
    """A configuration on 48 rows of 3 classes and 12 groups, with changed keys of `dataset` and others."""
    (tmp_path / "t.csv").write_text(CSV)

    def make(dataset=(), **others):
        source = {"type": "csv", "path": str(tmp_path / "t.csv"), "target": "kind"}
        model = {"type": "mlp", "hidden": [3]}
        return load(
            {
                "dataset": {"source": source, "split": "none", **dict(dataset)},
                "model": model,
                "training": {"epochs": 2},
                "seed": 4,
                **others,
            }
        )

    return make


def fold_configs(config, folder, **arguments):
    found = divide_into_folds(config, **arguments)
    return [found.run_config(fold, folder) for fold in found.folds]


def rows_of(found):
    return [{part: set(rows.tolist()) for part, rows in fold.rows.items()} for fold in found.folds]


def test_every_row_outside_the_test_part_is_scored_once_a_repeat(config):
    found = divide_into_folds(
        config({"split": {"validation": 0.25, "test": 0.25}}), folds=3, repeats=2
    )
    pool, test = set(found.pool.tolist()), set(found.test.tolist())
    assert len(test) == 12 and pool | test == set(range(48))
    folds = rows_of(found)
    for repeat in (folds[:3], folds[3:]):
        scored = [row for fold in repeat for row in fold["test"]]
        assert sorted(scored) == sorted(pool)
    assert folds[0]["test"] != folds[3]["test"]
    for fold in folds:
        assert fold["train"] | fold["validation"] | fold["test"] == pool
        assert not fold["train"] & fold["validation"] and not fold["test"] & (
            fold["train"] | fold["validation"]
        )
        assert len(fold["validation"]) == 8  # a third of 24, as the configuration takes 12 of 36


def test_the_test_part_is_the_one_of_a_fit(config, tmp_path):
    given = config({"split": {"validation": 0.25, "test": 0.25}})
    with np.load(
        f"{nettrain.train(given, output_directory=tmp_path).run_directory}/splits.npz"
    ) as splits:
        assert np.array_equal(divide_into_folds(given, folds=3).test, splits["test"])


@pytest.mark.parametrize(
    "split",
    [{"column": "part"}, {"rows": {"train": [0, 24], "validation": [24, 36], "test": [36, 48]}}],
    ids=str,
)
def test_parts_that_a_column_or_ranges_give_are_pooled_too(config, split):
    found = divide_into_folds(config({"split": split}), folds=4)
    assert len(found.pool) == 36 and len(found.test) == 12
    assert all(
        len(fold["validation"]) == 9 for fold in rows_of(found)
    )  # a third of 27, as 12 of 36
    assert all(
        "test" in fold and not fold["test"] & set(found.test.tolist()) for fold in rows_of(found)
    )


def test_without_a_validation_part_folds_have_none(config):
    assert all(
        set(fold) == {"train", "test"} for fold in rows_of(divide_into_folds(config(), folds=3))
    )


def test_the_default_split_keeps_a_test_part_out_of_all_folds(config):
    found = divide_into_folds(config({"split": {}}), folds=3)
    assert (len(found.pool), len(found.test)) == (38, 10)
    sizes = [{part: len(rows) for part, rows in fold.items()} for fold in rows_of(found)]
    assert sizes[0] == {"train": 18, "validation": 7, "test": 13}


@pytest.mark.parametrize("where", ["argument", "config"])
def test_groups_stay_together_in_folds_and_in_their_validation(config, where):
    split = {"validation": 0.25} | ({"group": "who"} if where == "config" else {})
    found = divide_into_folds(
        config({"split": split}), folds=3, group="who" if where == "argument" else None
    )
    for fold in rows_of(found):
        groups = [{row // 4 for row in rows} for rows in fold.values()]
        assert sum(map(len, groups)) == len(set.union(*groups)) == 12


def test_folds_are_stratified_unless_told_otherwise(config):
    balanced = [
        np.bincount(np.array(sorted(fold["test"])) % 3).tolist()
        for fold in rows_of(divide_into_folds(config(), folds=4))
    ]
    assert balanced == [[4, 4, 4]] * 4
    plain = [
        np.bincount(np.array(sorted(fold["test"])) % 3, minlength=3).tolist()
        for fold in rows_of(divide_into_folds(config(), folds=4, stratify=False))
    ]
    assert plain != balanced


def test_a_limit_is_applied_before_the_folds(config):
    found = divide_into_folds(config({"limit": 24, "split": {"test": 0.25}}), folds=3)
    assert (len(found.pool), len(found.test)) == (18, 6)


def test_each_configuration_is_one_that_fit_takes_and_gives_the_fold_s_rows(config, tmp_path):
    given = config({"split": {"validation": 0.25, "test": 0.25}, "limit": 40})
    found = fold_configs(given, tmp_path / "splits", folds=2, repeats=2, loader=Loader())
    assert [mapping["seed"] for mapping in found] == [4, 4, 5, 5] and {
        mapping["dataset"]["seed"] for mapping in found
    } == {4}
    plan = divide_into_folds(given, folds=2, repeats=2)
    for mapping, fold in zip(found, plan.folds, strict=True):
        (tmp_path / "fold.yaml").write_text(as_yaml(mapping))
        result = nettrain.train(tmp_path / "fold.yaml", output_directory=tmp_path)
        with np.load(f"{result.run_directory}/splits.npz") as splits:
            assert {part: splits[part].tolist() for part in splits} == {
                part: rows.tolist() for part, rows in fold.rows.items()
            }
    assert Path(found[3]["dataset"]["split"]["file"]).name == "repeat-2-fold-2.npz"


def test_a_test_source_is_no_part_of_a_fold_and_a_validation_source_of_every_one(tmp_path):
    moons = {"type": "moons", "rows": 30}
    given = load(
        {
            "dataset": {"source": "moons", "test_source": moons, "validation_source": moons},
            "model": {"type": "mlp", "hidden": [2]},
            "training": {"epochs": 1},
        }
    )
    found = divide_into_folds(given, folds=2)
    assert len(found.test) == 30 and [len(fold.rows["validation"]) for fold in found.folds] == [
        30,
        30,
    ]
    mapping = found.run_config(found.folds[0], tmp_path)
    assert mapping["dataset"]["test_source"] is None
    result = nettrain.train(mapping, output_directory=tmp_path)
    with np.load(f"{result.run_directory}/splits.npz") as splits:
        assert np.array_equal(splits["test"], found.folds[0].rows["test"])


def test_columns_of_the_split_are_features_in_no_fold(config, tmp_path):
    found = fold_configs(config({"split": {"column": "part"}}), tmp_path, folds=2, group="who")
    result = nettrain.train(found[0], output_directory=tmp_path)
    assert nettrain.load(result.run_directory).pipeline.names == ("a", "b")


def test_rows_are_written_once(config, tmp_path):
    first = fold_configs(config(), tmp_path, folds=2)
    path = Path(first[0]["dataset"]["split"]["file"])
    before = path.stat().st_mtime_ns
    fold_configs(config(), tmp_path, folds=2)
    assert path.stat().st_mtime_ns == before
    fold_configs(config(seed=9), tmp_path, folds=2)
    assert path.stat().st_mtime_ns != before


def test_mistakes_are_told(config, tmp_path):
    with pytest.raises(
        ConfigError, match=r"dataset\.split\.group is 'who', and groups can be of one column only"
    ):
        divide_into_folds(config({"split": {"group": "who"}}), folds=2, group="part")
    with pytest.raises(ConfigError, match=r"dataset\.split\.time: folds are drawn at random"):
        divide_into_folds(config({"split": {"time": "a"}}), folds=2)
    np.savez(tmp_path / "twice.npz", train=[0, 1, 1, 2, 3])
    with pytest.raises(DataError, match=r"twice\.npz: a row occurs twice in it"):
        divide_into_folds(config({"split": {"file": str(tmp_path / "twice.npz")}}), folds=2)
    with pytest.raises(DataError, match="class 'x' has 16 rows for 17 folds"):
        divide_into_folds(config(), folds=17)
