"""The transforms that a dataset gets when its config names none."""

import numpy as np
import pytest

from nettrain.data.automatic import MOST_INDICATORS, automatic_transforms
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.features import Category, Features
from nettrain.data.prepare import prepare
from nettrain.data.source import Source
from nettrain.data.split import ALL_ROWS
from nettrain.data.transform import Transform
from nettrain.errors import DataError

ROWS = 200


def table(**sizes: int) -> Features:
    """A number, and a column of texts for each number of categories."""
    columns = {
        name: Category(np.arange(ROWS) % size, tuple(f"{name}{i}" for i in range(size)))
        for name, size in sizes.items()
    }
    return Features(np.arange(ROWS, dtype=float)[:, None], ("x",), columns)


CASES = [
    (table(), {}, ["standardize"]),
    (table(few=3), {}, ["standardize", "one_hot"]),
    (table(most=MOST_INDICATORS), {}, ["standardize", "one_hot"]),
    (table(many=MOST_INDICATORS + 1), {}, ["target_statistics", "standardize"]),
    (table(many=80, few=3), {}, ["target_statistics", "standardize", "one_hot"]),
    (table(many=80), {"has_target": False}, ["standardize", "one_hot"]),
    (table(names=ROWS), {}, ["drop", "standardize"]),
    (table(few=3), {"of_numbers": (Transform.parse("robust_scale"),)}, ["robust_scale", "one_hot"]),
    (table(few=3), {"of_numbers": ()}, ["one_hot"]),
]


@pytest.mark.parametrize(("features", "given", "expected"), CASES)
def test_very_many_categories_become_statistics_of_the_target(features, given, expected):
    chosen = automatic_transforms(features, [features], **given)
    assert [one.name() for one in chosen] == expected


@pytest.mark.parametrize("size", [80, ROWS])
def test_a_column_that_a_transform_would_name_needs_a_name(size):
    features = table(**{"": size})
    with pytest.raises(DataError, match=r"column of .* has no name.*name it"):
        automatic_transforms(features, [features])


def test_a_column_without_a_name_is_taken_where_no_transform_names_it():
    features = table(**{"": 3})
    assert len(automatic_transforms(features, [features])) == 2


@pytest.mark.parametrize(("target", "inputs"), [(None, 2), ("self", 81)])
def test_they_take_an_input_each_only_without_a_target(tmp_path, target, inputs):
    path = tmp_path / "t.csv"
    path.write_text("x,shop,y\n" + "".join(f"{i},s{i % 80},{i % 7 + 0.5}\n" for i in range(ROWS)))
    source = {"type": "csv", "path": str(path)} | ({"ignore": ["y"]} if target else {"target": "y"})
    config = DatasetConfig(source=Source.parse(source), target=target, split=ALL_ROWS)
    assert prepare(config).parts["train"].x.shape == (ROWS, inputs)
