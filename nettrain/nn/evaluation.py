"""A network's outputs in evaluation: portions of rows, replayed by plans of the way forward alone, on memory that stays."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from nettrain.autodiff.plan.memory import Arena
from nettrain.autodiff.plan.plan import Plan, itself
from nettrain.autodiff.plan.shards import Together
from nettrain.autodiff.primitive import Primitive
from nettrain.autodiff.tensor import Tensor
from nettrain.autodiff.trace import recording
from nettrain.nn.bound_layer import BoundLayer
from nettrain.nn.layer import Scope

MOST_ROWS = 1024
BYTES = 16e6  # that the widest layer's rows may take, in and out: larger portions leave the cache, and gain nothing


def portion_rows(layers: Sequence[BoundLayer], item_size: int) -> int:
    """The rows of a portion: a function of the layers alone, because BLAS gives other bits for other shapes."""
    widest = max((math.prod(p.input_shape) + math.prod(p.output_shape) for p in layers), default=1)
    return int(2 ** min(math.log2(MOST_ROWS), max(0, math.log2(BYTES / (item_size * widest)) // 1)))


class Rows(Protocol):
    """An array, or what gives one for a slice of its rows: rows that stay on disk."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> np.ndarray: ...


class Replay:
    """A portion's computation. Calling it with rows gives the outputs in an array that the next call writes over."""

    def __init__(self, layers: Sequence[BoundLayer], scope: Scope, rows: int, shape: tuple[int, ...], dtype: Any,
                 twin: Callable[[Primitive], Primitive]) -> None:  # fmt: skip
        self._x = np.zeros((rows, *shape), dtype)
        with recording() as seen:
            y = Tensor(self._x, feed=True)
            for p in layers:
                y = scope.run(p.name, p.layer, y)
        self.steered = seen.steered
        self._y = y.value
        self._plan = None if y.node is None else Plan(y, None, arena=Arena(), twin=twin)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """For as many rows as it was made for."""
        self._x[...] = x
        if self._plan is not None:
            self._plan.forward()
        return self._y


class Evaluation:
    """Gives the outputs of layers for any number of rows.

    scope, replayed  in which they are applied, eagerly and in replays: the same arrays, constants there and feeds here, since what they
                     hold may change from one call to the next
    rows, twin       of a portion; see `Plan`. To be set before the first call, if at all
    Full portions are replayed, the last, shorter one runs eagerly: to the same bits where there are no twins.
    """

    def __init__(
        self,
        layers: Sequence[BoundLayer],
        scope: Scope,
        replayed: Scope,
        shape: tuple[int, ...],
        output_shape: tuple[int, ...],
        dtype: Any,
    ) -> None:
        self.rows = portion_rows(layers, np.dtype(dtype).itemsize)
        self.twin: Callable[[Primitive], Primitive] = itself
        self._layers, self._scope, self._replayed = layers, scope, replayed
        self._shape, self._output_shape, self._dtype = shape, output_shape, dtype
        self._replays: list[
            Replay
        ] = []  # that nobody uses just now: as many as there have been threads
        self._steered = False

    def __call__(self, x: Rows, together: Together | None = None) -> np.ndarray:
        """The outputs (n, ...) for x (n, ...). together: runs the portions, on one thread or several."""
        found = np.empty((len(x), *self._output_shape), self._dtype)
        tasks = [
            partial(self._portion, x, found, slice(start, start + self.rows))
            for start in range(0, len(x), self.rows)
        ]
        if together is not None:
            together(tasks)
        else:
            for task in tasks:
                task()
        return found

    def _portion(self, x: Rows, found: np.ndarray, part: slice) -> None:
        rows = np.asarray(x[part], self._dtype)
        if len(rows) < self.rows or self._steered:
            found[part] = self._eager(rows)
            return
        try:
            replay = self._replays.pop()
        except IndexError:
            replay = Replay(
                self._layers, self._replayed, self.rows, self._shape, self._dtype, self.twin
            )
        if replay.steered:
            self._steered = True
            found[part] = self._eager(rows)
            return
        found[part] = replay(rows)
        self._replays.append(replay)

    def _eager(self, x: np.ndarray) -> np.ndarray:
        y = Tensor(x)
        for p in self._layers:
            y = self._scope.run(p.name, p.layer, y)
        return y.value
