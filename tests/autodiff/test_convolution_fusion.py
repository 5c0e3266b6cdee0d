"""Convolutions with what follows them: what is fused, and that a fused plan gives the bits of an eager run, at ties too."""

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.backward import backward, nodes_above
from nettrain.autodiff.ops import convolution, winograd
from nettrain.autodiff.ops.max_pooling import MaxPool
from nettrain.autodiff.plan.fusion import fuse
from nettrain.autodiff.plan.memory import Arena
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.tensor import Tensor, apply


def pool(x, *sizes):
    return apply(MaxPool(*sizes), x)


def conv(x, w, b):
    return F.convolution(x, w, b, padding=((1, 0), (0, 1)))


# A function of x (5, 6, 7, 2), w (3, 3, 2, 3), b (3,), and the primitives that its plan runs, oldest first.
CASES = {
    "relu": (lambda x, w, b: F.relu(conv(x, w, b)), ["ConvolutionBlock"]),
    "tanh": (lambda x, w, b: F.tanh(conv(x, w, b)), ["ConvolutionBlock"]),
    "softplus, which needs its input": (
        lambda x, w, b: F.softplus(conv(x, w, b)),
        ["Convolution", "Softplus"],
    ),
    "relu and pool": (lambda x, w, b: pool(F.relu(conv(x, w, b))), ["ConvolutionBlock"]),
    "pool and relu": (lambda x, w, b: F.relu(pool(conv(x, w, b))), ["ConvolutionBlock"]),
    "pool and sigmoid": (
        lambda x, w, b: F.sigmoid(pool(conv(x, w, b), (3, 2), (3, 2))),
        ["ConvolutionBlock"],
    ),
    "pool alone": (lambda x, w, b: pool(conv(x, w, b)), ["ConvolutionBlock"]),
    "pool after tanh, whose roundings may make ties": (
        lambda x, w, b: pool(F.tanh(conv(x, w, b))),
        ["ConvolutionBlock", "MaxPool"],
    ),
    "windows that overlap": (
        lambda x, w, b: pool(F.relu(conv(x, w, b)), (3, 3), (2, 2)),
        ["ConvolutionBlock", "MaxPool"],
    ),
    "two pools": (
        lambda x, w, b: pool(pool(F.relu(conv(x, w, b)))),
        ["ConvolutionBlock", "MaxPool"],
    ),
    "the pool's input is used again": (
        lambda x, w, b: (lambda a: pool(a).sum() + a.sum())(F.relu(conv(x, w, b))),
        ["ConvolutionBlock", "MaxPool", "Sum", "Sum", "Add"],
    ),
    "the convolution is used again": (
        lambda x, w, b: (lambda a: F.relu(a) + a)(conv(x, w, b)),
        ["Convolution", "Relu", "Add"],
    ),
    "each channel alone": (
        lambda x, w, b: F.relu(F.convolution(x, w[:, :, :1, :2], None, groups=2)),
        ["Slice", "Depthwise", "Relu"],
    ),
}


def arrays(seed, whole):
    generator = np.random.Generator(np.random.PCG64(seed))
    draw = (
        (lambda shape: generator.integers(-2, 3, shape))
        if whole
        else (lambda shape: generator.normal(size=shape))
    )
    return [draw(shape).astype(np.float32) for shape in ((5, 6, 7, 2), (3, 3, 2, 3), (3,))]


@pytest.mark.parametrize("name", CASES)
def test_just_the_sequences_that_are_used_for_nothing_else_are_fused(name):
    f, expected = CASES[name]
    y = f(*[Tensor(a, requires_grad=True) for a in arrays(0, False)])
    fuse(y)
    made = [type(node.primitive).__name__ for node, _ in reversed(list(nodes_above(y)))]
    assert [kind for kind in made if kind != "Reshape"] == expected


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("whole", [False, True], ids=["", "whole numbers, many of them equal"])
@pytest.mark.parametrize("worth", [0, np.inf], ids=["winograd", "windows"])
@pytest.mark.parametrize("cache", [convolution.CACHE, 1200])
def test_a_fused_plan_has_the_bits_of_an_eager_run(name, whole, worth, cache, monkeypatch):
    monkeypatch.setattr(convolution, "CACHE", cache)
    monkeypatch.setattr(winograd, "WORTH", worth)
    f, _ = CASES[name]
    held = arrays(0, whole)
    inputs = [Tensor(a, requires_grad=True) for a in held]
    slots = {x: np.empty_like(x.value) for x in inputs}
    y = (f(*inputs) * f(*inputs)).sum()
    plan = Plan(y, into=slots, arena=Arena())
    for seed in (1, 2):
        for a, new in zip(held, arrays(seed, whole), strict=True):
            a[...] = new
        for slot in slots.values():
            slot.fill(np.nan)
        plan.forward()
        plan.backward()
        fresh = [Tensor(a, requires_grad=True) for a in arrays(seed, whole)]
        expected = (f(*fresh) * f(*fresh)).sum()
        gradients = backward(expected)
        np.testing.assert_array_equal(y.value, expected.value)
        for x, x_fresh in zip(inputs, fresh, strict=True):
            np.testing.assert_array_equal(slots[x], gradients[x_fresh])
