"""Graphs of computations: layouts without overlaps, whole paths, figures that hold every node."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nettrain.inspection.computation_graph import record_graph
from nettrain.inspection.graph import layers_graph, operations_graph
from nettrain.inspection.layered_layout import layered
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.report.graph_figure import graph_figure


@st.composite
def graphs(draw):
    """Node i takes some of the nodes before it."""
    count = draw(st.integers(1, 14))
    return {
        f"n{i}": [f"n{j}" for j in sorted(draw(st.sets(st.integers(0, i - 1), max_size=3)))]
        if i
        else []
        for i in range(count)
    }


@given(graphs(), st.integers(0, 10**6))
def test_a_layout_goes_down_along_every_edge_and_never_overlaps(graph, seed):
    chance = np.random.default_rng(seed)
    widths = {node: float(chance.uniform(0.2, 3)) for node in graph}
    layout = layered(graph, widths, gap=0.5)
    for node, sources in graph.items():
        for source in sources:
            route = layout.routes[source, node]
            assert route[0] == layout.positions[source] and route[-1] == layout.positions[node]
            depths = [depth for _, depth in route]
            assert depths == list(range(depths[0], depths[0] + len(depths)))
    for depth in range(layout.layers):
        row = sorted((x, node) for node, (x, own) in layout.positions.items() if own == depth)
        for (a, left), (b, right) in pairwise(row):
            assert b - a >= (widths[left] + widths[right]) / 2 + 0.5 - 1e-9
    edges = [x - widths[node] / 2 for node, (x, _) in layout.positions.items()]
    assert min(edges) >= -1e-9


def recorded():
    layers = [
        {"type": "residual", "layers": [{"type": "dense", "units": 3}, "tanh"]},
        {"type": "dense", "units": 2},
    ]
    network = Network([Layer.parse(layer) for layer in layers], (3,), seed=0, dtype=np.float64)
    return record_graph(network, Loss.parse("mse"), np.ones((2, 3)), np.zeros((2, 2)))


def test_every_operation_stands_in_the_layer_that_computes_it():
    graph = recorded()
    layer_of = {value.operation: value.layer for value in graph.operations()}
    assert layer_of["tanh"] == "residual_1.activation_1"
    assert {value.layer for value in graph.operations()} >= {
        "residual_1.dense_1", "residual_1", "dense_1", "loss"
    }  # fmt: skip


def test_the_layers_of_a_graph_end_in_the_loss_and_begin_with_the_input():
    nodes = layers_graph(recorded()).nodes
    assert list(nodes)[:2] == ["x", "y"] and list(nodes)[-1] == "loss"
    assert nodes["residual_1.dense_1"].inputs == ("x",)
    assert set(nodes["residual_1"].inputs) == {"x", "residual_1.activation_1"}


def test_a_figure_holds_the_title_of_every_node_and_its_values():
    graph = operations_graph(recorded(), values=True)
    texts = [text.get_text() for text in graph_figure(graph).axes[0].texts]
    for node in graph.nodes.values():
        assert node.title in texts
        assert all(line in texts for line in node.lines)
