"""A plan replays what was recorded: new contents of feeds and parameters go in, the bits of a fresh eager run come out."""

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.backward import backward
from nettrain.autodiff.ops.convolution import Convolution
from nettrain.autodiff.ops.moments import Moments
from nettrain.autodiff.ops.normalization import Normalize
from nettrain.autodiff.ops.winograd import Winograd
from nettrain.autodiff.plan.fusion import choose_for_compiled, inputs_of, primitive_of
from nettrain.autodiff.plan.memory import Arena
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.tensor import Tensor, apply
from nettrain.autodiff.trace import recording

FUNCTIONS = {
    "a dense layer": lambda x, mask, w: F.log_softmax(F.relu(x @ w + w[0])).mean(),
    "shared weights": lambda x, mask, w: (F.tanh(x @ w) @ w.T - x).T.reshape(-1).max(),
    "a final view": lambda x, mask, w: (x @ w).sum(keepdims=True),
    "views of views": lambda x, mask, w: (
        (w.reshape(2, 2, 3)[1].T.reshape(-1) * 2).sum() + (w.T[None] * w.T).sum()
    ),
    "where a feed says": lambda x, mask, w: F.where(mask, x @ w, w * 2).sum(),
    "nothing but constants and parameters": lambda x, mask, w: (w * w).sum(),
    "the parameter not at all": lambda x, mask, w: (F.step(w) * 1 + x.sum()).sum() + (w * 0).sum(),
    "what is made of feeds alone": lambda x, mask, w: ((x * x).mean(0, keepdims=True) @ w).sum(),
    "one value twice": lambda x, mask, w: (F.concatenate([w, w]) * F.concatenate([w, x @ w])).sum(),
}


@pytest.mark.parametrize("arena", [None, Arena()], ids=["own arrays", "shared memory"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_replay_has_the_bits_of_a_fresh_run(name, arena):
    generator = np.random.Generator(np.random.PCG64(2))
    x, mask, w, slot = np.ones((4, 4)), np.ones((4, 3), bool), np.ones((4, 3)), np.empty((4, 3))
    parameter = Tensor(w, requires_grad=True)
    with recording() as seen:
        y = FUNCTIONS[name](Tensor(x, feed=True), Tensor(mask, feed=True), parameter)
    assert not seen.data_dependent
    plan = Plan(y, into={parameter: slot}, arena=arena)
    for _ in range(3):
        x[...], mask[...], w[...] = (
            generator.normal(size=(4, 4)),
            generator.random((4, 3)) < 0.5,
            generator.normal(size=(4, 3)),
        )
        slot.fill(np.nan)
        plan.forward()
        plan.backward()
        fresh = Tensor(w.copy(), requires_grad=True)
        expected = FUNCTIONS[name](Tensor(x.copy()), Tensor(mask.copy()), fresh)
        np.testing.assert_array_equal(y.value, expected.value)
        np.testing.assert_array_equal(slot, backward(expected)[fresh])


STEERING = {
    "an if": lambda x: x * 2 if x.sum() > 0 else x,
    "a comparison": lambda x: F.where(x > 0, x, 0),
    "a condition that is no truth value": lambda x: F.where(x, x, 0),
    "a mask": lambda x: x[Tensor(x.value > 0, feed=True)],
    "a number": lambda x: x * float(x.sum()),
    "a copy": lambda x: x * x.numpy(),
}


@pytest.mark.parametrize("name", STEERING)
def test_recording_notices_who_reads_values(name):
    with recording() as seen:
        STEERING[name](Tensor(np.ones(3), feed=True))
    assert seen.data_dependent


def test_what_is_read_outside_a_recording_or_of_a_constant_steers_nothing():
    with recording() as seen:
        assert Tensor([1.0]) > 0
    assert not seen.data_dependent
    assert Tensor(np.ones(1), feed=True) > 0
    assert not seen.data_dependent


@pytest.mark.parametrize("arena", [None, Arena()], ids=["own arrays", "shared memory"])
def test_a_replay_also_computes_new_values_of_state_which_no_gradient_sees(arena):
    generator = np.random.Generator(np.random.PCG64(2))
    x, w, state, slot = np.ones((4, 3)), np.ones(3), np.zeros(3), np.empty(3)
    parameter = Tensor(w, requires_grad=True)
    with recording():
        product = Tensor(x, feed=True) * parameter
        running, kept = product.mean(axis=0), Tensor(state, feed=True)
        proposed = kept + (running - kept) * 0.1
        y = (product * product).sum()
    plan = Plan(y, into={parameter: slot}, also=[proposed], arena=arena)
    for _ in range(3):
        x[...], w[...] = generator.normal(size=(4, 3)), generator.normal(size=3)
        plan.forward()
        plan.backward()
        np.testing.assert_array_equal(proposed.value, state + ((x * w).mean(axis=0) - state) * 0.1)
        np.testing.assert_allclose(slot, 2 * w * (x * x).sum(axis=0), rtol=1e-13)
        state[...] = proposed.value


LEFT = {
    "a product": (lambda x, w: F.tanh(x @ w).sum(), True),
    "a product with its bias and activation": (lambda x, w: F.relu(x @ w + w[0]).sum(), False),
    "a dense layer": (lambda x, w: F.relu(x @ w + F.tanh(x[0, :3])).sum(), True),
    "used twice": (lambda x, w: ((x @ w) @ w.T).sum(), False),
    "no product": (lambda x, w: (x[:, :3] * w[0]).sum(), False),
    "the first factor": (lambda x, w: (w @ x[:3]).sum(), False),
}


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.compiled)])
@pytest.mark.parametrize("name", LEFT)
def test_a_gradient_that_is_left_to_others_is_the_product_of_two_matrices_of_the_plan(
    name, compiled
):
    function, left = LEFT[name]
    generator = np.random.Generator(np.random.PCG64(2))
    x, w, slot = np.ones((4, 4)), np.ones((4, 3)), np.empty((4, 3))
    parameter = Tensor(w, requires_grad=True)
    with recording():
        y = function(Tensor(x, feed=True), parameter)
    plan = Plan(y, {parameter: slot}, arena=Arena(), compiled=compiled, left=[parameter])
    assert list(plan.products) == ([parameter] if left else [])
    for _ in range(2):
        x[...], w[...] = generator.normal(size=(4, 4)), generator.normal(size=(4, 3))
        slot.fill(np.nan)
        plan.forward()
        plan.backward()
        fresh = Tensor(w.copy(), requires_grad=True)
        expected = backward(function(Tensor(x.copy()), fresh))[fresh]
        if left:
            assert np.isnan(slot).all()
            a, b = plan.products[parameter]
            np.dot(a, b, out=slot)
        np.testing.assert_allclose(slot, expected, rtol=1e-12)


