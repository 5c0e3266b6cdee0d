import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.data.dataset import Dataset
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.divide import load_data
from nettrain.data.features import Category, Features
from nettrain.data.part import Part
from nettrain.data.pipeline import Pipeline
from nettrain.data.prepare import PreparedData, prepare
from nettrain.data.source import Source
from nettrain.data.split import ALL_ROWS, RowRanges, Split
from nettrain.data.target import Target
from nettrain.data.task import TargetRequirements, resolve
from nettrain.data.transform import Transform
from nettrain.errors import CheckpointError, ConfigError, DataError, NettrainError
from nettrain.inference.predictor import Predictor

MEMORY = Source.parse("memory")

ALL = ("classification", "regression", "multilabel")
MIXED = "a,b,city,y\n" + "".join(
    f"{i},{'' if i % 5 == 0 else i * i},{'Oslo' if i % 3 else 'Bern'},{i / 4}\n" for i in range(40)
)


def table(folder: Path, content: str = MIXED, **fields: object) -> Source:
    (folder / "t.csv").write_text(content, encoding="utf-8")
    return Source.parse({"type": "csv", "path": str(folder / "t.csv"), "target": "y", **fields})


def numbers(*columns: object) -> Target:
    return Target(
        np.stack([np.asarray(column, np.float64) for column in columns], axis=1),
        tuple(f"y{i}" for i in range(len(columns))),
    )


# The target, what the loss takes (None: anything), and the task.
TASKS = {
    "texts": (Target(np.array([0, 1]), classes=("a", "b")), None, "classification"),
    "few whole numbers": (numbers([3, 4, 8]), None, "classification"),
    "few whole numbers under a loss for numbers": (
        numbers([3, 4, 8]),
        ("regression",),
        "regression",
    ),
    "twenty whole numbers": (numbers(range(20)), None, "classification"),
    "many whole numbers": (numbers(range(21)), None, "regression"),
    "many whole numbers under a loss for classes": (
        numbers(range(21)),
        ("classification",),
        "classification",
    ),
    "fractions": (numbers([0.5, 1, 2]), ALL, "regression"),
    "columns of 0 and 1": (numbers([0, 1], [1, 1]), None, "multilabel"),
    "columns of 0 and 1 under a loss for numbers": (
        numbers([0, 1], [1, 1]),
        ("regression",),
        "regression",
    ),
    "one column of 0 and 1": (numbers([0, 1]), None, "classification"),
    "one column of 0 and 1 under a loss for labels": (
        numbers([0, 1]),
        ("multilabel",),
        "multilabel",
    ),
    "columns of numbers": (numbers([0, 1], [2, 1]), None, "regression"),
}


@pytest.mark.parametrize("case", TASKS)
def test_the_target_and_the_loss_settle_the_task(case: str) -> None:
    target, tasks, expected = TASKS[case]
    requirements = None if tasks is None else TargetRequirements("the_loss", tasks)
    task, settled, _ = resolve(target, requirements)
    assert task == expected and (settled.classes is not None) == (expected == "classification")


def test_whole_numbers_become_classes_named_after_them_and_it_is_said() -> None:
    _, target, notes = resolve(numbers([8, 3, 4, 3]), None)
    assert target.classes == ("3", "4", "8") and target.values.tolist() == [2, 0, 1, 0]
    assert notes == [
        "target 'y0': integers with 3 distinct values, taken as classes; set `loss: mse` to predict "
        "numbers"
    ]


