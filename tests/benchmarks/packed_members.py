"""Does it pay to train the members of `nettrain ensemble` in one batched product, bit for bit as when each is trained alone?

    python tests/benchmarks/packed_members.py [--rounds 12]
        a line per network and kind of kernels: microseconds a step of one network, alone and in groups of 2 to 16

Alone is the product's own step. Packed is a step written by hand: the same BLAS calls on the same shapes for each member (a product of
stacked matrices calls BLAS once a member; the program asserts that the bits are those of a product alone), everything else in one NumPy
call or compiled loop for all members, each of which has rows of its own. It is the most that packing can gain.

A loaded machine of two cores, the fastest of 12 rounds, microseconds of CPU time alone and of a network among 8:

    64-64-32-10, batch 32       numpy   93 -> 39        numba   33 -> 24
    16-32-32-10, batch 32       numpy  125 -> 29        numba   39 -> 18
    64-256-256-10, batch 128    numpy 1379 -> 1315      numba 1001 -> 1013

Steps of small networks gain 1.4 to 2.1 times with compiled loops, which runs take where time is to be gained, larger ones nothing. But steps
are a fifth of a small run (digits, 30 epochs, compiled loops: 0.03 of 0.17 s; the rest is evaluation and files, which stay each member's
own), so the ensemble as a whole would gain about 5 % with compiled loops and 15 % with NumPy alone: `nettrain ensemble` goes on training its
members as runs of their own, one on each core. Where members need no batches and best epochs of their own, `model: {type: mlp, members: 8}`
is one run with the same rows for all, one evaluation and one checkpoint: 1.5 s of CPU time in place of the ensemble's 3.1 on the digits (NumPy;
1.9 in place of 4.2 with compiled loops).
"""

import environment  # noqa: F401, I001

import argparse
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

import step as product
from nettrain.jit import jit
from nettrain.training.train import prepare_run

Array = np.ndarray
SHAPES = [((64, 64, 32, 10), 32), ((16, 32, 32, 10), 32), ((64, 256, 256, 10), 128)]
GROUPS = (2, 4, 8, 16)
RATE, B1, B2, EPSILON = (np.float32(one) for one in (1e-3, 0.9, 0.999, 1e-8))
ROWS = 1797


