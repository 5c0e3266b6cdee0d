"""Functions of tensors, for models, losses and your own code: each applies one primitive."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nettrain.autodiff.ops import convolution as convolutions
from nettrain.autodiff.ops import (
    depthwise,
    exponential,
    gaussian,
    indexing,
    joining,
    selection,
    smooth,
    sorting,
    trigonometric,
    winograd,
)
from nettrain.autodiff.ops import softmax as softmax_ops
from nettrain.autodiff.ops.embedding import Embedding
from nettrain.autodiff.ops.feature_product import FeatureProduct
from nettrain.autodiff.ops.windows import Pair
from nettrain.autodiff.primitive import Primitive
from nettrain.autodiff.tensor import Tensor, apply, axes_of, broadcast, float_type, operands, reduce


def pick(x: Any, index: Any) -> Tensor:
    """x[i, index[i]] of each row i: the score of the true class.

    Raises:
        ValueError: x is no matrix, or an index is no column of it.
    """
    x, index = _tensor(x), index if isinstance(index, Tensor) else Tensor(index)
    primitive = indexing.Pick()
    primitive.infer(x.shape, index.shape)
    wrong = (index.value < 0) | (index.value >= x.shape[1])
    if wrong.any():
        raise ValueError(
            f"pick: index {index.value[wrong][0]} is no column of scores of shape {x.shape}"
        )
    return apply(primitive, x, index)


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(x, dtype=float_type([np.asarray(x)]))


def exp(x: Any) -> Tensor:
    """e^x."""
    return apply(exponential.Exp(), _tensor(x))


def log(x: Any) -> Tensor:
    """ln x."""
    return apply(exponential.Log(), _tensor(x))


def sqrt(x: Any) -> Tensor:
    """The square root."""
    return apply(exponential.Sqrt(), _tensor(x))


def absolute(x: Any) -> Tensor:
    """|x|."""
    return apply(selection.Absolute(), _tensor(x))


def cos(x: Any) -> Tensor:
    """cos x."""
    return apply(trigonometric.Cos(), _tensor(x))


def sin(x: Any) -> Tensor:
    """sin x."""
    return apply(trigonometric.Sin(), _tensor(x))


def feature_product(x: Any, w: Any) -> Tensor:
    """x_nj w_j for each feature j: x (n, d, i), w (d, i, o) or one w (i, o) for all."""
    x, w = _tensor(x), _tensor(w)
    if w.ndim == 2:
        w = broadcast(w, (x.shape[1], *w.shape))
    return apply(FeatureProduct(), x, w)


def embedding(x: Any, tables: Sequence[Any]) -> Tensor:
    """w_j[x_nj], one table after the other.

    Args:
        x: Codes (n, c): whole numbers from 0 to v_j - 1, as floats.
        tables: w_j (v_j, s_j), one per column of x.
    """
    return apply(Embedding(), _tensor(x), *map(_tensor, tables))


def maximum(a: Any, b: Any) -> Tensor:
    """The larger of a and b; at a tie the gradient goes to a."""
    return apply(selection.Maximum(), *operands(a, b))


def minimum(a: Any, b: Any) -> Tensor:
    """The smaller of a and b; at a tie the gradient goes to a."""
    return apply(selection.Minimum(), *operands(a, b))


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """a where the condition holds, else b."""
    if not isinstance(condition, Tensor):
        condition = np.asarray(condition, dtype=bool)
    elif condition.dtype != bool:
        condition = condition.read() != 0
    return apply(selection.Where(), *operands(condition, a, b))


def clip(x: Any, low: float, high: float) -> Tensor:
    """x kept within [low, high]."""
    return apply(selection.Clip(float(low), float(high)), _tensor(x))


def concatenate(parts: Any, axis: int = 0) -> Tensor:
    """The parts joined along an axis."""
    tensors = [_tensor(x) for x in parts]
    if not tensors:
        raise ValueError("concatenate takes at least one part")
    return apply(joining.Concatenate(axes_of(axis, tensors[0].ndim)[0]), *tensors)


def stack(parts: Any, axis: int = 0) -> Tensor:
    """The parts joined along a new axis."""
    tensors = [_tensor(x) for x in parts]
    if not tensors:
        raise ValueError("stack takes at least one part")
    new = axes_of(axis, tensors[0].ndim + 1)[0]
    return concatenate([x.reshape((*x.shape[:new], 1, *x.shape[new:])) for x in tensors], new)


def pad(x: Any, widths: Any, value: float = 0.0) -> Tensor:
    """x with a constant around it; widths: (before, after) per axis."""
    return apply(joining.Pad(tuple((int(a), int(b)) for a, b in widths), float(value)), _tensor(x))


def step(x: Any) -> Tensor:
    """1 where x > 0, else 0; its derivative is 0 everywhere."""
    return apply(selection.Step(), _tensor(x))


def silu(x: Any) -> Tensor:
    """x / (1 + e^-x)."""
    return apply(smooth.Silu(), _tensor(x))


def sigmoid(x: Any) -> Tensor:
    """1 / (1 + e^-x)."""
    return apply(smooth.Sigmoid(), _tensor(x))


def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent."""
    return apply(smooth.Tanh(), _tensor(x))


