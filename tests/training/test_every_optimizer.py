"""Every rule through whole runs: it learns, and goes on to the bit from the state that checkpoints hold."""

import pytest

import nettrain
from nettrain.component import names
from nettrain.optim import Optimizer, Rule

# name -> a rate for a toy problem in a few epochs
RATES = {
    "adadelta": 5.0, "adagrad": 0.3, "adam": 0.05, "adamw": 0.05, "amsgrad": 0.05, "lion": 0.01, "momentum": 0.1, "nadam": 0.05,
    "nesterov": 0.1, "radam": 0.1, "rmsprop": 0.02, "sgd": 0.5,
}  # fmt: skip


def test_every_rule_has_a_row():
    assert list(RATES) == [
        name for name in names(Optimizer) if isinstance(Optimizer.parse(name), Rule)
    ]


@pytest.mark.parametrize("name", RATES)
def test_it_learns(toy, data, tmp_path, name):
    changes = {"training.epochs": 20, "training.monitor": "train_loss", "regularization": {}}
    result = nettrain.train(
        toy(changes | {"optimizer": {"type": name, "lr": RATES[name]}}),
        data,
        output_directory=tmp_path,
    )
    assert result.metrics["train"]["accuracy"] >= 0.8 > result.baseline["train"]["accuracy"]


@pytest.mark.parametrize("name", RATES)
def test_a_broken_run_goes_on_to_the_bit(toy, data, tmp_path, stop_at, figures, name):
    schedule = {"type": "cosine_restarts", "period": 2, "warmup": 0.5}
    changes = {
        "optimizer": {"type": name, "lr": RATES[name]},
        "schedule": schedule,
        "training.epochs": 3,
        "training.clip_value": 0.5,
    }
    nettrain.train(toy(changes), data, output_directory=tmp_path, run_name="whole")
    with pytest.raises(nettrain.NettrainError):
        nettrain.train(
            toy(changes),
            data,
            output_directory=tmp_path,
            run_name="broken",
            callbacks=[stop_at(6, "SIGINT")],
        )
    nettrain.resume(tmp_path / "broken", data)
    assert figures(tmp_path / "broken") == figures(tmp_path / "whole")
