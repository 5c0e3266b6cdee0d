"""The NumPy statement of every operation that a network in evaluation mode can consist of."""

import re
from collections.abc import Callable
from typing import Any

from nettrain.autodiff.primitive import Primitive
from nettrain.export.inference_graph import INPUT, InferenceGraph, Operation, Rows, Size
from nettrain.export.numpy.layout import literal, statement

Form = Callable[..., str]

ELEMENTWISE: dict[str, Form] = {
    "Add": lambda p, a, b: f"{a} + {b}",
    "Subtract": lambda p, a, b: f"{a} - {b}",
    "Multiply": lambda p, a, b: f"{a} * {b}",
    "Divide": lambda p, a, b: f"{a} / {b}",
    "Negative": lambda p, a: f"-({a})",
    "Power": lambda p, a: f"({a}) ** {p.exponent!r}",
    "PowerOf": lambda p, a, b: f"{a} ** {b}",
    "Exp": lambda p, a: f"np.exp({a})",
    "Log": lambda p, a: f"np.log({a})",
    "Sqrt": lambda p, a: f"np.sqrt({a})",
    "Erf": lambda p, a: f"erf({a})",
    "Gelu": lambda p, a: f"gelu({a})",
    "Relu": lambda p, a: f"np.maximum({a}, 0)",
    "LeakyRelu": lambda p, a: f"np.maximum({a}, 0) + {p.slope!r} * np.minimum({a}, 0)",
    "Prelu": lambda p, a, s: f"np.maximum({a}, 0) + {s} * np.minimum({a}, 0)",
    "Absolute": lambda p, a: f"np.abs({a})",
    "Step": lambda p, a: f"({a} > 0).astype({a}.dtype)",
    "Clip": lambda p, a: f"np.clip({a}, {p.low!r}, {p.high!r})",
    "Maximum": lambda p, a, b: f"np.maximum({a}, {b})",
    "Minimum": lambda p, a, b: f"np.minimum({a}, {b})",
    "Where": lambda p, c, a, b: f"np.where({c}, {a}, {b})",
    "Sigmoid": lambda p, a: f"sigmoid({a})",
    "Tanh": lambda p, a: f"np.tanh({a})",
    "Cos": lambda p, a: f"np.cos({a})",
    "Sin": lambda p, a: f"np.sin({a})",
    "Silu": lambda p, a: f"({a}) * sigmoid({a})",
    "Softplus": lambda p, a: f"softplus({a})",
    "Softsign": lambda p, a: f"({a}) / (1 + np.abs({a}))",
    "Elu": lambda p, a: f"elu({a}, {p.alpha!r}, {p.scale!r})",
    "Mish": lambda p, a: f"({a}) * np.tanh(softplus({a}))",
    "Copy": lambda p, a: f"{a}",
}


def _activated(activation: Primitive | None, y: str) -> str:
    return y if activation is None else _form(activation, ELEMENTWISE)(activation, y)


def _convolved(p: Any, x: str, w: str, *bias: str, groups: str | int | None = None) -> str:
    count = p.groups if groups is None else groups
    given = {"stride": p.stride, "padding": p.padding, "dilation": p.dilation, "groups": count}
    plain = {"stride": (1, 1), "padding": NO_PADDING, "dilation": (1, 1), "groups": 1}
    keywords = [f"{key}={value}" for key, value in given.items() if value != plain[key]]
    return " + ".join([f"convolution({', '.join([x, w, *keywords])})", *bias])


def _block(p: Any, x: str, *weights: str) -> str:
    y = _activated(p.activation, _convolved(p.convolution, x, *weights))
    return y if p.pool is None else _max_pool(p.pool, y)


def _max_pool(p: Any, x: str) -> str:
    return _pooled("max_pool", p, x)


def _pooled(function: str, p: Any, x: str) -> str:
    padding = "" if p.padding == NO_PADDING else f", {p.padding}"
    return f"{function}({x}, {p.size}, {p.stride}{padding})"


