"""Batched inference: outputs in evaluation mode, chunk by chunk, by replaying the forward pass."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from nettrain.autodiff.plan.memory import Arena
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.plan.shards import RunTasks
from nettrain.autodiff.tensor import Tensor
from nettrain.autodiff.trace import recording
from nettrain.nn.bound_layer import BoundLayer
from nettrain.nn.layer import Layer, Scope

MAX_CHUNK_SIZE = 1024
MAX_CHUNK_BYTES = 16e6  # of the widest layer's inputs and outputs: larger chunks leave the cache
MAX_SHORT_SIZES = 4  # of shorter chunks that are replayed: each takes memory of its own


def chunk_size_for(layers: Sequence[BoundLayer], item_size: int) -> int:
    """Returns the rows per chunk: a power of two that depends on the layers alone.

    BLAS results depend on the shapes of the operands, so the size must not depend on the machine.
    """
    widest = max((math.prod(p.input_shape) + math.prod(p.output_shape) for p in layers), default=1)
    fitting = math.log2(MAX_CHUNK_BYTES / (item_size * widest)) // 1
    return int(2 ** min(math.log2(MAX_CHUNK_SIZE), max(0, fitting)))


class Rows(Protocol):
    """An array, or rows that stay on disk: whatever returns an array for a slice of its rows."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> np.ndarray: ...


class _Replay:
    """The recorded forward pass of one chunk. Each call overwrites the outputs of the last one."""

    def __init__(
        self,
        layers: Sequence[tuple[str, Layer]],
        scope: Scope,
        shape: tuple[int, ...],
        dtype: Any,
        compiled: bool,
    ) -> None:
        self._x = np.zeros(shape, dtype)
        with recording() as trace:
            y = scope.forward(layers, Tensor(self._x, feed=True))
        self.data_dependent = trace.data_dependent
        self._y = y.value
        self._plan = None if y.node is None else Plan(y, None, arena=Arena(), compiled=compiled)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        self._x[...] = x
        if self._plan is not None:
            self._plan.forward()
        return self._y


class BatchedInference:
    """Computes the outputs of layers for any number of rows.

    Full chunks are replayed. The last, shorter chunk runs eagerly when so many rows come for the
    first time, and is replayed from then on: the validation part is evaluated once per epoch. Every
    chunk runs eagerly where a layer has data-dependent control flow. All of it gives the same bits
    where no kernel is compiled, and shorter chunks never use compiled kernels.

    Args:
        layers: the network.
        eager, replayed: the scopes of the two modes. Both hold the same arrays: as constants in
            `eager`, as feeds in `replayed`, because their values may change between calls.
        shape: of one input row.
        dtype: of inputs and outputs.
        compiled: whether compiled kernels replay full chunks.

    Attributes:
        chunk_size: rows per chunk. Set it before the first call, if at all.
    """

    def __init__(
        self,
        layers: Sequence[BoundLayer],
        eager: Scope,
        replayed: Scope,
        shape: tuple[int, ...],
        dtype: Any,
        compiled: bool,
    ) -> None:
        self.chunk_size = chunk_size_for(layers, np.dtype(dtype).itemsize)
        self._eager_scope, self._replay_scope = eager, replayed
        self._layers = [(bound.name, bound.layer) for bound in layers]
        self._shape, self._dtype, self._compiled = shape, dtype, compiled
        self._output_shape = layers[-1].output_shape if layers else shape
        # By the number of rows, as many as there have been concurrent threads.
        self._idle: dict[int, list[_Replay]] = {}
        self._short_sizes: set[int] = set()
        self._data_dependent = False

    def __call__(self, x: Rows, run_tasks: RunTasks | None = None) -> np.ndarray:
        """Returns the outputs (n, ...) for x (n, ...).

        Args:
            x: the rows.
            run_tasks: runs the chunks, on one thread or several; None: one after the other.
        """
        outputs = np.empty((len(x), *self._output_shape), self._dtype)
        tasks = [
            partial(self._run_chunk, x, outputs, slice(start, start + self.chunk_size))
            for start in range(0, len(x), self.chunk_size)
        ]
        if run_tasks is not None:
            run_tasks(tasks)
        else:
            for task in tasks:
                task()
        return outputs

    def _run_chunk(self, x: Rows, outputs: np.ndarray, chunk: slice) -> None:
        rows = np.asarray(x[chunk], self._dtype)
        if self._data_dependent or not self._recurs(len(rows)):
            outputs[chunk] = self._eager(rows)
            return
        idle = self._idle.setdefault(len(rows), [])
        try:
            replay = idle.pop()
        except IndexError:
            replay = self._record(len(rows))
        if replay.data_dependent:
            self._data_dependent = True
            outputs[chunk] = self._eager(rows)
            return
        outputs[chunk] = replay(rows)
        idle.append(replay)

    def _recurs(self, rows: int) -> bool:
        """Whether chunks of so many rows come again and again."""
        if rows == self.chunk_size or rows in self._idle:
            return True
        seen, full = rows in self._short_sizes, len(self._idle) > MAX_SHORT_SIZES
        self._short_sizes.add(rows)
        return seen and not full

    def _record(self, rows: int) -> _Replay:
        compiled = self._compiled and rows == self.chunk_size
        return _Replay(
            self._layers, self._replay_scope, (rows, *self._shape), self._dtype, compiled
        )

    def _eager(self, x: np.ndarray) -> np.ndarray:
        return self._eager_scope.forward(self._layers, Tensor(x)).value
