"""A loss or weights that are not finite: stopped at once, explained, with what was good kept."""

import contextlib
import json

import numpy as np
import pytest

import nettrain
from nettrain.errors import Diverged
from nettrain.training.callbacks import Callback
from nettrain.training.loop import Interrupted


class Poison(Callback):
    """After a batch of an epoch, puts a value into a parameter."""

    def __init__(self, epoch, batch, name, value):
        self.place, self.name, self.value = (epoch, batch), name, value

    def batch_end(self, run):
        if (run.progress.epoch + 1, run.progress.batch) == self.place:
            run.network.vector.views[self.name].flat[0] = self.value


@pytest.fixture
def diverge(toy, data, tmp_path):
    """The message of a run that diverges."""

    def message(changes=None, callbacks=(), given=None):
        with pytest.raises(Diverged) as error:
            nettrain.train(
                toy(changes), given or data, output_directory=tmp_path, callbacks=callbacks
            )
        assert error.value.exit_code == 3
        return str(error.value)

    return message


@pytest.mark.parametrize(("place", "name", "said"), [
    ((3, 2), "dense_1.w", "diverged in epoch 3: the loss of batch 3 is nan; first bad layer: dense_1 (w is not finite)"),
    ((3, 2), "dense_2.b", "diverged in epoch 3: the loss of batch 3 is nan; first bad layer: dense_2 (b is not finite)"),
    ((3, 4), "dense_2.w", "diverged in epoch 3: the weights after batch 4 are no longer finite; first bad layer: dense_2 (w is not"),
])  # fmt: skip
def test_the_message_names_epoch_batch_layer_and_remedies(diverge, place, name, said):
    message = diverge(callbacks=[Poison(*place, name, np.nan)])
    assert message.startswith(said)
    assert (
        "try a lower optimizer.lr (now 0.03), or training.clip_norm: 1, or dataset.transforms: [standardize]"
        in message
    )


def test_a_layer_whose_output_overflows_is_named_though_its_weights_are_finite(diverge):
    message = diverge(
        {"model.activation": "identity"},
        [Poison(1, 1, "dense_1.w", 3e38), Poison(1, 1, "dense_1.b", 3e38)],
    )
    assert "first bad layer: dense_1 (its output is not finite)" in message


def test_clipping_that_is_there_already_is_no_remedy(diverge):
    assert "clip_norm" not in diverge(
        {"training.clip_norm": 1}, [Poison(1, 1, "dense_1.w", np.inf)]
    )


def test_a_rate_far_too_high_diverges_with_every_optimizer_that_can(diverge, data):
    target = (data[0], data[0][:, 0] * 2.5)
    said = diverge(
        {"loss": "mse", "optimizer": {"type": "sgd", "lr": 1e6}, "model.activation": "identity"},
        given=target,
    )
    assert "diverged in epoch 1" in said and "now 1e+06" in said


def test_the_last_good_checkpoint_is_kept_and_named_and_can_be_used(
    diverge, tmp_path, data, every_epoch
):
    message = diverge(callbacks=[Poison(4, 2, "dense_1.w", np.nan)])
    assert (
        f"the last good checkpoint is {tmp_path / 'toy' / 'checkpoints' / 'last.safetensors'}"
        in message
    )
    for which, epochs in (("best", {1, 2, 3}), ("last", {3})):
        model = nettrain.load(tmp_path / "toy" / "checkpoints" / f"{which}.safetensors")
        assert np.isfinite(model.probabilities(data[0])).all() and model.epoch in epochs


def test_a_run_too_short_for_a_checkpoint_a_second_keeps_its_best_weights_too(
    diverge, tmp_path, data
):
    message = diverge(callbacks=[Poison(4, 2, "dense_1.w", np.nan)])
    assert (
        f"the last good checkpoint is {tmp_path / 'toy' / 'checkpoints' / 'best.safetensors'}"
        in message
    )
    assert np.isfinite(nettrain.load(tmp_path / "toy").probabilities(data[0])).all()


def test_a_signal_after_the_batch_that_broke_the_weights_does_not_overwrite_the_good_checkpoint(
    toy, data, tmp_path, every_epoch, stop_at
):
    with contextlib.suppress(Interrupted, Diverged):
        nettrain.train(
            toy(),
            data,
            output_directory=tmp_path,
            callbacks=[Poison(3, 2, "dense_1.w", np.nan), stop_at(10, "SIGINT")],
        )
    last = nettrain.load(tmp_path / "toy" / "checkpoints" / "last.safetensors")
    assert np.isfinite(last.probabilities(data[0])).all() and last.epoch == 2


def test_the_summary_says_that_the_run_diverged(diverge, tmp_path):
    message = diverge(callbacks=[Poison(3, 2, "dense_1.w", np.nan)])
    summary = json.loads((tmp_path / "toy" / "summary.json").read_text())
    assert summary == {"stop_reason": "diverged", "epochs": 2, "message": message}
    assert "diverged in epoch 3" in (tmp_path / "toy" / "log.txt").read_text()
    assert len((tmp_path / "toy" / "metrics.jsonl").read_text().splitlines()) == 2


def test_a_loss_that_is_not_finite_updates_nothing(diverge, tmp_path):
    seen = []

    class Watch(Callback):
        def batch_end(self, run):
            seen.append(run.update.steps)

    diverge(callbacks=[Poison(1, 2, "dense_1.w", np.nan), Watch()])
    assert seen == [1, 2]


def test_the_layer_is_looked_for_as_the_step_computed_it_in_training_mode(diverge, data):
    # Of small features a batch's own deviation makes numbers around 1, the running one, used in
    # evaluation, leaves them small: there the large factor overflows nothing.
    layers = [{"type": "batch_norm"}, {"type": "dense"}]
    message = diverge(
        {
            "model": {"type": "sequential", "layers": layers},
            "dataset.transforms": [],
            "regularization": {},
        },
        [Poison(1, 1, "batch_norm_1.gamma", 3e38)],
        given=(data[0] * 1e-3, data[1]),
    )
    assert "first bad layer: batch_norm_1 (its output is not finite)" in message
