"""What a drawing of a network shows: its operations as they were recorded, or its layers."""

from dataclasses import dataclass

from nettrain.autodiff.primitive import Array
from nettrain.inspection.computation_graph import LOSS, ComputationGraph, Value

MOST_VALUES = 4  # numbers of a value that are written into its box


@dataclass(frozen=True)
class Node:
    """One box.

    Attributes:
        name: Unique in the graph.
        title: What stands in its first line.
        kind: input, target, parameter, state, constant, operation, layer or loss.
        shape: Of its value, as text; stands on the edges that leave it.
        inputs: The nodes from which edges lead to it.
        lines: Further text: values and gradients, parameters.
    """

    name: str
    title: str
    kind: str
    shape: str
    inputs: tuple[str, ...]
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """Nodes by name, each after those from which edges lead to it."""

    nodes: dict[str, Node]


def operations_graph(recorded: ComputationGraph, *, values: bool = False) -> Graph:
    """Every operation of the recorded computation.

    Args:
        recorded: The computation graph.
        values: Whether boxes hold their values and gradients; of large ones the range.
    """
    nodes = {}
    for value in recorded.values.values():
        kind = "loss" if value is recorded.loss else value.kind
        title = f"{value.name} = {value.operation}" if value.operation else value.name
        lines = _numbers(value) if values else ()
        nodes[value.name] = Node(
            value.name, title, kind, shape_text(value.value), value.inputs, lines
        )
    return Graph(nodes)


def layers_graph(recorded: ComputationGraph) -> Graph:
    """One box per layer, in the order in which they are computed, and the loss."""
    nodes: dict[str, Node] = {}
    made_by = {value.name: value.layer for value in recorded.operations()}
    for value in recorded.values.values():
        if value.kind in ("input", "target"):
            shape = shape_text(value.value)
            nodes[value.name] = Node(value.name, value.name, value.kind, shape, ())
    for layer in dict.fromkeys(made_by.values()):
        own = [value for value in recorded.values.values() if value.layer == layer]
        sources = dict.fromkeys(made_by.get(name, name) for value in own for name in value.inputs)
        inputs = tuple(name for name in sources if name != layer and name in nodes)
        parameters = [f"{v.name} {shape_text(v.value)}" for v in own if v.kind == "parameter"]
        kind = LOSS if layer == LOSS else "layer"
        title = layer if layer == LOSS else f"{layer}: {recorded.layers[layer]}"
        last = [value for value in own if value.operation][-1]
        nodes[layer] = Node(layer, title, kind, shape_text(last.value), inputs, tuple(parameters))
    return Graph(nodes)


def shape_text(array: Array) -> str:
    """`(2, 4)`, as NumPy writes it."""
    return str(tuple(int(size) for size in array.shape))


def _numbers(value: Value) -> tuple[str, ...]:
    lines = [_short(value.value)]
    if value.gradient is not None:
        lines.append(f"d = {_short(value.gradient)}")
    return tuple(lines)


def _short(array: Array) -> str:
    """All numbers of a small array, else its range."""
    if array.size <= MOST_VALUES:
        return ", ".join(f"{number:.4g}" for number in array.reshape(-1))
    return f"{array.min():.3g} .. {array.max():.3g}"


def dot(graph: Graph) -> str:
    """The graph in Graphviz's language."""
    lines = ["digraph nettrain {", '  node [fontname="monospace", fontsize=10];']
    for node in graph.nodes.values():
        label = "\\n".join(_quoted(text) for text in (node.title, *node.lines))
        shape = "box" if node.kind == "operation" else "ellipse"
        lines.append(f'  "{_quoted(node.name)}" [label="{label}", shape={shape}];')
    for node in graph.nodes.values():
        for source in node.inputs:
            label = _quoted(graph.nodes[source].shape)
            lines.append(f'  "{_quoted(source)}" -> "{_quoted(node.name)}" [label="{label}"];')
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
