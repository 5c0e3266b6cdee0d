"""Derivatives of functions: grad, value_and_grad, vjp, jvp, jacobian.

The functions take and return tensors; the derivatives are arrays.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nettrain.autodiff.backward import backward, nodes_above
from nettrain.autodiff.primitive import Array
from nettrain.autodiff.tensor import Tensor

Function = Callable[..., Tensor]


def _inputs(args: Sequence[Any]) -> list[Tensor]:
    return [
        Tensor(a, requires_grad=True, dtype=None if np.asarray(a).dtype.kind == "f" else np.float64)
        for a in args
    ]


def value_and_grad(f: Function, argnum: int = 0) -> Callable[..., tuple[float, Array]]:
    """The function args -> (f(args), df/d args[argnum]), for an f with a result of one element."""

    def both(*args: Any) -> tuple[float, Array]:
        tensors = _inputs(args)
        y = f(*tensors)
        if y.value.size != 1:
            raise ValueError(
                f"grad takes a result of one element, got one of shape {y.shape}: "
                "take its sum first, or use jacobian"
            )
        if not y.requires_grad:
            return y.item(), np.zeros_like(tensors[argnum].value)
        return y.item(), backward(y)[tensors[argnum]]

    return both


def grad(f: Function, argnum: int = 0) -> Callable[..., Array]:
    """The function args -> df/d args[argnum], for an f with a result of one element."""
    both = value_and_grad(f, argnum)
    return lambda *args: both(*args)[1]


def vjp(f: Function, *args: Any) -> tuple[Array, Callable[[Any], tuple[Array, ...]]]:
    """Vector-Jacobian product: f(args) and the function dy -> (dy^T J_1, dy^T J_2, ...).

    Reverse mode: one pass for all inputs.
    """
    tensors = _inputs(args)
    y = f(*tensors)

    def pull(dy: Any) -> tuple[Array, ...]:
        if not y.requires_grad:
            return tuple(np.zeros_like(x.value) for x in tensors)
        gradients = backward(y, dy)
        return tuple(gradients[x] for x in tensors)

    return y.numpy(), pull


def jvp(f: Function, args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Array, Array]:
    """Jacobian-vector product: f(args) and J v, the derivative of f along the tangents v.

    Forward mode: one pass for all outputs.

    Args:
        f: The function.
        args: Where.
        tangents: v, one per argument and in its shape.

    Raises:
        ValueError: The shape of a tangent does not fit.
    """
    tensors = _inputs(args)
    y = f(*tensors)
    along: dict[int, Array] = {
        id(x): np.asarray(v, dtype=x.dtype) for x, v in zip(tensors, tangents, strict=True)
    }
    for x in tensors:
        if along[id(x)].shape != x.shape:
            raise ValueError(
                f"a tangent of shape {along[id(x)].shape} does not fit "
                f"an argument of shape {x.shape}"
            )
    for node, tensor in reversed(list(nodes_above(y))):
        dinputs = [along.get(id(x)) for x in node.inputs]
        if any(dx is not None for dx in dinputs):
            dout = np.empty(node.out.shape, node.out.dtype)
            node.primitive.tangent(
                dout, dinputs, node.out, *[x.value for x in node.inputs], **node.scratch
            )
            along[id(tensor)] = dout
    return y.numpy(), along.get(id(y), np.zeros_like(y.value)).copy()


def jacobian(f: Function, argnum: int = 0) -> Callable[..., Array]:
    """The function args -> dy/dx, x = args[argnum], of shape y.shape + x.shape.

    Reverse mode: one pass per element of y.
    """

    def full(*args: Any) -> Array:
        y, pull = vjp(f, *args)
        x = np.asarray(args[argnum])
        rows = [pull(dy.reshape(y.shape))[argnum] for dy in np.eye(y.size)]
        return np.array(rows).reshape(y.shape + x.shape)

    return full
