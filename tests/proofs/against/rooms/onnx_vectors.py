"""The ONNX project's own vectors through nettrain's operations: a case is a number in their list.

Those of files come first, then those that the package's scripts make, in the order of its modules.
"""

from functools import cache
from typing import Any

import numpy as np
from against.chance import Chance
from against.comparison import Comparison, Refused
from against.coverage import Coverage
from against.onnx_nodes import Unsupported, run
from against.onnx_vectors import Vector, from_files, of_nodes

CASES = 10**9  # no component is missing
TOLERANCE = 1e-5  # of the largest element: the vectors have float32


@cache
def vectors() -> list[Vector]:
    """All of them."""
    return [*from_files(), *of_nodes(every=True)]


def total() -> int:
    """How many cases there are."""
    return len(vectors())


def draw(chance: Chance) -> dict[str, Any]:
    """The next one."""
    return {"vector": chance.case}


def coverage() -> Coverage:
    """Operations are no components."""
    return Coverage([], [], {})


def compare(case: dict[str, Any], comparison: Comparison) -> tuple[Any, ...]:
    """Compare the outputs of one vector."""
    name, model, sets = vectors()[case["vector"]]
    try:
        compare_vector(name, model, sets, comparison)
    except Refused as reason:
        comparison.notes[f"without {reason}"] += 1
        raise
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
            raise Refused(str(error)) from None
        for ours, theirs in zip(found, outputs, strict=True):
            if ours is None:
                continue
            comparison.close(f"{model.graph.node[-1].op_type}: {name}", ours, theirs, TOLERANCE)
    if not sets:
        raise Refused("no arrays")
