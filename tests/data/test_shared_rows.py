"""Rows that processes share: the same rows, one file for all that load them, and no file of small ones."""

import dataclasses

import numpy as np
import pytest

from nettrain.data import shared_rows
from nettrain.data.cache import cached_files
from nettrain.data.dataset import Dataset
from nettrain.data.features import Category, Features
from nettrain.data.shared_rows import shared
from nettrain.data.target import Target


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(shared_rows, "LEAST", 256)
    category = Category(np.arange(64) % 3, ("a", "b", "c"))
    features = Features(
        np.asfortranarray(np.arange(640.0).reshape(64, 10)), categories={"c": category}
    )
    return Dataset(features, Target(np.arange(64) % 2, classes=("no", "yes")), lines=np.arange(64))


def arrays(dataset):
    features = dataset.features
    return features.numbers, features.categories["c"].codes, dataset.target.values


def test_the_rows_are_the_same_and_mapped_from_one_file_each(dataset):
    first, second = shared(dataset), shared(dataset)
    for found in (first, second):
        for array, expected in zip(arrays(found), arrays(dataset), strict=True):
            np.testing.assert_array_equal(array, expected)
            assert array.dtype == expected.dtype and not array.flags.writeable
        assert found.lines is dataset.lines and found.target.classes == ("no", "yes")
    assert [one.kind for one in cached_files()] == ["rows that workers share"] * 3


def test_other_rows_have_another_file_and_a_damaged_one_is_made_again(dataset):
    shared(dataset)
    changed = dataclasses.replace(
        dataset,
        features=dataclasses.replace(dataset.features, numbers=dataset.features.numbers + 1),
    )
    np.testing.assert_array_equal(shared(changed).features.numbers, changed.features.numbers)
    assert len(cached_files()) == 4
    largest = max(cached_files(), key=lambda one: one.size)
    largest.path.write_bytes(b"damaged")
    for one in (dataset, changed):
        np.testing.assert_array_equal(shared(one).features.numbers, one.features.numbers)


def test_small_arrays_and_those_for_which_there_is_no_room_stay_as_they_are(
    dataset, tmp_path, monkeypatch
):
    monkeypatch.setattr(shared_rows, "LEAST", 10**6)
    assert shared(dataset).features.numbers is dataset.features.numbers and not cached_files()
    monkeypatch.setattr(shared_rows, "LEAST", 256)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert shared(dataset).features.numbers is dataset.features.numbers
