"""Derivatives of functions: grad, value_and_grad, vjp, jvp, jacobian. Functions take and give tensors; results are arrays."""

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
    """(f(args), df/d args[argnum]) for an f with a result of one element."""

    def both(*args: Any) -> tuple[float, Array]:
        tensors = _inputs(args)
        y = f(*tensors)
        if y.value.size != 1:
            raise ValueError(
                f"grad wants a result of one element, got one of shape {y.shape}: take its sum first, or use jacobian"
            )
        if not y.requires_grad:
            return y.item(), np.zeros_like(tensors[argnum].value)
        return y.item(), backward(y)[tensors[argnum]]

    return both


def grad(f: Function, argnum: int = 0) -> Callable[..., Array]:
    """df/d args[argnum] for an f with a result of one element: the slope along every coordinate, perpendicular to the level curve."""
    both = value_and_grad(f, argnum)
    return lambda *args: both(*args)[1]


def vjp(f: Function, *args: Any) -> tuple[Array, Callable[[Any], tuple[Array, ...]]]:
    """(f(args), dy -> (dy^T J_1, dy^T J_2, ...)): reverse mode, one pass for all inputs."""
    tensors = _inputs(args)
    y = f(*tensors)

    def pull(dy: Any) -> tuple[Array, ...]:
        if not y.requires_grad:
            return tuple(np.zeros_like(x.value) for x in tensors)
        gradients = backward(y, dy)
        return tuple(gradients[x] for x in tensors)

    return y.numpy(), pull


def jvp(f: Function, args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Array, Array]:
    """(f(args), J v): forward mode, the derivative of f along the tangents v, one of the shape of each argument."""
    tensors = _inputs(args)
    y = f(*tensors)
    moving: dict[int, Array] = {
        id(x): np.asarray(v, dtype=x.dtype) for x, v in zip(tensors, tangents, strict=True)
    }
    for x in tensors:
        if moving[id(x)].shape != x.shape:
            raise ValueError(
                f"a tangent of shape {moving[id(x)].shape} does not fit an argument of shape {x.shape}"
            )
    for node, tensor in reversed(list(nodes_above(y))):
        dinputs = [moving.get(id(x)) for x in node.inputs]
        if any(dx is not None for dx in dinputs):
            dout = np.empty(node.out.shape, node.out.dtype)
            node.primitive.tangent(
                dout, dinputs, node.out, *[x.value for x in node.inputs], **node.scratch
            )
            moving[id(tensor)] = dout
    return y.numpy(), moving.get(id(y), np.zeros_like(y.value)).copy()


def jacobian(f: Function, argnum: int = 0) -> Callable[..., Array]:
    """dy/dx of shape y.shape + x.shape, a reverse pass for each element of y."""

    def full(*args: Any) -> Array:
        y, pull = vjp(f, *args)
        x = np.asarray(args[argnum])
        rows = [pull(dy.reshape(y.shape))[argnum] for dy in np.eye(y.size, dtype=y.dtype)]
        return np.array(rows).reshape(y.shape + x.shape)

    return full
