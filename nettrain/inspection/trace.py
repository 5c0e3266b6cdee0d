"""Rows through a network in numbers, as one calculates by hand: forward, loss, backward."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from nettrain.autodiff.primitive import Array
from nettrain.inspection.computation_graph import ComputationGraph, Value

Index = tuple[int, ...]

INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
VIEWS = {"broadcast", "copy"}  # the same numbers: named as what they are made of


@dataclass(frozen=True)
class Line:
    """One step of the calculation: `v3[0, 1] = -1 * 2 + 1 = -1`.

    Attributes:
        target: What is computed: `v3[0, 1]`, `d dense_1.w[0, 1]`.
        expression: How, with the numbers put in.
        result: The number that comes out.
    """

    target: str
    expression: str
    result: float


@dataclass(frozen=True)
class Section:
    """One operation of the forward or backward pass.

    Attributes:
        layer: The layer that it belongs to; `loss`.
        formula: In names: `v3 = x dense_1.w + dense_1.b`.
        shape: Of the result.
        lines: One per element, as far as they are shown.
        omitted: How many elements are not shown.
    """

    layer: str
    formula: str
    shape: tuple[int, ...]
    lines: tuple[Line, ...]
    omitted: int


@dataclass(frozen=True)
class Speller:
    """Writes calculations with their numbers.

    Attributes:
        digits: Significant digits of every number.
        elements: How many elements of a value are shown; None: all.
        terms: How many terms of a sum are shown; None: all.
    """

    digits: int = 4
    elements: int | None = 6
    terms: int | None = 6

    def number(self, value: float) -> str:
        """A number to the chosen digits; negative ones in brackets are up to `operand`."""
        text = f"{float(value):.{self.digits}g}"
        return "0" if text == "-0" else text

    def operand(self, value: float) -> str:
        """A number as part of an expression: a negative one stands in brackets."""
        text = self.number(value)
        return f"({text})" if text.startswith("-") else text

    def sum(self, terms: Sequence[str]) -> str:
        """Terms added; of long sums the first ones, and how many follow."""
        shown = list(terms if self.terms is None else terms[: self.terms])
        left = len(terms) - len(shown)
        return " + ".join([*shown, *([f"... ({left} more terms)"] if left else [])]) or "0"

    def indices(self, shape: tuple[int, ...]) -> list[Index]:
        """The elements that are shown."""
        return list(islice(np.ndindex(shape), self.elements))


def forward(graph: ComputationGraph, speller: Speller) -> list[Section]:
    """Every operation from the inputs to the loss, in the order in which they are computed."""
    return list(_Forward(graph, speller).sections())


def back(graph: ComputationGraph, speller: Speller) -> list[Section]:
    """The gradient of the loss with respect to every value, from the loss to the inputs."""
    return list(_Backward(graph, speller).sections())


class _Pass:
    """What both passes need: names, and which operations are shown together."""

    def __init__(self, graph: ComputationGraph, speller: Speller) -> None:
        self.graph, self.speller = graph, speller

    def source(self, name: str) -> Value:
        """The value behind views that hold the same numbers."""
        value = self.graph.values[name]
        return self.source(value.inputs[0]) if value.operation in VIEWS else value

    def label(self, name: str) -> str:
        """The name of a value; a constant of one element is its number."""
        value = self.source(name)
        if value.kind == "constant" and value.value.size == 1:
            return self.speller.number(value.value.reshape(-1)[0])
        return value.name

    def product(self, value: Value) -> Value | None:
        """The matrix product to which this sum adds a bias, if nothing else uses it."""
        if value.operation != "add":
            return None
        first = self.graph.values[value.inputs[0]]
        shared = len(self.graph.consumers(first.name)) > 1
        return first if first.operation == "matmul" and not shared else None

    def shown(self) -> list[Value]:
        """The operations that have a section of their own."""
        operations = self.graph.operations()
        merged = {found.name for value in operations if (found := self.product(value))}
        return [v for v in operations if v.operation not in VIEWS and v.name not in merged]

    def section(
        self, value: Value, formula: str, target: str, array: Array, spell: Callable[[Index], str]
    ) -> Section:
        """The section of one array: each shown element spelled."""
        indices = self.speller.indices(array.shape)
        lines = tuple(
            Line(element(target, index), spell(index), float(array[index])) for index in indices
        )
        return Section(value.layer, formula, array.shape, lines, array.size - len(lines))


class _Forward(_Pass):
    def sections(self) -> Iterator[Section]:
        for value in self.shown():
            formula, spell = self.spelled(value)
            yield self.section(value, f"{value.name} = {formula}", value.name, value.value, spell)

    def spelled(self, value: Value) -> tuple[str, Callable[[Index], str]]:
        """The formula in names, and what gives an element's expression in numbers."""
        product = self.product(value)
        if product is not None:
            bias = value.inputs[1]
            formula = f"{' '.join(map(self.label, product.inputs))} + {self.label(bias)}"
            return formula, lambda index: self.terms(product, index, [self.at(bias, index)])
        names = [self.label(name) for name in value.inputs]
        if value.operation == "matmul":
            return " ".join(names), lambda index: self.terms(value, index, [])
        if value.operation in INFIX:
            sign = f" {INFIX[value.operation]} "
            return sign.join(names), lambda i: sign.join(self.at(n, i) for n in value.inputs)
        if value.operation == "sum":
            return f"sum({names[0]})", lambda index: self.summed(value.inputs[0], index)
        if value.operation == "negative":
            return f"-{names[0]}", lambda index: f"-{self.at(value.inputs[0], index)}"
        if value.local:
            return (
                f"{value.operation}({', '.join(names)})",
                lambda index: (
                    f"{value.operation}({', '.join(self.bare(n, index) for n in value.inputs)})"
                ),
            )
        call = f"{value.operation}({', '.join(names)})"
        if value.operation == "log_softmax":
            return call, lambda index: self.log_softmax(value.inputs[0], index)
        if value.operation == "pick":
            return f"{names[0]}[i, {names[1]}[i]]", lambda index: self.picked(value, index)
        return f"{call}, {value.formula}" if value.formula else call, lambda index: ""

    def at(self, name: str, index: Index) -> str:
        return self.speller.operand(self.graph.values[name].value[index])

    def bare(self, name: str, index: Index) -> str:
        return self.speller.number(self.graph.values[name].value[index])

    def terms(self, product: Value, index: Index, more: list[str]) -> str:
        a, b = (self.graph.values[name].value for name in product.inputs)
        row, column = a[index[:-1]], b[index[:-2]][:, index[-1]]
        parts = [
            f"{self.speller.operand(p)} * {self.speller.operand(q)}"
            for p, q in zip(row, column, strict=True)
        ]
        return " + ".join([self.speller.sum(parts), *more])

    def log_softmax(self, name: str, index: Index) -> str:
        row = self.graph.values[name].value[index[:-1]]
        total = self.speller.sum([f"exp({self.speller.number(z)})" for z in row])
        return f"{self.at(name, index)} - ln({total})"

    def picked(self, value: Value, index: Index) -> str:
        chosen = int(self.graph.values[value.inputs[1]].value[index])
        return element(self.label(value.inputs[0]), (*index, chosen))

    def summed(self, name: str, index: Index) -> str:
        row = self.graph.values[name].value[index]
        return self.speller.sum([self.speller.operand(value) for value in row])


