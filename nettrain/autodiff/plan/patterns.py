"""Patterns of recorded operations: which tensors stand where in a sequence that one may replace."""

from collections import Counter
from typing import Any

from nettrain.autodiff.tensor import Tensor

# The name of an input; or a kind of primitive, or one primitive, with the patterns of its inputs.
Pattern = str | tuple[Any, ...]


def match(tensor: Tensor, pattern: Pattern, consumers: Counter[int]) -> dict[str, Tensor] | None:
    """The inputs of a sequence by name; None: the tensor was made otherwise.

    Values in the middle must have no other consumer. A name that stands twice is the same tensor.

    Args:
        tensor: The result of the sequence.
        pattern: The sequence, from its last operation to its inputs.
        consumers: How many consumers each tensor has, by `id`.
    """
    found: dict[str, Tensor] = {}
    return found if _fits(tensor, pattern, consumers, found) else None


def _fits(
    tensor: Tensor, pattern: Pattern, consumers: Counter[int], found: dict[str, Tensor]
) -> bool:
    if isinstance(pattern, str):
        return found.setdefault(pattern, tensor) is tensor
    kind, *inputs = pattern
    node = tensor.node
    if node is None or len(node.inputs) != len(inputs):
        return False
    primitive = node.primitive
    if not (isinstance(primitive, kind) if isinstance(kind, type) else primitive == kind):
        return False
    return all(
        (isinstance(one, str) or consumers[id(x)] == 1) and _fits(x, one, consumers, found)
        for x, one in zip(node.inputs, inputs, strict=True)
    )
