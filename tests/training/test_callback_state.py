"""What a user's callback remembers survives a restart, as the contract of `Callback` promises."""

import pytest

import nettrain
from nettrain.errors import CheckpointError, NettrainError, RunError
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.callbacks import Callback, by_key


class Counter(Callback):
    """Counts epochs."""

    def __init__(self, start=0):
        self.epochs = start

    def epoch_end(self, run, row):
        self.epochs += 1

    def state(self):
        return {"epochs": self.epochs}

    def restore(self, state):
        self.epochs = state["epochs"]


def interrupted(toy, data, tmp_path, stop_at, callbacks):
    with pytest.raises(NettrainError, match="interrupted"):
        nettrain.train(
            toy({"training.epochs": 6}), data, output_directory=tmp_path,
            callbacks=[*callbacks, stop_at(10, "SIGINT")],
        )  # fmt: skip
    return tmp_path / "toy"


def test_two_callbacks_of_one_class_get_back_their_own_state(toy, data, tmp_path, stop_at):
    broken = interrupted(toy, data, tmp_path, stop_at, [Counter(), Counter(100)])
    again = [Counter(), Counter()]
    nettrain.resume(broken, data, callbacks=again)
    assert [counter.epochs for counter in again] == [6, 106]


def test_a_checkpoint_holds_the_state_after_the_epoch_it_was_written_in(toy, data, tmp_path):
    nettrain.train(
        toy({"training.epochs": 3}), data, output_directory=tmp_path, callbacks=[Counter()]
    )
    last = tmp_path / "toy" / "checkpoints" / "last.safetensors"
    assert Checkpoint.read(last).metadata(last).user_callbacks == {"Counter": {"epochs": 3}}


def test_a_callback_of_a_user_never_gets_the_state_of_one_of_nettrain(toy, data, tmp_path, stop_at):
    class MetricsLog(Counter):
        pass

    broken = interrupted(toy, data, tmp_path, stop_at, [MetricsLog(50)])
    again = MetricsLog()
    nettrain.resume(broken, data, callbacks=[again])
    assert again.epochs == 56


def test_a_callback_that_the_run_did_not_have_starts_anew(toy, data, tmp_path, stop_at):
    broken = interrupted(toy, data, tmp_path, stop_at, [])
    again = Counter()
    nettrain.resume(broken, data, callbacks=[again])
    assert 0 < again.epochs < 6


@pytest.mark.parametrize(
    "state",
    [{"a": object()}, {1: 2}, [1], {"a": {"b": {1, 2}}}],
    ids=["an object", "a number as key", "a list", "a set inside"],
)
def test_a_state_that_json_cannot_hold_is_named(toy, data, tmp_path, state):
    class Odd(Callback):
        def state(self):
            return state

    with pytest.raises(RunError, match=r"callback Odd: state\(\) must return a dict"):
        nettrain.train(toy(), data, output_directory=tmp_path, callbacks=[Odd()])


def test_a_state_that_the_callback_refuses_is_an_error_of_the_checkpoint(
    toy, data, tmp_path, stop_at
):
    class Strict(Counter):
        def restore(self, state):
            raise KeyError("another")

    Strict.__name__ = "Counter"
    broken = interrupted(toy, data, tmp_path, stop_at, [Counter()])
    with pytest.raises(CheckpointError, match=r"callbacks.Counter does not hold the state"):
        nettrain.resume(broken, data, callbacks=[Strict()])


def test_keys_number_the_callbacks_of_one_class():
    assert list(by_key([Counter(), Callback(), Counter()])) == ["Counter", "Callback", "Counter-2"]
