"""The mutations of a syntax node: mutmut's, without those of strings, and four that it lacks."""

import operator
from collections.abc import Iterator

import libcst as cst
import libcst.matchers as m
from mutmut.mutation import mutators

MUTMUT = [
    (kind, changed)
    for kind, changed in mutators.mutation_operators
    if changed is not mutators.operator_string
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
STRICT = m.Arg(keyword=m.Name("strict"))
NEGATED_BY_MUTMUT = m.Comparison(
    comparisons=[m.ComparisonTarget(m.OneOf(m.Equal(), m.NotEqual(), m.Is(), m.IsNot(), m.In(), m.NotIn()))]
) | m.UnaryOperation(operator=m.Not())  # fmt: skip


def mutations(node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    """(a node, what takes its place) of every mutation of a node; the first is the node or its child."""
    for kind, changed in MUTMUT:
        if isinstance(node, kind):
            for new in changed(node):
                if not _is_of_strictness(node, new):
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


def _is_of_strictness(old: cst.CSTNode, new: cst.CSTNode) -> bool:
    """Whether two calls differ in zip's `strict` alone, which is an assertion."""
    if not (m.matches(old, m.Call(func=m.Name("zip"))) and isinstance(new, cst.Call)):
        return False
    before, after = (
        [arg for arg in call.args if not m.matches(arg, STRICT)] for call in (old, new)
    )
    return len(before) == len(after) and all(map(operator.is_, before, after))