def test_an_instrumented_plan_makes_the_wrapped_calls_in_both_directions():
    x, w = Tensor(np.ones((3, 2)), feed=True), Tensor(np.ones((2, 2)), requires_grad=True)
    dw = np.zeros((2, 2))
    plan = Plan((x @ w).sum(), {w: dw})
    made = []

    def wrap(direction, calls, origins):
        assert len(calls) == len(origins)
        return [lambda call=call: (made.append(direction), call()) for call in calls]

    plan.instrument(wrap)
    plan.forward()
    assert set(made) == {"forward"}
    plan.backward()
    assert set(made) == {"forward", "backward"}
    np.testing.assert_array_equal(dw, np.full((2, 2), 3.0))


@pytest.mark.compiled
@pytest.mark.parametrize("arena", [None, Arena()], ids=["own arrays", "shared memory"])
def test_compiled_moments_add_their_gradient_to_that_of_what_is_normalized(arena):
    generator = np.random.Generator(np.random.PCG64(3))
    x, w = generator.normal(size=(8, 4)), generator.normal(size=(4, 3))
    parameter, gamma, beta = (Tensor(a, requires_grad=True) for a in (w, np.ones(3), np.zeros(3)))
    activations = F.tanh(Tensor(x, feed=True) @ parameter)
    normal = apply(Normalize(1e-5), activations, apply(Moments(), activations), gamma, beta)
    loss = (normal * generator.normal(size=(8, 3)) * normal).sum()
    expected, slot = backward(loss)[parameter], np.full_like(w, np.nan)
    plan = Plan(loss, into={parameter: slot}, arena=arena, compiled=True)
    for _ in range(2):
        plan.forward(), plan.backward()
        np.testing.assert_allclose(slot, expected, rtol=1e-9)


def test_plans_of_compiled_kernels_compute_convolutions_of_16_channels_by_winograds_method():
    x = Tensor(np.ones((2, 8, 8, 16), np.float32))
    w = Tensor(np.ones((3, 3, 16, 16), np.float32), requires_grad=True)
    for stride, method in (((1, 1), Winograd), ((2, 2), Convolution)):
        y = F.convolution(x, w, stride=stride)
        assert type(primitive_of(y)) is Convolution
        choose_for_compiled(y * 2)
        assert type(primitive_of(y)) is method
        assert inputs_of(y)[0] is x and inputs_of(y)[1] is w