MISFITS = {
    "numbers under a loss for classes": (
        numbers([0.5, 1.5]),
        ("classification",),
        "cross_entropy",
        "target 'y0' holds numbers",
        "`loss: mse`",
    ),
    "texts under a loss for numbers": (
        Target(np.array([0, 1, 2]), classes=("a", "b", "c")),
        ("regression",),
        "mse",
        "'target' holds strings with 3 distinct values",
        "`loss: cross_entropy`",
    ),
    "labels under a loss for classes": (
        numbers([0, 1], [1, 1]),
        ("classification",),
        "cross_entropy",
        "2 columns of 0 and 1",
        "`loss: binary_cross_entropy`",
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_a_loss_that_does_not_fit_names_the_one_that_does(case: str) -> None:
    target, tasks, loss, problem, remedy = MISFITS[case]
    with pytest.raises(ConfigError) as caught:
        resolve(target, TargetRequirements(loss, tasks))
    assert (
        str(caught.value).startswith(f"loss: {loss} is for")
        and problem in str(caught.value)
        and remedy in str(caught.value)
    )


def test_one_class_only_is_an_error() -> None:
    with pytest.raises(
        DataError, match="every row has the class 'b'; a classifier needs at least two"
    ):
        resolve(Target(np.array([1, 1]), classes=("a", "b")), None)
    with pytest.raises(DataError, match="every row has the class '7'"):
        resolve(numbers([7, 7]), None)


def same(first: PreparedData, second: PreparedData) -> bool:
    return first.fingerprint == second.fingerprint and all(
        np.array_equal(part.x, second.parts[name].x)
        and np.array_equal(part.y, second.parts[name].y)
        for name, part in first.parts.items()
    )


def test_preparing_depends_on_the_seed_alone(tmp_path: Path) -> None:
    made = [
        prepare(
            DatasetConfig(source=table(tmp_path), split=Split(validation=0.25, test=0.25)),
            seed=seed,
        )
        for seed in (0, 0, 1)
    ]
    assert same(made[0], made[1]) and not np.array_equal(made[0].rows["test"], made[2].rows["test"])


def test_transforms_are_fitted_on_the_training_part_only(tmp_path: Path) -> None:
    made = prepare(
        DatasetConfig(
            source=table(tmp_path, "a,y\n1,0\n3,1\n1000,0\n", header=True),
            split=Split(rows=RowRanges(train=(0, 2), test=(2, 3))),
        )
    )
    assert made.parts["train"].x.tolist() == [[-1], [1]] and made.parts["test"].x.tolist() == [
        [998]
    ]


def test_a_table_gets_the_transforms_it_needs(tmp_path: Path) -> None:
    made = prepare(
        DatasetConfig(source=table(tmp_path), split=Split(validation=0.25)), dtype="float64"
    )
    assert [fitted.transform.name() for fitted in made.pipeline.transforms] == [
        "impute",
        "standardize",
        "one_hot",
    ]
    assert made.pipeline.names == ("a", "b", "city=Bern", "city=Oslo") and made.pipeline.shape == (
        4,
    )
    x = made.parts["train"].x
    assert (
        np.allclose(x[:, :2].mean(axis=0), 0)
        and np.allclose(x[:, :2].std(axis=0), 1)
        and set(x[:, 2:].ravel()) == {0, 1}
    )
    assert "transforms: impute, standardize, one_hot" in "\n".join(made.notes)


def test_a_text_column_that_names_its_rows_is_pointed_out(tmp_path: Path) -> None:
    content = "a,name,city,y\n" + "".join(f"{i},n{i},c{i % 3},{i % 2}\n" for i in range(30))
    notes = [
        note
        for note in prepare(DatasetConfig(source=table(tmp_path, content), split=ALL_ROWS)).notes
        if "`ignore`" in note
    ]
    assert notes == [
        "column 'name' has 30 distinct values in 30 training rows and is left out; if it is an ID, "
        "list it under the source's `ignore`; words of free text become inputs by the transform "
        "hash_words"
    ]


@pytest.mark.parametrize(("largest", "divisor"), [(255, 255), (128, 255), (16, 16), (1, 1)])
def test_pixels_are_scaled_by_their_range(largest: int, divisor: int) -> None:
    x = np.full((4, 2, 2), largest, np.uint8)
    made = prepare(DatasetConfig(source=MEMORY), data=(x, [0, 1, 0, 1]))
    assert (
        np.allclose(made.parts["train"].x, largest / divisor)
        and made.parts["train"].x.dtype == np.float32
    )


def test_pixels_within_one_stay_as_they_are() -> None:
    x = np.linspace(-1, 1, 16).reshape(4, 2, 2).astype(np.float32)
    assert np.array_equal(
        prepare(DatasetConfig(source=MEMORY), data=(x, [0, 1, 0, 1])).parts["train"].x[..., 0], x
    )


def test_regression_targets_are_standardised_and_restored(tmp_path: Path) -> None:
    made = prepare(DatasetConfig(source=table(tmp_path), split=Split(test=0.25)), dtype="float64")
    train, test = made.parts["train"], made.parts["test"]
    assert train.y.mean() == pytest.approx(0) and train.y.std() == pytest.approx(1)
    assert np.allclose(made.pipeline.restore(test.y), test.truth) and np.allclose(
        test.truth[:, 0], made.rows["test"] / 4
    )


def test_arrays_in_memory_are_a_source_too() -> None:
    made = prepare(
        DatasetConfig(source=MEMORY, split=Split(test=0.5, stratify=True)),
        data=(np.arange(12.0).reshape(6, 2), ["a", "b", "a", "b", "a", "b"]),
    )
    assert made.parts["train"].x.shape[1:] == (2,) and made.pipeline.schema.classes == ("a", "b")
    assert np.bincount(made.parts["test"].y).tolist() in ([2, 1], [1, 2])
    with pytest.raises(DataError, match="x has 3 rows and y has 2"):
        prepare(DatasetConfig(source=MEMORY), data=(np.eye(3), [0, 1]))


def test_parts_from_sources_of_their_own_keep_their_rows(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("y,city,b,a\n2.5,Oslo,4,2\n", encoding="utf-8")
    other = Source.parse({"type": "csv", "path": str(tmp_path / "test.csv")})
    made = load_data(
        DatasetConfig(source=table(tmp_path), test_source=other, split=Split(validation=0.5)), 0
    )
    assert made.datasets["test"].features.numbers.tolist() == [[2, 4]] and made.datasets[
        "test"
    ].target.values.tolist() == [[2.5]]
    assert {part: len(rows) for part, rows in made.rows.items()} == {
        "train": 20,
        "validation": 20,
        "test": 1,
    }


def test_a_generated_validation_part_does_not_repeat_the_training_rows() -> None:
    made = load_data(
        DatasetConfig(source=Source.parse("moons"), validation_source=Source.parse("moons")), 0
    )
    assert not np.isin(
        made.datasets["validation"].features.numbers, made.datasets["train"].features.numbers
    ).any()


def test_limit_keeps_the_shares_of_the_parts() -> None:
    made = prepare(
        DatasetConfig(
            source=Source.parse("digits"), split=Split(validation=0.2, test=0.2), limit=100
        )
    )
    assert {part: len(rows) for part, rows in made.rows.items()} == {
        "train": 60,
        "validation": 20,
        "test": 20,
    }
    whole = prepare(
        DatasetConfig(source=Source.parse("digits"), split=Split(validation=0.2, test=0.2))
    )
    assert all(np.isin(rows, whole.rows[part]).all() for part, rows in made.rows.items())
    assert made.fingerprint == whole.fingerprint


def test_a_changed_number_text_or_label_changes_the_fingerprint(tmp_path: Path) -> None:
    contents = [
        MIXED,
        MIXED.replace("7,49", "7,48"),
        MIXED.replace("Bern", "Basel"),
        MIXED.replace(",9.75", ",9.5"),
    ]
    assert (
        len(
            {
                load_data(DatasetConfig(source=table(tmp_path, content)), 0).fingerprint
                for content in contents
            }
        )
        == 4
    )


def test_a_split_column_divides_and_is_no_feature(tmp_path: Path) -> None:
    content = "a,fold,y\n" + "".join(
        f"{i},{'test' if i % 4 == 0 else 'train'},{i % 2}\n" for i in range(12)
    )
    made = prepare(DatasetConfig(source=table(tmp_path, content), split=Split(column="fold")))
    assert made.rows["test"].tolist() == [0, 4, 8] and made.pipeline.names == ("a",)


def test_groups_stay_together_and_their_column_is_no_feature(tmp_path: Path) -> None:
    content = "a,who,y\n" + "".join(f"{i},{i // 3},{i % 2}\n" for i in range(60))
    made = prepare(
        DatasetConfig(
            source=table(tmp_path, content), split=Split(group="who", test=0.25, validation=0.25)
        )
    )
    assert (
        made.pipeline.names == ("a",)
        and "groups of 'who': train 10, validation 5, test 5" in made.notes
    )
    groups = [{row // 3 for row in rows.tolist()} for rows in made.rows.values()]
    assert sorted(map(len, groups)) == [5, 5, 10] and len(set.union(*groups)) == 20


BAD = {
    "NaN without impute": (
        MIXED,
        {"transforms": ["standardize", "one_hot"]},
        "t.csv:2: column 'b' is missing or NaN",
        "add impute",
    ),
    "texts left": (
        MIXED,
        {"transforms": ["impute"]},
        "in the columns 'city'; add one_hot",
        "`ignore`",
    ),
    "too large for float32": (
        "a,y\n1,0\n1e300,1\n",
        {"transforms": []},
        "t.csv:3: column 'a' is infinite in float32",
        "correct the value",
    ),
    "an unknown column": (
        MIXED,
        {"transforms": [{"type": "scale", "columns": ["bb"]}]},
        "no column 'bb'; did you mean 'b'?",
        "a, b",
    ),
    "no inverse for the target": (
        MIXED,
        {"target_transforms": ["impute"]},
        "target_transforms: impute cannot be inverted",
        "leave",
    ),
    "classes to scale": (
        "a,y\n1,0\n2,1\n",
        {"target_transforms": ["scale"]},
        "only regression scales targets",
        "leave it out",
    ),
    "no split column": (
        MIXED,
        {"split": Split(column="fold")},
        "dataset.split: no column 'fold'",
        "there are: a, b",
    ),
    "stratified numbers": (
        MIXED,
        {"split": Split(test=0.5, stratify=True)},
        "only classes have proportions to keep",
        "leave stratify out",
    ),
    "a share beside a source": (
        MIXED,
        {"split": Split(test=0.5), "test_source": "sine"},
        "test_source is given too",
        "leave one",
    ),
    "no logarithm": (
        "a,y\n1,0\n0,1\n-3,0\n",
        {"transforms": ["log"]},
        "t.csv:4: column 'a': no logarithm of -3 + shift 1",
        "set log.shift above 3",
    ),
    "no logarithm within a chain": (
        "a,y\n1,0\n-3,0\n2,1\n",
        {"transforms": ["log", "standardize"]},
        "t.csv:3: column 'a': no logarithm",
        "log.columns",
    ),
    "no logarithm of the target": (
        "a,y\n1,0.5\n-3,-2.5\n2,1\n",
        {"target_transforms": ["log"]},
        "t.csv:3: column 'y': no logarithm of -2.5",
        "above 2.5",
    ),
    "no logarithm of a target to validate with": (
        "a,y\n1,0.5\n2,1.5\n3,-2.5\n",
        {
            "target_transforms": ["log", "clamp"],
            "split": Split(rows=RowRanges(train=(0, 2), validation=(2, 3))),
        },
        "t.csv:4: column 'y': no logarithm of -2.5",
        "above 2.5",
    ),
    "no logarithm of a target to test with": (
        "a,y\n1,0.5\n2,1.5\n3,-2.5\n",
        {"target_transforms": ["log"], "split": Split(rows=RowRanges(train=(0, 2), test=(2, 3)))},
        "t.csv:4: column 'y': no logarithm of -2.5",
        "above 2.5",
    ),
    "one class": ("a,y\n1,0\n2,0\n", {}, "every row has the class '0'", "at least two"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_prepared_says_why(case: str, tmp_path: Path) -> None:
    content, arguments, problem, remedy = BAD[case]
    kinds = {"transforms": Transform, "target_transforms": Transform}
    parsed = {
        key: [kinds[key].parse(item) for item in value] if key in kinds else value
        for key, value in arguments.items()
    }
    if "test_source" in parsed:
        parsed["test_source"] = Source.parse(parsed["test_source"])
    with pytest.raises(NettrainError) as caught:
        prepare(DatasetConfig(source=table(tmp_path, content), **parsed))
    assert problem in str(caught.value) and remedy in str(caught.value)


def test_gather_copies_the_chosen_rows_into_buffers() -> None:
    part = Part(np.arange(12.0).reshape(6, 2), np.arange(6))
    x, y = np.full((3, 2), np.nan), np.full(3, -1)
    part.gather(np.array([4, 0, 1]), x, y)
    assert x.tolist() == [[8, 9], [0, 1], [2, 3]] and y.tolist() == [4, 0, 1] and len(part) == 6


CHAINS = {
    "automatic": None,
    "logarithms": [
        {"type": "impute", "strategy": "constant"},
        {"type": "log", "shift": 0.5},
        "quantile",
        "one_hot",
    ],
    "flags": [{"type": "impute", "flag": True}, "center", {"type": "clip", "high": 3}, "one_hot"],
    "named": [
        "impute",
        {"type": "minmax", "columns": ["b"]},
        {"type": "scale", "divide_by": 4},
        "one_hot",
    ],
}


@pytest.mark.parametrize("case", CHAINS)
def test_a_pipeline_survives_packing(case: str, tmp_path: Path) -> None:
    chain = CHAINS[case]
    transforms = None if chain is None else tuple(map(Transform.parse, chain))
    config = DatasetConfig(source=table(tmp_path), split=Split(test=0.25), transforms=transforms)
    loaded, made = load_data(config, 0), prepare(config)
    packed, arrays = made.pipeline.pack()
    again = Pipeline.unpack(json.loads(json.dumps(packed)), arrays)
    part = again.part(loaded.datasets["test"], "float32")
    assert again.schema == made.pipeline.schema and again.names == made.pipeline.names
    assert np.array_equal(part.x, made.parts["test"].x) and np.array_equal(
        part.y, made.parts["test"].y
    )
    assert np.array_equal(again.restore(part.y), made.pipeline.restore(made.parts["test"].y))


def damage(packed: dict, arrays: dict, what: str) -> tuple[object, dict]:
    if what == "nothing at all":
        return None, arrays
    if what == "a key is missing":
        return {key: value for key, value in packed.items() if key != "schema"}, arrays
    if what == "a transform is unknown":
        return packed | {
            "transforms": [packed["transforms"][0] | {"transform": {"type": "whiten"}}]
        }, arrays
    if what == "an array is missing":
        return packed, {key: value for key, value in arrays.items() if not key.endswith("unit")}
    if what == "an array is too short":
        return packed, {
            key: value[:1] if key == "transforms.0.fill" else np.zeros(7)
            for key, value in arrays.items()
        }
    if what == "the inputs have another shape":
        return packed | {"shape": [9]}, arrays
    return packed | {"schema": packed["schema"] | {"shape": [10**12]}}, arrays


@pytest.mark.parametrize(
    "what",
    [
        "nothing at all",
        "a key is missing",
        "a transform is unknown",
        "an array is missing",
        "an array is too short",
        "the inputs have another shape",
        "a row of terabytes",
    ],
)
def test_a_damaged_pipeline_is_refused(what: str, tmp_path: Path) -> None:
    packed, arrays = prepare(DatasetConfig(source=table(tmp_path))).pipeline.pack()
    with pytest.raises(CheckpointError, match="damaged"):
        Pipeline.unpack(*damage(json.loads(json.dumps(packed)), arrays, what))


def test_images_of_many_portions_pass_like_one_by_one() -> None:
    x = np.random.Generator(np.random.PCG64(0)).integers(0, 256, (5000, 2, 2), dtype=np.uint8)
    made = prepare(
        DatasetConfig(source=MEMORY, transforms=[Transform.parse("standardize")], split=ALL_ROWS),
        data=(x, np.arange(5000) % 2),
    )
    last = Features(x[4999:, :, :, np.newaxis])
    assert np.array_equal(made.parts["train"].x[4999:], made.pipeline.inputs(last, "float32"))


def test_a_gap_far_down_in_images_is_named() -> None:
    x = np.zeros((5000, 2, 2), np.float32)
    x[4500, 1, 0] = np.nan
    with pytest.raises(DataError, match=r"data: row 4500: pixel \[1, 0, 0\] is missing or NaN"):
        prepare(DatasetConfig(source=MEMORY, transforms=[]), data=(x, np.arange(5000) % 2))


def test_a_pipeline_whose_logarithm_has_no_0_survives_packing(tmp_path: Path) -> None:
    content = "a,y\n" + "".join(f"{i + 1},{i + 0.5}\n" for i in range(9))
    chain = [
        Transform.parse({"type": "impute", "strategy": "constant"}),
        Transform.parse({"type": "log", "shift": 0}),
    ]
    made = prepare(
        DatasetConfig(
            source=table(tmp_path, content), transforms=chain, target_transforms=chain[1:]
        ),
        dtype="float64",
    )
    again = Pipeline.unpack(*made.pipeline.pack())
    assert np.array_equal(
        again.restore(made.parts["train"].y), made.pipeline.restore(made.parts["train"].y)
    )
    assert np.allclose(again.restore(made.parts["train"].y), made.parts["train"].truth)


def test_target_transforms_are_undone_in_reverse(tmp_path: Path) -> None:
    chain = [Transform.parse("standardize"), Transform.parse({"type": "minmax", "low": -1})]
    made = prepare(DatasetConfig(source=table(tmp_path), target_transforms=chain), dtype="float64")
    train = made.parts["train"]
    assert (
        train.y.min() == -1
        and train.y.max() == 1
        and np.allclose(made.pipeline.restore(train.y), train.truth)
    )


def test_predictions_are_clamped_to_the_targets_of_training_and_validation(tmp_path: Path) -> None:
    content = "a,y\n" + "".join(f"{i},{y}\n" for i, y in enumerate([1.5, 2.5, 2, 9.5, 50.5]))
    ranges = RowRanges(train=(0, 3), validation=(3, 4), test=(4, 5))
    chain = tuple(map(Transform.parse, ("clamp", {"type": "scale", "divide_by": 2})))
    made = prepare(
        DatasetConfig(
            source=table(tmp_path, content), split=Split(rows=ranges), target_transforms=chain
        )
    )
    assert made.parts["test"].y == pytest.approx(50.5 / 2)  # the loss is that of the target itself
    restored = made.pipeline.restore(np.array([[-7.0], [2], [30]]))
    assert restored.tolist() == [[1.5], [4], [9.5]]
    assert any("'y' are clamped to [1.5, 9.5]" in note for note in made.notes)


def test_a_prediction_row_with_a_gap_is_named(tmp_path: Path) -> None:
    pipeline = prepare(DatasetConfig(source=table(tmp_path, "a,y\n1,0\n2,1\n"))).pipeline
    with pytest.raises(DataError, match=r"new\.csv:7: column 'a' is missing or NaN"):
        pipeline.part(
            Dataset(
                Features(np.array([[1.0], [np.nan]]), ("a",)),
                None,
                origin="new.csv",
                lines=np.array([6, 7]),
            ),
            "float32",
        )


def test_rows_to_predict_have_no_truth(tmp_path: Path) -> None:
    pipeline = prepare(DatasetConfig(source=table(tmp_path))).pipeline
    city = Category(np.array([0]), ("Oslo",))
    part = pipeline.part(
        Dataset(Features(np.array([[1.0, 2.0]]), ("a", "b"), {"city": city}), None), "float32"
    )
    assert part.y is None and part.truth is None and part.x.shape == (1, 4)


DATA = Path(os.environ.get("NETTRAIN_DATA", ""))
REAL = {
    "titanic": (
        {
            "path": "tables/titanic.csv",
            "target": "Survived",
            "ignore": ["PassengerId", "Name", "Ticket", "Cabin"],
        },
        (891, 10),
        ("0", "1"),
    ),
    "adult": (
        {"path": "tables/adult.data.gz", "header": False, "target": -1},
        (32561, 105),
        ("<=50K", ">50K"),
    ),
    "wine": (
        {"path": "tables/winequality-red.csv", "target": "quality"},
        (1599, 11),
        tuple("345678"),
    ),
    "auto_mpg": (
        {"path": "tables/auto_mpg.csv", "target": "mpg", "ignore": "name"},
        (398, 9),
        None,
    ),
    "wdbc": (
        {"path": "tables/wdbc.csv", "target": "diagnosis", "ignore": "id"},
        (569, 30),
        ("B", "M"),
    ),
    "optdigits": (
        {"path": "optdigits/optdigits.tra", "target": -1},
        (3823, 64),
        tuple("0123456789"),
    ),
    "semeion": (
        {"path": "semeion/semeion.csv", "target": "digit"},
        (1593, 256),
        tuple("0123456789"),
    ),
}


@pytest.mark.skipif(not os.environ.get("NETTRAIN_DATA"), reason="NETTRAIN_DATA is not set")
@pytest.mark.parametrize("name", REAL)
def test_real_tables_load_whole(name: str) -> None:
    fields, shape, classes = REAL[name]
    source = Source.parse({"type": "csv", **fields}).absolute(DATA)
    made = prepare(DatasetConfig(source=source, split=ALL_ROWS))
    assert made.parts["train"].x.shape == shape and made.pipeline.schema.classes == classes


@pytest.mark.skipif(not os.environ.get("NETTRAIN_DATA"), reason="NETTRAIN_DATA is not set")
def test_adult_has_its_missing_cells_and_its_own_test_file() -> None:
    source = Source.parse({"type": "csv", "path": "tables/adult.data.gz", "target": -1}).absolute(
        DATA
    )
    found = source.load(0)
    gaps = {
        name: int((column.codes < 0).sum()) for name, column in found.features.categories.items()
    }
    assert {name: count for name, count in gaps.items() if count} == {
        "column_1": 1836,
        "column_6": 1843,
        "column_13": 583,
    }
    loaded = load_data(DatasetConfig(source=source), 0)
    again = source.with_path(DATA / "tables/adult.test.gz").load_for(
        loaded.schema, with_target=False
    )
    assert len(again) == 16281
    with pytest.raises(
        DataError, match=r"target 'column_14' holds '<=50K\.', a class that training did not have"
    ):
        load_data(
            DatasetConfig(
                source=source, test_source=replace(source, path=str(DATA / "tables/adult.test.gz"))
            ),
            0,
        )


@pytest.mark.skipif(not os.environ.get("NETTRAIN_DATA"), reason="NETTRAIN_DATA is not set")
def test_mnist_uses_its_official_test_part() -> None:
    made = load_data(DatasetConfig(source=Source.parse("mnist"), split=Split(validation=0.1)), 0)
    assert {part: len(rows) for part, rows in made.rows.items()} == {
        "train": 54000,
        "validation": 6000,
        "test": 10000,
    }
    train = np.concatenate([made.datasets[part].target.values for part in ("train", "validation")])
    assert np.bincount(train).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    with pytest.raises(ConfigError, match="mnist has a predefined test part"):
        load_data(DatasetConfig(source=Source.parse("mnist"), split=Split(test=0.1)), 0)


@pytest.mark.parametrize("chain", [None, ("standardize", "one_hot"), ("impute", "one_hot")])
def test_a_table_of_texts_alone_is_prepared(chain: tuple[str, ...] | None, tmp_path: Path) -> None:
    content = "sky,wind,y\nsun,weak,no\nrain,strong,yes\nrain,weak,yes\nsun,strong,no\n"
    transforms = None if chain is None else tuple(map(Transform.parse, chain))
    config = DatasetConfig(source=table(tmp_path, content), transforms=transforms)
    made = prepare(config)
    assert made.parts["train"].x.tolist() == [
        [0, 1, 0, 1],
        [1, 0, 1, 0],
        [1, 0, 0, 1],
        [0, 1, 1, 0],
    ]
    other = prepare(DatasetConfig(source=table(tmp_path, content.replace("no", "na"))))
    assert other.fingerprint != made.fingerprint


DESCRIBED = {
    "strings": (
        Target(np.array([0, 1, 0]), classes=("no", "yes")),
        "target 'target': strings with 2 distinct values, taken as classes",
    ),
    "booleans": (
        Target(np.array([[0.0], [1.0], [0.0]]), label_type="boolean"),
        "target 'target': booleans with 2 distinct values, taken as classes; set `loss: mse` to "
        "predict numbers",
    ),
    "few integers": (
        numbers([*range(18), 0]),
        "target 'y0': integers with 18 distinct values, taken as classes; set `loss: mse` to "
        "predict numbers",
    ),
    "many integers": (
        numbers([*range(26), 0]),
        "target 'y0': integers with 26 distinct values, taken as numbers; set `loss: cross_entropy` "
        "to predict classes",
    ),
    "fractions": (numbers([0.5, 1, 2]), "target 'y0': numbers, taken as numbers"),
    "labels": (
        numbers([0, 1, 1], [1, 1, 0]),
        "target 'y0', 'y1': 2 columns of 0 and 1, taken as independent labels; set `loss: mse` to "
        "predict numbers",
    ),
    "one-hot columns": (
        numbers([0, 1, 1], [1, 0, 0]),
        "target 'y0', 'y1': 2 one-hot columns (a single 1 in each row), taken as classes; set "
        "`loss: binary_cross_entropy` to predict independent labels",
    ),
    "columns of numbers": (
        numbers([0, 1], [0.5, 2]),
        "target 'y0', 'y1': 2 columns of numbers, taken as numbers",
    ),
}


@pytest.mark.parametrize("case", DESCRIBED)
def test_how_a_target_was_understood_is_always_said(case: str) -> None:
    target, note = DESCRIBED[case]
    assert resolve(target, None)[2] == [note]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("target_0", "target_1", "target_2"), ("0", "1", "2")),
        (("red", "green", "blue"), ("red", "green", "blue")),
    ],
)
def test_one_hot_columns_are_classes_named_by_their_columns(
    names: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    target = Target(np.eye(3)[[2, 0, 1, 2]], names)
    for requirements in (None, TargetRequirements("cross_entropy", ("classification",))):
        task, settled, _ = resolve(target, requirements)
        assert task == "classification" and settled.classes == expected
        assert settled.values.tolist() == [2, 0, 1, 2]
    labels = TargetRequirements("binary_cross_entropy", ("multilabel",))
    assert resolve(target, labels)[0] == "multilabel"


@pytest.mark.parametrize("kind", ["arrays", "csv"])
def test_a_model_of_one_hot_columns_is_trained_and_evaluated_on_them(
    kind: str, tmp_path: Path
) -> None:
    x, codes = np.arange(12.0)[:, np.newaxis], np.arange(12) % 3
    y = np.eye(3)[codes]
    fields: dict[str, object] = {"type": "memory"}
    if kind == "csv":
        rows = "".join(f"{a:g},{p:g},{q:g},{r:g}\n" for [a], (p, q, r) in zip(x, y, strict=True))
        (tmp_path / "t.csv").write_text("a,p,q,r\n" + rows)
        fields = {"type": "csv", "path": str(tmp_path / "t.csv"), "target": ["p", "q", "r"]}
    config = {
        "dataset": {"source": fields},
        "model": {"type": "mlp", "hidden": [4]},
        "training": {"epochs": 1},
    }
    data = (x, y) if kind == "arrays" else None
    run = nettrain.train(config, data, output_directory=tmp_path / "runs")
    model = nettrain.load(run.run_directory)
    assert model.classes == (("0", "1", "2") if kind == "arrays" else ("p", "q", "r"))
    assert "accuracy" in model.evaluate(x, y)
    with pytest.raises(DataError, match="a single 1 in each row"):
        model.evaluate(x, y + 1)
    if kind == "csv":
        again = model.read(tmp_path / "t.csv", with_target=True)
        assert again.target is not None and again.target.values.tolist() == codes.tolist()
        assert len(model.read(tmp_path / "t.csv", with_target=False)) == 12


def test_a_class_for_each_row_is_refused(tmp_path: Path) -> None:
    content = "a,y\n" + "".join(f"{i},name {i}\n" for i in range(60))
    with pytest.raises(
        DataError, match=r"each of the 60 rows has a class of its own.*name another"
    ):
        prepare(DatasetConfig(source=table(tmp_path, content)))
    codes = TargetRequirements("cross_entropy", ("classification",))
    with pytest.raises(DataError, match="or set `loss: mse`"):
        prepare(DatasetConfig(source=MEMORY), data=(np.eye(30), np.arange(30)), requirements=codes)


GAPS = {
    "numbers": ([1.0, np.nan, 3.5, np.nan], "row 1"),
    "texts": (["a", None, "b", None], "row 1"),
    "columns": ([[1.5, 2], [np.nan, 1], [1, 2], [3, np.nan]], "row 1"),
}


@pytest.mark.parametrize("case", GAPS)
def test_rows_without_a_target_are_refused_or_left_out_and_counted(case: str) -> None:
    y, place = GAPS[case]
    data = (np.arange(4.0), y)
    with pytest.raises(DataError, match=rf"{place}: .*rows like that: 2.*missing_target: drop"):
        prepare(DatasetConfig(source=MEMORY), data=data)
    made = prepare(DatasetConfig(source=MEMORY, missing_target="drop", transforms=()), data=data)
    assert made.parts["train"].x.tolist() == [[0], [2]]
    assert any("missing in 2 of 4 rows, which are left out" in note for note in made.notes)


def test_parts_of_their_own_and_new_files_leave_rows_without_a_target_out_too(
    tmp_path: Path,
) -> None:
    content = "a,y\n" + "".join(f"{i},{'?' if i % 5 == 1 else 'pq'[i % 2]}\n" for i in range(20))
    source = {"type": "csv", "path": str(tmp_path / "t.csv"), "target": "y"}
    table(tmp_path, content)
    config = {
        "dataset": {
            "source": source,
            "test_source": source,
            "missing_target": "drop",
            "split": "none",
        },
        "model": {"type": "mlp", "hidden": [4]},
        "training": {"epochs": 1},
    }
    run = nettrain.train(config, output_directory=tmp_path / "runs")
    model = nettrain.load(run.run_directory)
    assert {part: len(rows) for part, rows in model.training_data.rows.items()} == {
        "train": 16,
        "test": 16,
    }
    read = model.read(tmp_path / "t.csv", with_target=True)
    assert len(read) == 16 and "missing in 4 of 20 rows" in read.notes[-1]
    assert len(model.read(tmp_path / "t.csv", with_target=False)) == 20


def test_a_target_that_is_missing_everywhere_is_refused() -> None:
    with pytest.raises(DataError, match="missing in every row"):
        prepare(DatasetConfig(source=MEMORY, missing_target="drop"), data=(np.eye(2), [np.nan] * 2))


UNTRAINED = {
    "row ranges": {"rows": RowRanges(train=(0, 8), test=(8, 12))},
    "a split column": {"column": "part"},
}


@pytest.mark.parametrize("case", UNTRAINED)
def test_classes_without_a_row_to_train_on_are_named_and_counted(case: str, tmp_path: Path) -> None:
    content = "a,part,y\n" + "".join(
        f"{i},{'test' if i > 7 else 'train'},{'c' if i > 9 else 'ab'[i % 2]}\n" for i in range(12)
    )
    config = DatasetConfig(
        source=table(tmp_path, content, ignore=[] if case == "a split column" else ["part"]),
        split=Split(**UNTRAINED[case]),
    )
    [note] = [note for note in prepare(config).notes if note.startswith("warning")]
    assert "classes without a row to train on: 'c' (test 2)" in note and "stratify: true" in note


def test_a_part_of_classes_that_are_not_trained_is_refused() -> None:
    split = Split(rows=RowRanges(train=(0, 4), test=(4, 6)))
    data = (np.arange(6.0), list("ababcc"))
    with pytest.raises(
        DataError,
        match="no class of the test part has a row to train on: training has 'a', 'b', test has 'c'",
    ):
        prepare(DatasetConfig(source=MEMORY, split=split), data=data)


def image_model(folder: Path, x: np.ndarray) -> Predictor:
    config = {
        "dataset": {"source": "memory", "split": "none"},
        "model": {"type": "mlp", "hidden": [4]},
        "training": {"epochs": 1},
    }
    run = nettrain.train(config, (x, np.arange(len(x)) % 2), output_directory=folder)
    return nettrain.load(run.run_directory)


SHAPES = {
    "the same": ((6, 8, 3), None),
    "flat": ((144,), None),
    "channels first": ((3, 6, 8), "channels last: np.moveaxis"),
    "another shape of as many numbers": ((12, 12), r"rows have the shape \(12, 12, 1\)$"),
    "width and height swapped": ((8, 6, 3), r"rows have the shape \(8, 6, 3\)$"),
    "another number": ((6, 8, 1), r"trained on images of shape \(6, 8, 3\)"),
}


@pytest.mark.parametrize("case", SHAPES)
def test_images_must_have_the_shape_of_training(case: str, tmp_path: Path) -> None:
    shape, problem = SHAPES[case]
    x = np.arange(4 * 144, dtype=np.uint8).reshape(4, 6, 8, 3)
    model = image_model(tmp_path, x)
    other = np.resize(x, (4, *shape))
    if problem is None:
        assert np.array_equal(model.probabilities(other), model.probabilities(x))
    else:
        with pytest.raises(DataError, match=problem):
            model.predict(other)


@pytest.mark.parametrize(
    ("shape", "warned"),
    [((3, 32, 32), True), ((1, 28, 28), True), ((32, 32, 3), False), ((1, 8, 2), False)],
)
def test_images_with_channels_first_are_pointed_out_in_training(
    shape: tuple[int, ...], warned: bool
) -> None:
    made = prepare(DatasetConfig(source=MEMORY), data=(np.ones((4, *shape)), [0, 1, 0, 1]))
    assert any("np.moveaxis(x, 1, -1)" in note for note in made.notes) == warned


@pytest.mark.parametrize(
    ("trained", "given", "warned"),
    [
        (255, 1.0, True),
        (1.0, 255, True),
        (255, 200, False),
        (1.0, 0.5, False),
        (16, 1.0, True),
        (255, 65535, True),
        (65535, 255, True),
        (255, 1000, False),
    ],
)
def test_images_in_another_range_than_those_of_training_are_warned_of(
    trained: float, given: float, warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def images(largest: float) -> np.ndarray:
        x = np.linspace(0, largest, 4 * 16).reshape(4, 4, 4)
        if largest > 255:
            return x.astype(np.uint16)
        return x.astype(np.uint8 if largest == int(largest) > 1 else np.float64)

    model = image_model(tmp_path, images(trained))
    model.predict(images(given))
    assert ("the largest pixel is" in caplog.text) == warned


def test_images_with_channels_first_are_pointed_out_where_the_model_does_not_fit_them(
    tmp_path: Path,
) -> None:
    data = np.ones((4, 3, 32, 32)), [0, 1, 0, 1]
    with pytest.raises(ConfigError, match=r"max_pool: a kernel of 2 x 2 .*\n.*np\.moveaxis"):
        nettrain.train({"model": "cnn"}, data, output_directory=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_without_the_range_of_its_images_loads() -> None:
    x = np.arange(4 * 16, dtype=np.uint8).reshape(4, 4, 4)
    packed, arrays = prepare(
        DatasetConfig(source=MEMORY), data=(x, [0.5, 1.5, 0, 1])
    ).pipeline.pack()
    assert packed["schema"].pop("largest") == 63 and not packed["schema"].pop("autoencoder")
    packed["schema"]["itself"] = True
    schema = Pipeline.unpack(json.loads(json.dumps(packed)), arrays).schema
    assert schema.largest is None and schema.autoencoder