def relu(x: Any) -> Tensor:
    """max(x, 0)."""
    return apply(selection.Relu(), _tensor(x))


def leaky_relu(x: Any, slope: float = 0.01) -> Tensor:
    """x where x > 0, else slope x."""
    return apply(selection.LeakyRelu(float(slope)), _tensor(x))


def softplus(x: Any) -> Tensor:
    """ln(1 + e^x)."""
    return apply(smooth.Softplus(), _tensor(x))


def elu(x: Any, alpha: float = 1.0, scale: float = 1.0) -> Tensor:
    """scale x where x > 0, else scale alpha (e^x - 1)."""
    return apply(smooth.Elu(float(alpha), float(scale)), _tensor(x))


def mish(x: Any) -> Tensor:
    """x tanh(ln(1 + e^x))."""
    return apply(smooth.Mish(), _tensor(x))


def softsign(x: Any) -> Tensor:
    """x / (1 + |x|)."""
    return apply(smooth.Softsign(), _tensor(x))


def prelu(x: Any, slope: Any) -> Tensor:
    """x where x > 0, else slope x; the slope is a tensor that may be trained."""
    return apply(selection.Prelu(), *operands(x, slope))


def erf(x: Any) -> Tensor:
    """The error function."""
    return apply(gaussian.Erf(), _tensor(x))


def gelu(x: Any) -> Tensor:
    """x times the normal distribution function of x, exact."""
    return apply(gaussian.Gelu(), _tensor(x))


def _last(x: Any, axis: int, primitive: Primitive) -> Tensor:
    """A primitive that works along the last axis, applied along any."""
    x = _tensor(x)
    along = axes_of(axis, x.ndim)[0]
    if along == x.ndim - 1:
        return apply(primitive, x)
    order = [a for a in range(x.ndim) if a != along] + [along]
    return apply(primitive, x.transpose(*order)).transpose(*np.argsort(order).tolist())


def softmax(x: Any, axis: int = -1) -> Tensor:
    """e^x / sum e^x along an axis."""
    return _last(x, axis, softmax_ops.Softmax())


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """x - ln sum e^x along an axis."""
    return _last(x, axis, softmax_ops.LogSoftmax())


def sort(x: Any, axis: int = -1) -> Tensor:
    """The numbers along an axis in rising order."""
    return _last(x, axis, sorting.Sort())


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """ln sum e^x over axes, without overflow."""
    return reduce(softmax_ops.LogSumExp, _tensor(x), axis, keepdims)


def convolution(
    x: Any,
    w: Any,
    b: Any = None,
    stride: Pair = (1, 1),
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Tensor:
    """Convolution, channels last; (n, p, q, o).

    Args:
        x: Images (n, h, w, c).
        w: Filters (kh, kw, c / groups, o).
        b: Bias (o,).
        stride: Down and across.
        padding: Zeros around the images: (top, bottom), (left, right).
        dilation: Distance of the pixels of a window, down and across.
        groups: Number of groups of channels that are convolved apart; c of them: depthwise.
    """
    inputs = [_tensor(array) for array in (x, w, b) if array is not None]
    if groups > 1 and groups == inputs[0].shape[-1]:
        return apply(depthwise.Depthwise(stride, padding, dilation), *inputs)
    plain = convolutions.Convolution(stride, padding, dilation, groups)
    if stride == dilation == (1, 1) and groups == 1:
        shapes = [array.shape for array in inputs]
        if winograd.Winograd.pays(shapes[1], plain.infer(*shapes)):
            return apply(winograd.Winograd(padding=padding), *inputs)
    return apply(plain, *inputs)