@jit
def _bias_relu(y: Array, b: Array) -> None:
    zero = y.dtype.type(0)
    for m in range(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                a = y[m, i, j] + b[m, j]
                y[m, i, j] = zero if a <= zero else a


@jit
def _relu_gradient(dy: Array, y: Array, db: Array) -> None:
    zero, one = y.dtype.type(0), y.dtype.type(1)
    for m in range(y.shape[0]):
        db[m] = zero
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                dy[m, i, j] *= one if y[m, i, j] > zero else y[m, i, j]
                db[m, j] += dy[m, i, j]


@jit
def _loss_gradient(dz: Array, z: Array, b: Array, targets: Array, share: float) -> None:
    for m in range(z.shape[0]):
        for i in range(z.shape[1]):
            most, total = z[m, i, 0] + b[m, 0], z.dtype.type(0)
            for j in range(1, z.shape[2]):
                most = max(most, z[m, i, j] + b[m, j])
            for j in range(z.shape[2]):
                dz[m, i, j] = np.exp(z[m, i, j] + b[m, j] - most)
                total += dz[m, i, j]
            for j in range(z.shape[2]):
                dz[m, i, j] *= share / total
            dz[m, i, targets[m, i]] -= share


@jit
def _adam(p: Array, g: Array, mean: Array, square: Array, c1: float, c2: float) -> None:
    for i in range(p.size):
        mean[i] = B1 * mean[i] + (np.float32(1) - B1) * g[i]
        square[i] = B2 * square[i] + (np.float32(1) - B2) * g[i] * g[i]
        p[i] -= RATE * (mean[i] * c1) / (np.sqrt(square[i] * c2) + EPSILON)


class PackedStep:
    """A training step of k networks with relu between dense layers and cross-entropy, by Adam.

    Args:
        k: Networks.
        sizes: Of the layers.
        x, classes: All rows.
        batch: Rows of a step, for each network its own.
        compiled: Whether loops are compiled.
    """

    def __init__(
        self, k: int, sizes: tuple[int, ...], x: Array, classes: Array, batch: int, compiled: bool
    ) -> None:
        draw = np.random.Generator(np.random.PCG64(0))
        self.k, self.x, self.classes, self.batch, self.compiled = k, x, classes, batch, compiled
        count = sum(i * o + o for i, o in pairwise(sizes))
        self.p, self.g, self.mean, self.square, self.work, self.more = (
            np.zeros((k, count), np.float32) for _ in range(6)
        )
        self.w, self.b, self.dw, self.db = [], [], [], []
        at = 0
        for i, o in pairwise(sizes):
            self.p[:, at : at + i * o] = draw.normal(size=(k, i * o)) / np.sqrt(i)
            for flat, w, b in ((self.p, self.w, self.b), (self.g, self.dw, self.db)):
                w.append(flat[:, at : at + i * o].reshape(k, i, o))  # views: rows are contiguous
                b.append(flat[:, at + i * o : at + i * o + o])
            at += i * o + o
        self.y, self.dy, self.mask = (
            [np.zeros((k, batch, o), kind) for o in sizes]
            for kind in (np.float32, np.float32, np.bool_)
        )
        self.targets = np.zeros((k, batch), classes.dtype)
        self.steps = 0

    def __call__(self, rows: Array) -> None:
        """One step of each network on rows (k, batch) of its own."""
        self.steps += 1
        self.x.take(rows, 0, self.y[0], "clip")
        self.classes.take(rows, 0, self.targets, "clip")
        last = len(self.w) - 1
        for at, (w, b) in enumerate(zip(self.w, self.b, strict=True)):
            y = self.y[at + 1]
            np.matmul(self.y[at], w, y)
            if self.compiled:
                if at < last:
                    _bias_relu(y, b)
                continue
            np.add(y, b[:, None], y)
            if at < last:
                y.clip(0, None, y)
        share, z, dz = np.float32(1 / self.batch), self.y[-1], self.dy[-1]
        if self.compiled:
            _loss_gradient(dz, z, self.b[-1], self.targets, share)
        else:
            np.exp(np.subtract(z, z.max(-1, keepdims=True), z), dz)
            dz *= share / dz.sum(-1, keepdims=True)
            places = np.arange(self.targets.size), self.targets.ravel()
            dz.reshape(-1, z.shape[-1])[places] -= share
        for at in range(last, -1, -1):
            dy, y = self.dy[at + 1], self.y[at + 1]
            if self.compiled and at < last:
                _relu_gradient(dy, y, self.db[at])
            else:
                if at < last:
                    np.multiply(dy, np.greater(y, 0, self.mask[at + 1]), dy)
                np.add.reduce(dy, 1, None, self.db[at])
            if at:
                np.matmul(dy, self.w[at].swapaxes(1, 2), self.dy[at])
            np.matmul(self.y[at].swapaxes(1, 2), dy, self.dw[at])
        self._update()

    def _update(self) -> None:
        c1, c2 = (np.float32(1 / (1 - float(b) ** self.steps)) for b in (B1, B2))
        if self.compiled:
            arrays = (one.reshape(-1) for one in (self.p, self.g, self.mean, self.square))
            _adam(*arrays, c1, c2)
            return
        m, v, a, b = self.mean, self.square, self.work, self.more
        np.add(np.multiply(m, B1, m), np.multiply(self.g, 1 - B1, a), m)
        np.multiply(np.multiply(self.g, self.g, a), 1 - B2, a)
        np.add(np.multiply(v, B2, v), a, v)
        np.add(np.sqrt(np.multiply(v, c2, a), a), EPSILON, a)
        np.divide(np.multiply(m, RATE * c1, b), a, b)
        np.subtract(self.p, b, self.p)


def assert_equal_bits(packed: PackedStep) -> None:
    """Stacked products have the bits of products alone."""
    for y, w in zip(packed.y, packed.w, strict=False):
        stacked = np.matmul(y, w)
        for j in range(packed.k):
            np.testing.assert_array_equal(stacked[j], y[j].dot(w[j]))


def microseconds(call: Callable[[], Any]) -> float:
    """Of CPU time: other programs on the machine disturb it less."""
    start = time.process_time()
    call()
    return 1e6 * (time.process_time() - start)


def measure(sizes: tuple[int, ...], batch: int, kernels: str, rounds: int) -> str:
    """The line of one network: fastest rounds, alternating."""
    draw = np.random.Generator(np.random.PCG64(0))
    x = draw.random((ROWS, sizes[0]), dtype=np.float32)
    classes = draw.integers(0, sizes[-1], ROWS)
    settings = [f"training.kernels={kernels}", f"model.hidden={list(sizes[1:-1])}"]
    run = prepare_run(
        product.HERE / "workloads" / "small.yaml",
        data=(x, classes.astype(str)),
        sets=[*settings, f"training.batch_size={batch}"],
    )
    steps = ROWS // batch
    packed = {k: PackedStep(k, sizes, x, classes, batch, kernels == "numba") for k in GROUPS}
    times: dict[int, list[float]] = {k: [] for k in (1, *GROUPS)}
    with product.one_blas_thread(), run.workers(1):
        product.epoch(run)
        for _ in range(rounds):
            times[1].append(microseconds(lambda: product.epoch(run)) / steps)
            for k, one in packed.items():
                order = np.stack([draw.permutation(ROWS) for _ in range(k)])
                rows = [order[:, i * batch : (i + 1) * batch].copy() for i in range(steps)]
                taken = microseconds(lambda one=one, rows=rows: [one(each) for each in rows])
                times[k].append(taken / steps / k)
        for one in packed.values():
            assert_equal_bits(one)
    name = f"{'-'.join(map(str, sizes))}, batch {batch}, {kernels}"
    return f"{name:40}" + "".join(f"{k:>4}: {min(found):7.1f}" for k, found in times.items())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=12)
    given = parser.parse_args()
    for sizes, batch in SHAPES:
        for kernels in ("numpy", "numba"):
            print(measure(sizes, batch, kernels, given.rounds), flush=True)
