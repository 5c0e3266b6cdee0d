"""The result of a written calculation, `0.9 * 0.1 + (1-0.9) * 2^2`; no code is executed."""

import ast
import math
import operator
from collections.abc import Callable

BINARY: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
FUNCTIONS: dict[str, Callable[..., float]] = {
    "exp": math.exp,
    "ln": math.log,
    "max": max,
    "min": min,
    "sign": lambda x: float((x > 0) - (x < 0)),
    "sqrt": math.sqrt,
}


def calculate(expression: str) -> float | None:
    """The result; None where the expression still holds a name, or is no arithmetic."""
    try:
        return _value(ast.parse(expression.replace("^", "**"), mode="eval").body)
    except (SyntaxError, KeyError, TypeError, ValueError, ArithmeticError):
        return None


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.BinOp():
            return BINARY[type(node.op)](_value(node.left), _value(node.right))
        case ast.UnaryOp(op=ast.USub()):
            return -_value(node.operand)
        case ast.Call(func=ast.Name(id=name)):
            return FUNCTIONS[name](*map(_value, node.args))
    raise ValueError(f"no arithmetic: {ast.dump(node)}")