class _Backward(_Pass):
    """Every gradient once, from the operations that use the value."""

    def sections(self) -> Iterator[Section]:
        order = [v for v in reversed(self.graph.values.values()) if v.gradient is not None]
        merged = {found.name for value in self.graph.operations() if (found := self.product(value))}
        for value in order:
            if value.operation in VIEWS or value.name in merged:
                continue
            yield self.gradient(value)

    def uses(self, value: Value) -> list[tuple[Value, int]]:
        """The operations that use a value, through views too, and as which input."""
        found: list[tuple[Value, int]] = []
        for consumer in self.graph.consumers(value.name):
            for place, name in enumerate(consumer.inputs):
                if name != value.name:
                    continue
                found += self.uses(consumer) if consumer.operation in VIEWS else [(consumer, place)]
        return found

    def gradient(self, value: Value) -> Section:
        target, array = f"d {value.name}", np.asarray(value.gradient)
        uses = self.uses(value)
        if not uses:
            return self.section(value, f"{target} = 1", target, array, lambda index: "1")
        formulas, spellers = zip(*(self.contribution(value, *use) for use in uses), strict=True)
        return self.section(
            value,
            f"{target} = {' + '.join(formulas)}",
            target,
            array,
            lambda index: _joined([spell(index) for spell in spellers]),
        )

    def contribution(
        self, value: Value, use: Value, place: int
    ) -> tuple[str, Callable[[Index], str]]:
        """What one use of a value gives to its gradient: formula, and an element's expression."""
        dy, arriving = self.arriving(use)
        if use.operation == "matmul":
            return self.from_product(value, use, place, dy, arriving)
        if use.operation == "sum":
            return dy, lambda index: self.speller.operand(arriving[index[:-1]])
        if use.operation == "add" and value.value.shape != arriving.shape:
            return f"sum({dy})", lambda index: self.over_rows(arriving, value.value, index)
        if use.operation == "pick":
            return f"{dy} where picked", lambda index: self.picked(use, arriving, index)
        if use.operation == "log_softmax":
            formula = f"{dy} - exp({use.name}) sum({dy})"
            return formula, lambda index: self.from_log_softmax(use, arriving, index)
        if value.value.shape != arriving.shape or not use.local:
            rule = f", {use.derivative}" if use.derivative else ""
            return f"{use.operation}'({dy}){rule}", lambda index: ""
        local = use.local[place]
        assert local is not None
        if use.operation in ("add", "subtract"):
            sign = "-" if use.operation == "subtract" and place else ""
            return sign + dy, lambda index: sign + self.speller.operand(arriving[index])
        return (
            f"{dy} * {self.slope(use, place)}",
            lambda index: (
                f"{self.speller.operand(arriving[index])} * {self.speller.operand(local[index])}"
            ),
        )

    def picked(self, use: Value, arriving: Array, index: Index) -> str:
        chosen = int(self.graph.values[use.inputs[1]].value[index[:-1]])
        return self.speller.operand(arriving[index[:-1]]) if index[-1] == chosen else "0"

    def from_log_softmax(self, use: Value, arriving: Array, index: Index) -> str:
        row = arriving[index[:-1]]
        power = f"exp({self.speller.number(use.value[index])})"
        total = self.speller.sum([self.speller.operand(dy) for dy in row])
        return f"{self.speller.operand(arriving[index])} - {power} * ({total})"

    def slope(self, use: Value, place: int) -> str:
        if use.operation == "multiply":
            return self.label(use.inputs[1 - place])
        return f"{use.operation}'({', '.join(self.label(name) for name in use.inputs)})"

    def arriving(self, use: Value) -> tuple[str, Array]:
        """The gradient that arrives at an operation; of a product with a bias, that of the sum."""
        following = self.graph.consumers(use.name)
        if len(following) == 1 and self.product(following[0]) is use:
            use = following[0]
        return f"d {use.name}", np.asarray(use.gradient)

    def from_product(
        self, value: Value, use: Value, place: int, dy: str, arriving: Array
    ) -> tuple[str, Callable[[Index], str]]:
        other = self.graph.values[use.inputs[1 - place]].value
        name, operand = self.label(use.inputs[1 - place]), self.speller.operand

        def pairs(left: Array, right: Array) -> str:
            return self.speller.sum(
                [f"{operand(p)} * {operand(q)}" for p, q in zip(left, right, strict=True)]
            )

        if place == 0:
            return f"{dy} {name}^T", lambda i: pairs(arriving[i[:-1]], other[(*i[:-2], i[-1])])
        return f"{name}^T {dy}", lambda i: pairs(
            other[(*i[:-2], slice(None), i[-2])], arriving[(*i[:-2], slice(None), i[-1])]
        )

    def over_rows(self, arriving: Array, value: Array, index: Index) -> str:
        """The sum over the rows to which a bias was added."""
        flat = arriving.reshape(-1, *value.shape)
        return self.speller.sum([self.speller.operand(row[index]) for row in flat])


def element(name: str, index: Index) -> str:
    """`v3[0, 1]`: one element of a value."""
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def _joined(parts: Sequence[str]) -> str:
    """Contributions added; nothing where one of them has no expression in numbers."""
    return " + ".join(parts) if all(parts) else ""
