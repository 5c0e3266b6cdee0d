"""Runs whose transforms make codes: what is stored, predicted and refused."""

import json
import logging

import numpy as np
import pytest

import nettrain
from nettrain.data.pipeline import Pipeline
from nettrain.errors import ConfigError

ROWS = "".join(
    f"{i / 10},{'' if i % 7 == 0 else f'c{i % 12}'},k{i % 2},{i % 12 + i % 2}\n" for i in range(60)
)


def configured(tmp_path, **changes):
    (tmp_path / "rows.csv").write_text("a,city,kind,y\n" + ROWS)
    source = {"type": "csv", "path": str(tmp_path / "rows.csv"), "target": "y"}
    transforms = [{"type": "one_hot", "max_size": 9}, "ordinal", "standardize"]
    return {
        "dataset": {"source": source, "transforms": transforms},
        "model": {"type": "tabular", "hidden": [4], "embedding": 2, "bins": 2},
        "training": {"epochs": 2},
    } | changes


def test_a_checkpoint_holds_the_kinds_of_its_inputs_and_predicts_what_training_did_not_have(
    tmp_path, caplog
):
    result = nettrain.train(configured(tmp_path), output_directory=tmp_path)
    model = nettrain.load(result.run_directory)
    assert model.names == ("a", "kind=k0", "kind=k1", "city")
    assert (model.pipeline.cardinalities, model.pipeline.indicators) == ((14,), 2)
    new = tmp_path / "new.csv"
    new.write_text("a,city,kind\n1,c3,k1\n1,new,k1\n1,,k1\n")
    with caplog.at_level(logging.WARNING):
        predicted = model.predictions_of(model.read(new, with_target=False))
    assert np.isfinite(predicted).all() and len({*predicted[:, 0]}) == 3
    assert "categories not seen in training share one code: city 'new' (1 row)" in caplog.text


def test_checkpoints_without_kinds_hold_numbers_alone(tmp_path):
    config = configured(tmp_path)
    config["dataset"]["transforms"] = ["one_hot"]
    result = nettrain.train(config, output_directory=tmp_path)
    packed, arrays = nettrain.load(result.run_directory).pipeline.pack()
    del packed["cardinalities"], packed["indicators"]
    unpacked = Pipeline.unpack(json.loads(json.dumps(packed)), arrays)
    assert (unpacked.cardinalities, unpacked.indicators) == ((), 0)


def test_an_autoencoder_refuses_codes(tmp_path):
    config = configured(tmp_path, model="mlp")
    del config["dataset"]["source"]["target"]
    config["dataset"] |= {"target": "self", "split": {"validation": 0.2}}
    with pytest.raises(ConfigError, match=r"ordinal: with `target: self`.*use one_hot"):
        nettrain.train(config, output_directory=tmp_path)
