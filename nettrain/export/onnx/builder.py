"""Builds an ONNX graph: nodes, initializers, and values in two orders of their axes."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from nettrain.autodiff.primitive import Array

TO_FIRST, TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
# What onnxruntime computes in float32 alone.
FLOAT32_ALONE = {
    "Atan",
    "AveragePool",
    "Conv",
    "Erf",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "InstanceNormalization",
    "Resize",
}


class Builder:
    """The nodes of one graph, in order.

    Args:
        dtype: Of the numbers of networks.

    Attributes:
        prefix: In front of the names of nodes, such as the layer's path.
        rows: A value that has the rows of the batch on its first axis.
    """

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype, self.prefix, self.rows = dtype, "", ""
        self.nodes: list[Any] = []
        self.initializers: dict[str, Array] = {}
        self._taken: set[str] = set()

    def name(self, wanted: str) -> str:
        """The name, with a number if it is taken."""
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name

    def constant(self, value: Any, name: str | None = None, dtype: Any = None) -> str:
        """An initializer.

        Args:
            value: An array, or what makes one.
            name: Wanted; by default after the node that uses it.
            dtype: By default that of the network for floating-point numbers.
        """
        array = np.asarray(value)
        if dtype is None and array.dtype.kind == "f":
            dtype = self.dtype
        array = np.ascontiguousarray(array.astype(dtype or array.dtype)).reshape(array.shape)
        given = self.name(name or f"{self.prefix}constant")
        self.initializers[given] = array
        return given

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """A node with one output; returns the name of its value.

        Where the network has float64 and onnxruntime the operator for float32 alone, the inputs are
        cast to float32 and the output back.
        """
        if self.dtype == np.float32 or operator not in FLOAT32_ALONE:
            return self._node(operator, *inputs, name=name, **attributes)
        narrow = [value and self.cast(value, np.float32) for value in inputs]
        return self.cast(self._node(operator, *narrow, name=name, **attributes), self.dtype)

    def _node(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = self.name(name or f"{self.prefix}{operator}")
        self.nodes.append(
            helper.make_node(
                operator,
                list(inputs),
                [output],
                name=output,
                domain="ai.onnx.ml" if operator == "LabelEncoder" else "",
                **{key: value for key, value in attributes.items() if value is not None},
            )
        )
        return output

    def sort(self, value: str, size: int) -> str:
        """The value in rising order along its last axis, of this size."""
        from onnx import helper

        sorted_, places = self.name(f"{self.prefix}Sort"), self.name(f"{self.prefix}Sort_places")
        inputs = [value, self.constant(np.array([size], np.int64))]
        node = helper.make_node("TopK", inputs, [sorted_, places], name=sorted_, largest=0)
        self.nodes.append(node)
        return sorted_

    def cast(self, value: str, dtype: Any) -> str:
        """The value in another type."""
        from onnx import helper

        return self.add("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def reshape(self, value: str, sizes: Iterable[int]) -> str:
        """The value in another shape; -1 is what is left."""
        return self.add("Reshape", value, self.constant(np.array(list(sizes), np.int64)))

    def permute(self, value: str, axes: Iterable[int]) -> str:
        """The axes in another order."""
        return self.add("Transpose", value, perm=list(axes))

    def count(self) -> str:
        """The number of rows, as a vector of one element."""
        return self.add("Shape", self.rows, start=0, end=1)

    def scalar(self, value: float) -> str:
        """A number of the network's type."""
        return self.constant(np.array(value, self.dtype))
