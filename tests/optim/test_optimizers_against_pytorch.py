"""Every optimizer, alone and under every schedule, against the weights that PyTorch reaches: tests/golden/optimizers.npz."""
import json
from pathlib import Path

import numpy as np
import pytest

from nettrain.component import names
from nettrain.optim import Optimizer
from nettrain.schedules import Schedule

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "optimizers.npz")
CASES = json.loads(str(GOLDEN["cases"]))
SHAPES = ((6, 8), (8,), (8, 3), (3,))
ENDS = np.cumsum([int(np.prod(shape)) for shape in SHAPES])


def views(flat):
    """w1, b1, w2, b2 of the flat vector."""
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ENDS[:-1]), SHAPES, strict=True)]


def gradient(flat, x, targets, l2):
    """Of mean softmax cross-entropy of tanh(x w1 + b1) w2 + b2, plus l2 sum w^2 over w1 and w2; derived by hand."""
    w1, b1, w2, b2 = views(flat)
    h = np.tanh(x @ w1 + b1)
    e = np.exp(h @ w2 + b2)
    dlogits = (e / e.sum(axis=1, keepdims=True) - np.eye(3)[targets]) / len(x)
    dz = dlogits @ w2.T * (1 - h * h)
    return np.concatenate([
        (x.T @ dz + 2 * l2 * w1).ravel(), dz.sum(axis=0), (h.T @ dlogits + 2 * l2 * w2).ravel(), dlogits.sum(axis=0)
    ])  # fmt: skip


def state(optimizer, size, dtype=np.float64):
    """Slots at zero; working vectors full of NaN, for no step may depend on them."""
    return {name: np.zeros(size, dtype) for name in optimizer.slots}, [np.full(size, np.nan, dtype) for _ in range(optimizer.work)]


@pytest.mark.parametrize("case", CASES)
def test_the_weights_after_100_steps_are_pytorchs(case):
    row = CASES[case]
    optimizer = Optimizer.parse(row["optimizer"])
    schedule = Schedule.parse(row.get("schedule", "constant"))
    w = GOLDEN["start"].copy()
    slots, work = state(optimizer, w.size)
    for step, rows in enumerate(GOLDEN["batches"]):
        g = gradient(w, GOLDEN["x"][rows], GOLDEN["targets"][rows], row["l2"])
        lr = schedule.rate(optimizer.lr, step, row.get("steps_per_epoch", 1), row.get("epochs", 100))
        optimizer.update(w, g, slots, work, lr=lr, t=step + 1)
    np.testing.assert_allclose(w, GOLDEN[case], rtol=1e-8, atol=0)
    assert np.abs(w - GOLDEN["start"]).max() > 0.01


def test_every_optimizer_has_golden_weights_with_and_without_l2():
    found = {(row["optimizer"]["type"], row["l2"] > 0) for row in CASES.values()}
    assert found == {(name, l2) for name in names(Optimizer) for l2 in (False, True)}


def test_every_schedule_has_golden_weights():
    assert {row["schedule"]["type"] for row in CASES.values() if "schedule" in row} == set(names(Schedule))


@pytest.mark.parametrize("name", names(Optimizer))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_updating_slices_gives_the_bits_of_updating_the_whole(name, dtype):
    optimizer = Optimizer.parse(name)
    start = np.linspace(-1, 1, 37, dtype=dtype)
    whole, sliced = start.copy(), start.copy()
    slots, work = state(optimizer, 37, dtype)
    sliced_slots, sliced_work = state(optimizer, 37, dtype)
    for t in range(1, 6):
        g = np.sin(np.arange(37, dtype=dtype) * t)
        optimizer.update(whole, g.copy(), slots, work, lr=0.1, t=t)
        for part in (slice(0, 5), slice(5, 36), slice(36, 37)):
            part_slots = {key: slot[part] for key, slot in sliced_slots.items()}
            optimizer.update(sliced[part], g[part].copy(), part_slots, [vector[part] for vector in sliced_work], lr=0.1, t=t)
    assert whole.tobytes() == sliced.tobytes()
    assert all(slots[key].tobytes() == sliced_slots[key].tobytes() for key in slots)
    assert not np.array_equal(whole, start)


@pytest.mark.parametrize("name", names(Optimizer))
def test_a_first_step_goes_against_the_gradient(name):
    optimizer = Optimizer.parse(name)
    w, g = np.zeros(3), np.array([2.0, -0.5, 0.0])
    optimizer.update(w, g.copy(), *state(optimizer, 3), lr=0.1, t=1)
    assert np.sign(w).tolist() == (-np.sign(g)).tolist()


def test_momentum_keeps_the_rate_inside_the_velocity():
    momentum = Optimizer.parse({"type": "momentum", "beta": 0.9})
    w, (slots, work) = np.zeros(1), state(momentum, 1)
    momentum.update(w, np.ones(1), slots, work, lr=1.0, t=1)
    momentum.update(w, np.ones(1), slots, work, lr=0.1, t=2)
    assert w[0] == pytest.approx(-1.0 - (0.9 * 1.0 + 0.1 * 1.0))
