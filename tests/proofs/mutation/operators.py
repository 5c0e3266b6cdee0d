"""The mutations of a syntax node: mutmut's, without those of strings, and four that it lacks."""

from collections.abc import Iterator

import libcst as cst
import libcst.matchers as m
from mutmut.mutation import mutators

MUTMUT = [
    (kind, operator)
    for kind, operator in mutators.mutation_operators
    if operator is not mutators.operator_string
]
OPPOSITES = {
    "min": "max",
    "minimum": "maximum",
    "argmin": "argmax",
    "floor": "ceil",
    "any": "all",
    "zeros": "ones",
    "zeros_like": "ones_like",
}
OPPOSITES |= {new: old for old, new in OPPOSITES.items()}
NEGATED_BY_MUTMUT = m.Comparison(
    comparisons=[m.ComparisonTarget(m.OneOf(m.Equal(), m.NotEqual(), m.Is(), m.IsNot(), m.In(), m.NotIn()))]
) | m.UnaryOperation(operator=m.Not())  # fmt: skip


def mutations(node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    """(a node, what takes its place) of every mutation of a node; the first is the node or its child."""
    for kind, operator in MUTMUT:
        if isinstance(node, kind):
            for new in operator(node):
                yield node, new
    match node:
        case cst.If(test=test) | cst.While(test=test) if not m.matches(test, NEGATED_BY_MUTMUT):
            inner = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
            yield test, cst.UnaryOperation(cst.Not(), inner)
        case cst.Expr(value=cst.Call()):
            yield node, cst.Pass()
        case cst.Call(func=cst.Name(value=name)) if name in OPPOSITES:
            yield node.func, cst.Name(OPPOSITES[name])
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=name))) if name in OPPOSITES:
            yield node.func, node.func.with_changes(attr=cst.Name(OPPOSITES[name]))
