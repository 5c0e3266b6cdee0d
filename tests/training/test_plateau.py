"""A schedule that a metric moves, through whole runs."""

import pytest

import nettrain
from nettrain.errors import ConfigError

# The loss of a model that cannot learn (its rate is tiny) stands still: every epoch but the first is one without improvement.
STILL = {"optimizer": {"type": "sgd", "lr": 1e-9}, "training.epochs": 9, "regularization": {}}
PLATEAU = {"type": "plateau", "patience": 1, "by": 0.5, "min_lr": 0}


def rates(rows, lr=1e-9):
    return [row["lr"] / lr for row in rows]


@pytest.mark.parametrize(("schedule", "expected"), [
    (PLATEAU, [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]),
    (PLATEAU | {"monitor": "train_loss"}, [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]),
    (PLATEAU | {"min_lr": 3e-10}, [1, 1, 1, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3]),
    (PLATEAU | {"warmup": 3}, [1 / 3, 2 / 3, 1, 1, 1, 1, 0.5, 0.5, 0.25]),
    (PLATEAU | {"cooldown": 2}, [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]),
])  # fmt: skip
def test_the_logged_rate_falls_after_the_epochs_without_improvement(
    toy, data, tmp_path, log, schedule, expected
):
    nettrain.train(toy(STILL | {"schedule": schedule}), data, output_directory=tmp_path)
    assert rates(log(tmp_path / "toy")) == pytest.approx(expected)


def test_a_score_is_watched_upwards_and_a_loss_downwards(toy, data, tmp_path, log):
    learning = {"optimizer.lr": 0.03, "regularization": {}, "training.epochs": 8}
    for monitor in ("train_accuracy", "train_loss"):
        schedule = {"type": "plateau", "patience": 2, "monitor": monitor}
        nettrain.train(
            toy(learning | {"schedule": schedule}),
            data,
            output_directory=tmp_path,
            run_name=monitor,
        )
        assert rates(log(tmp_path / monitor), 0.03)[:6] == pytest.approx(
            [1] * 6
        )  # both improve; the other direction would not


@pytest.mark.parametrize("batch", [1, 9, 17, 30])
def test_a_broken_run_goes_on_with_its_counters(toy, data, tmp_path, stop_at, figures, batch):
    changes = STILL | {"schedule": PLATEAU, "optimizer.lr": 1e-6}
    nettrain.train(toy(changes), data, output_directory=tmp_path, run_name="whole")
    with pytest.raises(nettrain.NettrainError):
        nettrain.train(
            toy(changes),
            data,
            output_directory=tmp_path,
            run_name="broken",
            callbacks=[stop_at(batch, "SIGINT")],
        )
    nettrain.resume(tmp_path / "broken", data)
    assert figures(tmp_path / "broken") == figures(tmp_path / "whole")


def test_an_extended_run_is_the_longer_run(toy, data, tmp_path, figures):
    nettrain.train(
        toy(STILL | {"schedule": PLATEAU}), data, output_directory=tmp_path, run_name="longer"
    )
    nettrain.train(
        toy(STILL | {"schedule": PLATEAU, "training.epochs": 4}),
        data,
        output_directory=tmp_path,
        run_name="short",
    )
    nettrain.resume(tmp_path / "short", data, sets=["training.epochs=9"])
    assert figures(tmp_path / "short") == figures(tmp_path / "longer")


@pytest.mark.parametrize(("monitor", "split", "said"), [
    ("validation_los", {"validation": 0.2}, "schedule.monitor: metric 'validation_los' does not exist; did you mean 'validation_loss'?"),
    ("accuracy", {"validation": 0.2}, "schedule.monitor: metric 'accuracy' does not exist; did you mean 'validation_accuracy'?"),
    ("test_loss", {"validation": 0.2}, "schedule.monitor: expected a metric of the training or validation part, got 'test_loss'"),
    ("validation_loss", "none", "schedule.monitor: validation_loss needs a validation part, and there is none"),
    ("validation_r2", {"validation": 0.2}, "schedule.monitor: validation_r2 is no metric of classification"),
])  # fmt: skip
def test_a_metric_that_is_never_logged_is_an_error_before_training(
    toy, data, tmp_path, monitor, split, said
):
    changes = {
        "schedule": PLATEAU | {"monitor": monitor},
        "dataset": {"source": "memory", "split": split},
    }
    with pytest.raises(ConfigError) as error:
        nettrain.train(toy(changes), data, output_directory=tmp_path)
    assert str(error.value).startswith(said)
    assert not list(tmp_path.iterdir())
