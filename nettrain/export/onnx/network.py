"""The operations of a network as ONNX nodes; images keep their channels first where they can."""

from typing import Any

import numpy as np

from nettrain.autodiff.ops.shape import Broadcast
from nettrain.export.inference_graph import (
    INPUT,
    InferenceGraph,
    NotExportable,
    Operation,
    Rows,
    Size,
)
from nettrain.export.onnx.builder import TO_FIRST, TO_LAST, Builder


class Values:
    """The values of a network's graph as ONNX values.

    nettrain's images are (n, h, w, c) and ONNX's (n, c, h, w). A value that an operator left with
    its channels first is transposed only if an operation wants it otherwise, and at most once.

    Args:
        builder: The graph to add to.
        graph: Of the network.
        x: The ONNX value of its input.
        prefix: In front of all names: an ensemble's member.
    """

    def __init__(self, builder: Builder, graph: InferenceGraph, x: str, prefix: str = "") -> None:
        self.builder, self.graph, self._prefix = builder, graph, prefix
        self._last: dict[str, str] = {INPUT: x}
        self._first: dict[str, str] = {}

    def shape(self, name: str) -> tuple[Size, ...]:
        """The shape of a value."""
        if name == INPUT:
            return (Rows(), *self.graph.input_shape)
        if name in self.graph.constants:
            return tuple(self.graph.constants[name].shape)
        return self.graph.operations[name].shape

    def named(self, name: str) -> str:
        """The name of a constant in the ONNX graph."""
        return self._prefix + name

    def constant(self, name: str) -> np.ndarray | None:
        """The array of a constant; None for what depends on the input."""
        return self.graph.constants.get(name)

    def last(self, name: str) -> str:
        """The ONNX value with its axes in nettrain's order."""
        if name not in self._last:
            if name in self.graph.constants:
                array = self.graph.constants[name]
                self._last[name] = self.builder.constant(array, self.named(name))
            elif name in self._first:
                self._last[name] = self.builder.permute(self._first[name], TO_LAST)
            else:
                self._last[name] = self._expanded(self.graph.operations[name])
        return self._last[name]

    def first(self, name: str) -> str:
        """The ONNX value of images, (n, c, h, w)."""
        if name not in self._first:
            array = self.graph.constants.get(name)
            if array is not None:
                four = array.reshape((1,) * (4 - array.ndim) + array.shape)
                self._first[name] = self.builder.constant(
                    four.transpose(TO_FIRST), self.named(name)
                )
            else:
                self._first[name] = self.builder.permute(self.last(name), TO_FIRST)
        return self._first[name]

    def has_first(self, name: str) -> bool:
        """Whether the value is there with its channels first, or can be had so for nothing."""
        return name in self._first or (name in self.graph.constants)

    def set_last(self, operation: Operation, value: str) -> None:
        """The ONNX value of an operation, in nettrain's order of axes."""
        self._last[operation.name] = value

    def set_first(self, operation: Operation, value: str) -> None:
        """The ONNX value of an operation, channels first."""
        self._first[operation.name] = value

    def elementwise(self, operation: Operation, build: Any) -> None:
        """Add an element-wise operation; ONNX repeats operands itself, so they are not expanded."""
        operands = [self._source(name, operation) for name in operation.inputs]
        images = len(operation.shape) == 4 and any(name in self._first for name in operands)
        if images and all(self.has_first(name) for name in operands):
            inputs = [self.first(name) for name in operands]
            self._first[operation.name] = build(self.builder, operation.primitive, *inputs)
        else:
            inputs = [self.last(name) for name in operands]
            self._last[operation.name] = build(self.builder, operation.primitive, *inputs)

    def _source(self, name: str, operation: Operation) -> str:
        """What is repeated, if another operand has the whole shape."""
        if not self._repeated(name):
            return name
        others = (other for other in operation.inputs if other != name)
        whole = any(
            not self._repeated(other) and other not in self.graph.constants for other in others
        )
        return self.graph.operations[name].inputs[0] if whole else name

    def _repeated(self, name: str) -> bool:
        made = self.graph.operations.get(name)
        return made is not None and isinstance(made.primitive, Broadcast)

    def _expanded(self, operation: Operation) -> str:
        """A repeated value, where its repeats are wanted in memory."""
        (source,) = operation.inputs
        inner = self.shape(source)
        given = (1,) * (len(operation.shape) - len(inner)) + inner
        sizes: list[str] = []
        for size, there in zip(operation.shape, given, strict=True):
            if isinstance(size, int):
                sizes.append(self.builder.constant(np.array([size], np.int64)))
            elif size == there:
                sizes.append(self.builder.constant(np.array([1], np.int64)))
            elif size.factor == 1:
                sizes.append(self.builder.count())
            else:
                raise NotExportable(not_exportable(operation))
        shape = self.builder.add("Concat", *sizes, axis=0)
        return self.builder.add("Expand", self.last(source), shape)


def not_exportable(operation: Operation) -> str:
    """That an operation has no ONNX form, and what to do."""
    kind = type(operation.primitive).__name__
    return (
        f"{operation.layer or 'loss'}: the operation {kind} has no ONNX form; give its class a "
        "method to_onnx(self, builder, *inputs) that adds nodes and returns the name of its value"
    )
