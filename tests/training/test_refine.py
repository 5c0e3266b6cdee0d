"""`training.refine`: the best epoch by the log loss after temperature scaling, and its temperature in the checkpoint."""

import json

import numpy as np
import pytest

import nettrain
from nettrain.errors import ConfigError
from nettrain.inspection.temperature import logits_of, temperature_of
from nettrain.training.artifacts.checkpoint import Checkpoint

SPLIT = {"validation": 0.3, "test": 0.2}
CONFIG = {
    "dataset": {"source": {"type": "moons", "rows": 300, "noise": 0.35}, "split": SPLIT},
    "model": {"type": "mlp", "hidden": [32, 32]},
    "optimizer": {"type": "adam", "lr": 0.02},
    "training": {"epochs": 30, "refine": True, "kernels": "numpy"},
    "baseline": ["constant"],
}
LABELS = {"loss": "binary_cross_entropy"}


@pytest.mark.parametrize("changes", [{}, LABELS, {"early_stopping": {"patience": 5}}])
def test_the_epoch_and_the_temperature_are_the_best_ones_and_predict(tmp_path, changes):
    result = nettrain.train({**CONFIG, **changes}, output_directory=tmp_path, run_name="run")
    text = (tmp_path / "run" / "metrics.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    refined = [row["validation_refined_log_loss"] for row in rows]
    assert result.best_epoch == 1 + int(np.argmin(refined)) and result.best_value == min(refined)
    assert all(a <= row["validation_log_loss"] + 1e-6 for a, row in zip(refined, rows, strict=True))
    model = nettrain.load(tmp_path / "run")
    temperature = rows[result.best_epoch - 1]["validation_temperature"]
    assert model.temperature == temperature != 1
    validation = model.training_data.part("validation")
    logits = logits_of(model, validation)
    assert temperature_of(model, logits, model.truth(validation)) == pytest.approx(temperature)
    assert model.evaluation(validation).metrics["log_loss"] == pytest.approx(min(refined))
    assert result.metrics["validation"]["log_loss"] == pytest.approx(min(refined))
    assert any(f"temperature {temperature:.4f}" in note for note in result.notes)


def test_a_resumed_run_is_the_same(tmp_path, stop_at, figures):
    nettrain.train(CONFIG, output_directory=tmp_path, run_name="whole")
    with pytest.raises(nettrain.NettrainError):
        stopped = [stop_at(9, "SIGINT")]
        nettrain.train(CONFIG, output_directory=tmp_path, run_name="broken", callbacks=stopped)
    nettrain.resume(tmp_path / "broken")
    assert figures(tmp_path / "whole") == figures(tmp_path / "broken")
    whole, broken = (
        Checkpoint.read(tmp_path / name / "checkpoints" / "best.safetensors")
        for name in ("whole", "broken")
    )
    assert whole.content["temperature"] == broken.content["temperature"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": {"source": "sine"}}, "training.refine: scales probabilities"),
        (
            {"dataset": {**CONFIG["dataset"], "split": {"test": 0.2}}},
            "training.refine: needs validation rows",
        ),
        (
            {"training": {"refine": True, "monitor": "validation_accuracy"}},
            "leave out training.monitor",
        ),
        ({"early_stopping": {"restore_best": False}}, "leave out early_stopping.restore_best"),
    ],
)
def test_where_nothing_can_be_refined_it_is_said(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        nettrain.train({**CONFIG, **changes}, output_directory=tmp_path)
