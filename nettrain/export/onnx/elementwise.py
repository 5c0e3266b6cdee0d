"""The ONNX form of operations that work on each number alone."""

import math
from collections.abc import Callable
from typing import Any

from nettrain.autodiff.primitive import Primitive
from nettrain.export.onnx.builder import Builder

Elementwise = Callable[..., str]


def _plain(operator: str) -> Elementwise:
    return lambda g, primitive, *inputs: g.add(operator, *inputs)


def _gelu(g: Builder, primitive: Any, x: str) -> str:
    """x (1 + erf(x / sqrt 2)) / 2: ONNX has Gelu from opset 20 on."""
    erf = g.add("Erf", g.add("Mul", x, g.scalar(math.sqrt(0.5))))
    return g.add("Mul", g.add("Mul", x, g.scalar(0.5)), g.add("Add", erf, g.scalar(1.0)))


def _elu(g: Builder, primitive: Any, x: str) -> str:
    if primitive.scale == 1:
        return g.add("Elu", x, alpha=primitive.alpha)
    return g.add("Selu", x, alpha=primitive.alpha, gamma=primitive.scale)


def _step(g: Builder, primitive: Any, x: str) -> str:
    return g.cast(g.add("Greater", x, g.scalar(0.0)), g.dtype)


def _clip(g: Builder, primitive: Any, x: str) -> str:
    return g.add("Clip", x, g.scalar(primitive.low), g.scalar(primitive.high))


def _power(g: Builder, primitive: Any, x: str) -> str:
    return g.add("Pow", x, g.scalar(primitive.exponent))


def _cos(g: Builder, primitive: Any, x: str) -> str:
    """A sine in float64: onnxruntime has the cosine of such numbers only from 1.29 on."""
    if g.dtype == "float64":
        return g.add("Sin", g.add("Add", x, g.scalar(math.pi / 2)))
    return g.add("Cos", x)


ELEMENTWISE: dict[str, Elementwise] = {
    "Add": _plain("Add"),
    "Subtract": _plain("Sub"),
    "Multiply": _plain("Mul"),
    "Divide": _plain("Div"),
    "Negative": _plain("Neg"),
    "Power": _power,
    "PowerOf": _plain("Pow"),
    "Exp": _plain("Exp"),
    "Log": _plain("Log"),
    "Sqrt": _plain("Sqrt"),
    "Erf": _plain("Erf"),
    "Gelu": _gelu,
    "Relu": _plain("Relu"),
    "LeakyRelu": lambda g, primitive, x: g.add("LeakyRelu", x, alpha=primitive.slope),
    "Prelu": _plain("PRelu"),
    "Absolute": _plain("Abs"),
    "Step": _step,
    "Clip": _clip,
    "Maximum": _plain("Max"),
    "Minimum": _plain("Min"),
    "Where": _plain("Where"),
    "Sigmoid": _plain("Sigmoid"),
    "Tanh": _plain("Tanh"),
    "Cos": _cos,
    "Sin": _plain("Sin"),
    "Silu": lambda g, primitive, x: g.add("Mul", x, g.add("Sigmoid", x)),
    "Softplus": _plain("Softplus"),
    "Softsign": _plain("Softsign"),
    "Elu": _elu,
    "Mish": _plain("Mish"),
    "Copy": _plain("Identity"),
}


def apply(g: Builder, activation: Primitive, x: str) -> str:
    """An activation that a fused operation ends with."""
    names = (kind.__name__ for kind in type(activation).__mro__)
    return ELEMENTWISE[next(name for name in names if name in ELEMENTWISE)](g, activation, x)
