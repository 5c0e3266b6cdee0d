"""The step of an optimizer that asks for the loss: what it is given, what it evaluates, and the penalties in it."""

import numpy as np
import pytest

from nettrain import streams
from nettrain.config.run_config import Regularization
from nettrain.initializers.zeros import Zeros
from nettrain.nn.parameter import Parameter
from nettrain.nn.vector import ParameterVector
from nettrain.optim import Optimizer
from nettrain.schedules import RunLength, Schedule, Scheduled
from nettrain.training.engine.closure_update import ClosureUpdate
from nettrain.training.engine.swa import StochasticAverage
from nettrain.training.engine.update import Update

START = np.array([1.0, -2.0, 3.0, 4.0])  # two decayed, one that is not, one frozen
GRADIENT = np.array([10.0, 20.0, 30.0, 40.0])


class Asking:
    """Evaluates at twice the weights and at three times, and takes four times the weights."""

    def __init__(self):
        self.seen = []

    def state(self, size, dtype):
        return {"m": np.zeros(size, dtype)}

    def minimise(self, w, slots, evaluate, *, lr, t, generator):
        gradient = np.full_like(w, np.nan)
        values = evaluate(2 * w), evaluate(3 * w, gradient)
        self.seen.append((lr, t, generator.random(), slots, values, gradient))
        w *= 4


@pytest.fixture
def vector():
    shapes = {
        "w": Parameter((2,), Zeros()), "b": Parameter((1,), Zeros(), decayed=False),
        "f": Parameter((1,), Zeros(), trainable=False),
    }  # fmt: skip
    made = ParameterVector(shapes, np.dtype("float64"))
    made.values[...] = START
    return made


def test_the_state_of_an_optimizer_has_the_type_of_the_weights():
    made = ParameterVector({"w": Parameter((2,), Zeros())}, np.dtype("float32"))
    update = ClosureUpdate(made, Asking(), Regularization(), seed=3)
    assert update.slots["m"].dtype == np.float32


FALLING = Scheduled(value=0.5, schedule=Schedule.parse("linear"))


@pytest.mark.parametrize("l1", [0.0, 0.5, FALLING])
@pytest.mark.parametrize("l2", [0.0, 0.25])
def test_the_loss_has_the_penalties_at_the_weights_that_are_tried(vector, l1, l2):
    regularization, length = Regularization(l1=l1, l2=l2), RunLength(steps_per_epoch=1, epochs=4)
    optimizer, asked = Asking(), []
    average = StochasticAverage(vector, start=1, every=1, steps_per_epoch=1)
    update = ClosureUpdate(
        vector, optimizer, regularization, seed=3, average=average, length=length
    )

    def mean_loss(want_gradient):
        asked.append((want_gradient, vector.values.copy()))
        vector.gradient[...] = GRADIENT
        return float(len(asked))

    assert update.steps == 0 and update.slots["m"].shape == (3,)
    for t in (1, 2):
        before = vector.values.copy()
        first = 0.5 * (1 - (t - 1) / 4) if l1 is FALLING else l1

        def penalty(times, before=before, first=first):
            w = times * before[:2]
            return first * np.abs(w).sum() + l2 * (w**2).sum()

        if t == 1:
            assert update.penalty() == pytest.approx(penalty(1))
        asked.clear()
        update(0.1 * t, mean_loss)
        assert [want for want, _ in asked] == [False, True]
        for (_, weights), times in zip(asked, (2, 3), strict=True):
            np.testing.assert_array_equal(weights, [*(times * before[:3]), 4])
        lr, told, drawn, slots, values, gradient = optimizer.seen[-1]
        assert (lr, told, slots) == (0.1 * t, t, update.slots)
        assert drawn == streams.generator(3, "optimizer", t - 1).random()
        assert values == pytest.approx((1 + penalty(2), 2 + penalty(3)))
        w = 3 * before[:2]
        np.testing.assert_allclose(gradient[:2], GRADIENT[:2] + first * np.sign(w) + 2 * l2 * w)
        assert gradient[2] == 30 and update.steps == t
        np.testing.assert_array_equal(vector.values, [*(4 * before[:3]), 4])
        assert update.penalty() == pytest.approx(penalty(4))  # by the factors of the last step
    np.testing.assert_allclose(average.values[:3], (4 * START[:3] + 16 * START[:3]) / 2)


@pytest.mark.parametrize("closure", [True, False])
def test_the_penalty_of_a_resumed_run_is_that_of_its_last_step(vector, closure):
    given, length = Regularization(l2=FALLING), RunLength(steps_per_epoch=1, epochs=4)
    update = (
        ClosureUpdate(vector, Asking(), given, seed=3, length=length)
        if closure
        else Update(vector, Optimizer.parse("sgd"), given, length=length)
    )
    for steps, factor in ((0, 0.5), (1, 0.5), (2, 0.375), (3, 0.25)):
        update.steps = steps  # as its checkpoint tells
        assert update.penalty() == pytest.approx(factor * 5)
