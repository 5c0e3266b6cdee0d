"""The ONNX project's own vectors through nettrain's operations: a case is a number in their list."""

from collections import Counter
from functools import cache
from typing import Any

import numpy as np
from against.chance import Chance
from against.comparison import Comparison, Refused
from against.coverage import Coverage
from against.onnx_nodes import Unsupported, run
from against.onnx_vectors import Vector, from_files, of_nodes

CASES = 10**9  # there are as many cases as there are vectors
TOLERANCE = 1e-5  # of the largest element: the vectors have float32
without: Counter[str] = Counter()


@cache
def vectors() -> list[Vector]:
    """All of them."""
    return [*from_files(), *of_nodes(every=True)]


def draw(chance: Chance) -> dict[str, Any]:
    """The next one."""
    return {"vector": chance.case}


def coverage() -> Coverage:
    """Operations are no components."""
    return Coverage([], [], {})


def compare(case: dict[str, Any], comparison: Comparison) -> tuple[Any, ...]:
    """Compare the outputs of one vector."""
    if case["vector"] >= len(vectors()):
        raise Refused("there are no more vectors")
    name, model, sets = vectors()[case["vector"]]
    compare_vector(name, model, sets, comparison)
    return ()


def compare_vector(name: str, model: Any, sets: Any, comparison: Comparison) -> None:
    """Compare all outputs.

    Raises:
        Refused: nettrain has no such operation.
    """
    for inputs, outputs in sets:
        try:
            with np.errstate(all="ignore"):
                found = run(model, inputs)
        except Unsupported as error:
            without[str(error)] += 1
            raise Refused(str(error)) from None
        for ours, theirs in zip(found, outputs, strict=True):
            if ours is None:
                continue
            comparison.close(f"{model.graph.node[-1].op_type}: {name}", ours, theirs, TOLERANCE)
    if not sets:
        raise Refused("no arrays")