def _key(key: Any) -> str:
    if isinstance(key, slice):
        ends = ["" if end is None else str(end) for end in (key.start, key.stop, key.step)]
        return ":".join(ends[:2] if key.step is None else ends)
    return "..." if key is Ellipsis else str(key)


OTHERS: dict[str, Form] = {
    "Affine": lambda p, x, w, b: _activated(
        p.activation, f"({_form(p.product, OTHERS)(p.product, x, w)} + {b})"
    ),
    "Matmul": lambda p, x, w: f"{x} @ {w}",
    "Scale": lambda p, x, s: f"({x} * {s})",
    "ParametricActivation": lambda p, x, a: f"({x} + {a} * ({_activated(p.function, x)} - {x}))",
    "Embedding": lambda p, x, *tables: f"embedding({', '.join((x, *tables))})",
    "FeatureProduct": lambda p, x, w: f"({x}.swapaxes(0, 1) @ {w}).swapaxes(0, 1)",
    "Convolution": _convolved,
    "Depthwise": lambda p, x, *w: _convolved(p, x, *w, groups=f"{x}.shape[-1]"),
    "ConvolutionBlock": _block,
    "MaxPool": _max_pool,
    "AveragePool": lambda p, x: _pooled("average_pool", p, x),
    "GlobalAveragePool": lambda p, x: f"{x}.mean(axis=(1, 2))",
    "GlobalMaxPool": lambda p, x: f"{x}.max(axis=(1, 2))",
    "Normalize": lambda p, x, m, g, b: f"normalize({x}, {m}, {g}, {b}, {p.epsilon!r})",
    "NormalizationBlock": lambda p, *operands: _activated(
        p.activation, _form(p.normalization, OTHERS)(p.normalization, *operands)
    ),
    "NormalizeRows": lambda p, x, g, b: f"layer_norm({x}, {g}, {b}, {p.epsilon!r})",
    "NormalizeGroups": lambda p, x, g, b: f"group_norm({x}, {g}, {b}, {p.groups}, {p.epsilon!r})",
    "Softmax": lambda p, x: f"softmax({x})",
    "LogSoftmax": lambda p, x: f"{x} - logsumexp({x})[..., None]",
    "LogSumExp": lambda p, x: f"logsumexp({x})",
    "Sort": lambda p, x: f"np.sort({x}, axis=-1)",
    "Sum": lambda p, x: f"{x}.sum(axis=-1)",
    "Max": lambda p, x: f"{x}.max(axis=-1)",
    "Min": lambda p, x: f"{x}.min(axis=-1)",
    "Transpose": lambda p, x: f"{x}.transpose{tuple(p.axes)}",
    "Slice": lambda p, x: f"{x}[{', '.join(map(_key, p.key))}]",
    "Concatenate": lambda p, *xs: f"np.concatenate([{', '.join(xs)}], axis={p.axis})",
    "Pad": lambda p, x: f"np.pad({x}, {tuple(map(tuple, p.widths))}, constant_values={p.value!r})",
    "Gather": lambda p, x, *i: f"{x}[{', '.join(f'{one}.astype(int)' for one in i)}]",
    "Pick": lambda p, x, i: f"{x}[np.arange(len({x})), {i}.astype(int)]",
    "Interpolate": lambda p, x: f"upsample_linear({x}, {p.axis}, {p.factor})",
}
_OF_SHAPE = {"Reshape", "Broadcast"}
NO_PADDING = ((0, 0), (0, 0))


def missing_statements(graph: InferenceGraph) -> list[str]:
    """A sentence for every operation that has no statement."""
    return [
        f"{operation.layer or 'the loss'}: the operation {type(operation.primitive).__name__} has "
        "no form in NumPy; give its class a method to_numpy(self, *operands) that returns an "
        "expression"
        for operation in graph.operations.values()
        if not hasattr(operation.primitive, "to_numpy") and not has_form(operation.primitive)
    ]


def has_form(primitive: Primitive) -> bool:
    """Whether the tables have an operation, or the one that it derives from."""
    known = {*ELEMENTWISE, *OTHERS, *_OF_SHAPE}
    return any(kind.__name__ in known for kind in type(primitive).__mro__)


