"""The intervals and the linear model that a run's summary holds, from Python."""

import json

import numpy as np
import pytest

import nettrain
from nettrain.inspection import assessment

ROWS = {"train": [0, 40], "validation": [40, 50], "test": [50, 60]}
CONFIG = {
    "dataset": {"transforms": [], "split": {"rows": ROWS}},
    "model": {"type": "mlp", "hidden": [4]},
    "training": {"epochs": 2},
}


@pytest.fixture
def data():
    x = np.random.Generator(np.random.PCG64(0)).normal(size=(60, 3))
    return x, (x[:, 0] > 0).astype(int)


def trained(data, tmp_path, **changes):
    config = CONFIG | changes
    observer = nettrain.Assessment()
    result = nettrain.train(config, data, output_directory=tmp_path, callbacks=[observer])
    return result, observer


def test_the_result_and_the_summary_hold_intervals_and_linear_model(data, tmp_path):
    result, _ = trained(data, tmp_path)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert set(result.added) == {"intervals", "linear"} <= set(summary)
    assert set(summary["intervals"]) == {"validation", "test"}
    assert set(summary["linear"]) == {"train", "validation", "test"}
    assert summary["linear"]["test"]["accuracy"] >= 0.9  # the classes are linearly separable


def test_without_it_nothing_is_computed(data, tmp_path):
    result = nettrain.train(CONFIG, data, output_directory=tmp_path)
    assert result.added == {} and result.baseline["test"]


def test_an_autoencoder_has_intervals_and_no_linear_model(data, tmp_path):
    source = {"transforms": [], "split": {"rows": ROWS}, "target": "self"}
    result, observer = trained(data[0], tmp_path, dataset=source)
    assert result.added["linear"] == {} and observer.linear_left_out == ""
    assert "mse" in result.added["intervals"]["test"]


def test_a_part_that_is_not_finite_has_no_intervals(data, tmp_path):
    data[0][59] = 3e38
    with np.errstate(all="ignore"):
        result, _ = trained(data, tmp_path)
    assert set(result.added["intervals"]) == {"validation"}


def test_inputs_beyond_memory_lose_no_result(data, tmp_path, monkeypatch):
    def refuse(x, pipeline):
        raise MemoryError

    monkeypatch.setattr(assessment, "flat_inputs", refuse)
    result, observer = trained(data, tmp_path)
    assert result.added["linear"] == {} and result.added["intervals"]["test"]
    assert observer.linear_left_out == "its inputs do not fit into memory"
