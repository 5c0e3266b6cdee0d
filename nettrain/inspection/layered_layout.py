"""A layered drawing of a directed acyclic graph, with few crossings and straight long edges.

Sugiyama, Tagawa & Toda 1981: assign layers by the longest path to the end, put dummy nodes on long
edges, order each layer by the median of its neighbours, then choose coordinates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

SWEEPS = 12  # more changes nothing visible in the graphs of networks


@dataclass(frozen=True)
class Layout:
    """Where nodes and edges are drawn; x to the right, layers downwards.

    Attributes:
        positions: The centre (x, layer) of each node.
        routes: For each edge (source, target), the points that it passes, both ends included.
        width: Of the whole drawing, in the unit of the nodes' widths.
        layers: How many layers there are.
    """

    positions: dict[str, tuple[float, int]]
    routes: dict[tuple[str, str], list[tuple[float, int]]]
    width: float
    layers: int


def layered(
    inputs: Mapping[str, Sequence[str]], widths: Mapping[str, float], gap: float = 1.0
) -> Layout:
    """Lay out a graph.

    Args:
        inputs: For each node, the nodes from which edges lead to it; sources come first.
        widths: The width of each node.
        gap: The least distance between two nodes of a layer.
    """
    layer = _layers(inputs)
    edges = [(source, node) for node in inputs for source in dict.fromkeys(inputs[node])]
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for node, depth in layer.items():
        rows[depth].append(node)
    above: dict[str, list[str]] = {node: [] for node in inputs}
    below: dict[str, list[str]] = {node: [] for node in inputs}
    chains = {}
    for source, target in edges:
        chain = [source]
        for depth in range(layer[source] + 1, layer[target]):
            dummy = f"{source}>{target}@{depth}"
            above[dummy], below[dummy] = [], []
            rows[depth].append(dummy)
            chain.append(dummy)
        chain.append(target)
        for upper, lower in pairwise(chain):
            below[upper].append(lower)
            above[lower].append(upper)
        chains[source, target] = chain
    _order(rows, above, below)
    size = {node: widths.get(node, 0.0) for row in rows for node in row}
    x = _coordinates(rows, above, below, size, gap)
    depth_of = {node: depth for depth, row in enumerate(rows) for node in row}
    return Layout(
        {node: (x[node], layer[node]) for node in inputs},
        {edge: [(x[node], depth_of[node]) for node in chain] for edge, chain in chains.items()},
        max((x[node] + size[node] / 2 for node in x), default=0.0),
        len(rows),
    )


def _layers(inputs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Longest path to the end: every node stands as close to its first consumer as it can."""
    distance = dict.fromkeys(inputs, 0)
    for node in reversed(list(inputs)):
        for source in inputs[node]:
            distance[source] = max(distance[source], distance[node] + 1)
    deepest = max(distance.values(), default=0)
    return {node: deepest - steps for node, steps in distance.items()}


def _order(
    rows: list[list[str]], above: Mapping[str, list[str]], below: Mapping[str, list[str]]
) -> None:
    """Sort each layer by the median place of its neighbours, down and up in turn; keep the best."""
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        for row, fixed in _pairs(rows, down):
            place = {node: i for i, node in enumerate(fixed)}
            own = {node: i for i, node in enumerate(row)}
            row.sort(key=lambda n: median([place[m] for m in neighbours[n]] or [own[n]]))
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    for row, kept in zip(rows, best, strict=True):
        row[:] = kept


def _pairs(rows: list[list[str]], down: bool) -> list[tuple[list[str], list[str]]]:
    """Each layer with the one beside it that is held fixed."""
    pairs = list(zip(rows[1:], rows[:-1], strict=True))
    return pairs if down else [(fixed, row) for row, fixed in reversed(pairs)]


def _crossings(rows: list[list[str]], below: Mapping[str, list[str]]) -> int:
    """How many pairs of edges cross."""
    total = 0
    for row, lower in pairwise(rows):
        places = {node: i for i, node in enumerate(lower)}
        ends = [place for node in row for place in sorted(places[target] for target in below[node])]
        total += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
    return total


def _coordinates(
    rows: list[list[str]],
    above: Mapping[str, list[str]],
    below: Mapping[str, list[str]],
    size: Mapping[str, float],
    gap: float,
) -> dict[str, float]:
    """Pull every node towards the middle of its neighbours; order and distances stay."""
    x: dict[str, float] = {}
    for row in rows:
        edge = 0.0
        for node in row:
            x[node] = edge + size[node] / 2
            edge += size[node] + gap
    for sweep in range(2 * SWEEPS):
        down = sweep % 2 == 0
        for row, _ in _pairs(rows, down):
            neighbours = above if down else below
            target = {
                node: sum(x[m] for m in neighbours[node]) / len(neighbours[node])
                if neighbours[node]
                else x[node]
                for node in row
            }
            _spread(row, target, size, gap, x)
    left = min((x[node] - size[node] / 2 for node in x), default=0.0)
    return {node: value - left for node, value in x.items()}


def _spread(
    row: list[str],
    target: Mapping[str, float],
    size: Mapping[str, float],
    gap: float,
    x: dict[str, float],
) -> None:
    """Move nodes as near to their targets as distances allow; nodes that touch move together."""
    groups: list[tuple[list[str], list[float], float]] = []  # nodes, offsets, first place
    for node in row:
        nodes, offsets, start = [node], [0.0], target[node]
        while groups:
            earlier, own, begin = groups[-1]
            step = (size[earlier[-1]] + size[nodes[0]]) / 2 + gap
            if begin + own[-1] + step <= start:
                break
            groups.pop()
            offsets = own + [own[-1] + step + offset for offset in offsets]
            nodes = earlier + nodes
            start = sum(target[n] - o for n, o in zip(nodes, offsets, strict=True)) / len(nodes)
        groups.append((nodes, offsets, start))
    for nodes, offsets, start in groups:
        for node, offset in zip(nodes, offsets, strict=True):
            x[node] = start + offset