def network_lines(graph: InferenceGraph) -> list[str]:
    """The body of `network(x)`: a statement for each operation, named and grouped by layers."""
    return _Body(graph).lines()


class _Body:
    """Writes a graph: what is used once in a sum, and what NumPy broadcasts itself, in place."""

    def __init__(self, graph: InferenceGraph) -> None:
        self.graph = graph
        self.last = {one.layer: name for name, one in graph.operations.items() if one.layer}

    def lines(self) -> list[str]:
        written, layer = [], ""
        for name, operation in self.graph.operations.items():
            if self._in_place(operation):
                continue
            variable = self.variable(name)
            if operation.layer != layer:
                layer = operation.layer
                kind = self.graph.layers.get(layer, "")
                says_it = variable.startswith(kind)
                written += [f"# {layer}: {kind}"] if kind and not says_it else []
            shape = f"({', '.join(map(_size, operation.shape))}{',' * (len(operation.shape) == 1)})"
            written += statement(variable, self._expression(operation), shape)
        return [*written, f"return {self.value(self.graph.output)}"]

    def variable(self, name: str) -> str:
        """The Python name of a value: that of its layer for the layer's output."""
        layer = self.graph.operations[name].layer
        if name == self.graph.output and not layer:
            name = "output"
        elif not layer:
            name = f"output_{name}"
        elif self.last[layer] == name:
            name = layer
        return re.sub(r"\W", "_", name)

    def value(self, name: str) -> str:
        """A value as operand."""
        if name in self.graph.constants:
            return f"W[{literal(name)}]"
        if name == INPUT:
            return INPUT
        operation = self.graph.operations[name]
        return self._expression(operation) if self._in_place(operation) else self.variable(name)

    def _in_place(self, operation: Operation) -> bool:
        users = self.graph.consumers(operation.name)
        if operation.name == self.graph.output or not users:
            return False
        kinds = [_kinds(user.primitive) for user in users]
        if "Broadcast" in _kinds(operation.primitive):
            return all(kind & {"Add", "Subtract", "Multiply", "Divide"} for kind in kinds) and all(
                size == 1 or operation.shape[-len(shape) :] == shape
                for shape in [self._shape(operation.inputs[0])]
                for size in shape[:1]
            )
        is_product = "Matmul" in _kinds(operation.primitive)
        return is_product and len(users) == 1 and "Add" in kinds[0]

    def _shape(self, name: str) -> tuple[Any, ...]:
        if name in self.graph.constants:
            return self.graph.constants[name].shape
        return () if name == INPUT else self.graph.operations[name].shape

    def _expression(self, operation: Operation) -> str:
        p: Any = operation.primitive
        inputs = [self.value(name) for name in operation.inputs]
        if hasattr(p, "to_numpy"):
            return str(p.to_numpy(*inputs))
        kinds = _kinds(p)
        if "Reshape" in kinds:
            return f"{inputs[0]}.reshape({_sizes(operation, '-1')})"
        if "Broadcast" in kinds:
            if self._in_place(operation):
                return inputs[0]
            return f"np.broadcast_to({inputs[0]}, ({_sizes(operation, 'len(x)')},))"
        return _form(p, ELEMENTWISE | OTHERS)(p, *inputs)


def _kinds(primitive: Primitive) -> set[str]:
    return {kind.__name__ for kind in type(primitive).__mro__}


def _size(size: Size) -> str:
    """As a comment says it: n for the rows."""
    if isinstance(size, Rows):
        return "n" if size.factor == 1 else f"{size.factor} n"
    return str(size)


def _sizes(operation: Operation, rows: str) -> str:
    sizes = (
        (rows if rows == "-1" or size.factor == 1 else f"{size.factor} * {rows}")
        if isinstance(size, Rows)
        else str(size)
        for size in operation.shape
    )
    return ", ".join(sizes)


def _form(primitive: Primitive, table: dict[str, Form]) -> Form:
    return next(table[kind.__name__] for kind in type(primitive).__mro__ if kind.__name__ in table)
