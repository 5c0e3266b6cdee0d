"""TensorBoard's graph: one node per layer and per parameter."""

from collections.abc import Sequence
from typing import Any

from nettrain.config.logger import LoggedLayer


def graph_def(layers: Sequence[LoggedLayer]) -> Any:
    """A `GraphDef`: each layer takes what the one before it gives, and its parameters."""
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    graph = GraphDef()
    graph.versions.producer = 22
    before = "input"
    graph.node.add(name=before, op="Placeholder")
    for layer in layers:
        node = graph.node.add(name=f"{layer.name}/{layer.type}", op=layer.type, input=[before])
        _add_shape(node, (-1, *layer.output_shape))
        for name, shape in layer.parameters.items():
            parameter = graph.node.add(name=f"{layer.name}/{name}", op="Variable")
            _add_shape(parameter, shape)
            node.input.append(parameter.name)
        before = node.name
    graph.node.add(name="output", op="Identity", input=[before])
    return graph


def _add_shape(node: Any, shape: Sequence[int]) -> None:
    """TensorBoard writes the shape at the edges that leave the node; -1: any number of rows."""
    found = node.attr["_output_shapes"].list.shape.add()
    for size in shape:
        found.dim.add(size=size)
