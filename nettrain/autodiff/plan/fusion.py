"""Fusion: sequences of recorded operations that one primitive computes at once, bit for bit."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from nettrain.autodiff.backward import nodes_above
from nettrain.autodiff.ops.affine import Affine
from nettrain.autodiff.ops.arithmetic import Add, Multiply, Negative, Subtract
from nettrain.autodiff.ops.convolution import Convolution
from nettrain.autodiff.ops.convolution_block import ConvolutionBlock
from nettrain.autodiff.ops.cross_entropy import SoftmaxCrossEntropy
from nettrain.autodiff.ops.feature_product import FeatureProduct
from nettrain.autodiff.ops.indexing import Pick
from nettrain.autodiff.ops.joining import Concatenate
from nettrain.autodiff.ops.matmul import Matmul
from nettrain.autodiff.ops.max_pooling import MaxPool
from nettrain.autodiff.ops.normalization import Normalize
from nettrain.autodiff.ops.normalization_block import NormalizationBlock
from nettrain.autodiff.ops.parametric_activation import ParametricActivation
from nettrain.autodiff.ops.periodic import Periodic
from nettrain.autodiff.ops.piecewise_linear import PiecewiseLinear
from nettrain.autodiff.ops.scale import Scale
from nettrain.autodiff.ops.selection import Clip, Relu
from nettrain.autodiff.ops.shape import Broadcast
from nettrain.autodiff.ops.softmax import LogSoftmax
from nettrain.autodiff.ops.trigonometric import Cos
from nettrain.autodiff.ops.winograd import Winograd
from nettrain.autodiff.plan.patterns import Pattern, match
from nettrain.autodiff.primitive import ElementWise, Primitive
from nettrain.autodiff.tensor import Node, Tensor


def fuse(*results: Tensor) -> None:
    """Rewrite the nodes of the results, oldest first.

    Values in the middle of a fused sequence are no longer computed.
    """
    made = [tensor for _, tensor in reversed(list(nodes_above(*results)))]
    consumers = _consumers(made, results)
    for tensor in made:
        primitive = primitive_of(tensor)
        if isinstance(primitive, Add):
            _parametric_activation(tensor, consumers)
            _affine(tensor, consumers)
        elif isinstance(primitive, Multiply):
            _scale(tensor, consumers)
        elif isinstance(primitive, ElementWise):
            _activation(tensor, primitive, consumers)
        elif isinstance(primitive, MaxPool):
            _pool(tensor, primitive, consumers)
        if isinstance(primitive, Negative):
            _cross_entropy(tensor, consumers)


def choose_for_compiled(*results: Tensor) -> None:
    """Let operations be computed in the way that is the fastest with compiled loops.

    Results are rounded differently.
    """
    made = [tensor for _, tensor in reversed(list(nodes_above(*results)))]
    consumers = _consumers(made, results)
    for tensor in made:
        primitive = primitive_of(tensor)
        if isinstance(primitive, Add):
            _piecewise_linear(tensor, consumers)
        elif isinstance(primitive, Concatenate):
            _periodic(tensor, consumers)
        if type(primitive) is Convolution:
            other = Winograd.replacing(primitive, inputs_of(tensor)[1].shape, tensor.shape)
            if other is not None:
                _replace(tensor, other, inputs_of(tensor), tensor)


def _consumers(made: list[Tensor], results: Iterable[Tensor]) -> Counter[int]:
    """How many consumers each tensor has, by `id`; that of a result is whoever asked for it."""
    consumers = Counter(id(x) for tensor in made for x in inputs_of(tensor))
    consumers.update(id(result) for result in results)
    return consumers


def primitive_of(tensor: Tensor) -> Primitive | None:
    """The operation that made the tensor."""
    return tensor.node.primitive if tensor.node else None


def inputs_of(tensor: Tensor) -> tuple[Tensor, ...]:
    """The inputs of that operation."""
    return tensor.node.inputs if tensor.node else ()


def _repeated(tensor: Tensor, consumers: Counter[int]) -> Tensor | None:
    """The array that is repeated to give the tensor, one for all rows, which is used once."""
    if not isinstance(primitive_of(tensor), Broadcast) or consumers[id(tensor)] != 1:
        return None
    (x,) = inputs_of(tensor)
    return x if 0 < x.ndim < tensor.ndim and x.shape == tensor.shape[-x.ndim :] else None


# x u + c + e w, e = min(max((x - l) s, 0), 1)
_PIECEWISE_LINEAR: Pattern = (
    Add,
    (Add, (Multiply, (Broadcast, "x"), (Broadcast, "u")), (Broadcast, "c")),
    (
        FeatureProduct,
        (
            Clip(0.0, 1.0),
            (Multiply, (Subtract, (Broadcast, "x"), (Broadcast, "l")), (Broadcast, "s")),
        ),
        "w",
    ),
)  # fmt: skip

# x, then cos(x q turn + r) w + b
_PERIODIC: Pattern = (
    Concatenate(2),
    "x",
    (
        Add,
        (
            FeatureProduct,
            (
                Cos,
                (
                    Add,
                    (Multiply, (Multiply, (Broadcast, "x"), (Broadcast, "q")), "turn"),
                    (Broadcast, "r"),
                ),
            ),
            "w",
        ),
        (Broadcast, "b"),
    ),
)


def _piecewise_linear(tensor: Tensor, consumers: Counter[int]) -> None:
    """A piecewise-linear embedding of rows that need no gradient."""
    found = match(tensor, _PIECEWISE_LINEAR, consumers)
    if found is None:
        return
    inputs = [found[name] for name in ("x", "l", "s", "u", "c", "w")]
    _replace_features(tensor, PiecewiseLinear(), inputs, constant=3)


def _periodic(tensor: Tensor, consumers: Counter[int]) -> None:
    """A periodic embedding of rows that need no gradient."""
    found = match(tensor, _PERIODIC, consumers)
    if found is None or any(found["turn"].value.strides):
        return  # no number that is repeated
    inputs = [found[name] for name in ("x", "q", "r", "w", "b")]
    _replace_features(tensor, Periodic(float(found["turn"].value.flat[0])), inputs, constant=1)


def _replace_features(
    tensor: Tensor, primitive: Primitive, inputs: list[Tensor], *, constant: int
) -> None:
    """Replace an embedding of rows (n, d, 1), unless one of its first inputs gets a gradient."""
    if any(x.requires_grad for x in inputs[:constant]):
        return
    try:
        primitive.infer(*[x.shape for x in inputs])
    except ValueError:
        return  # the same operations on other shapes
    _replace(tensor, primitive, inputs, tensor)


def _affine(tensor: Tensor, consumers: Counter[int]) -> None:
    """x w + b: a product and a bias broadcast over its rows, neither used elsewhere."""
    xw, repeated = inputs_of(tensor)
    product, b = primitive_of(xw), _repeated(repeated, consumers)
    if (
        isinstance(product, Matmul | FeatureProduct | Scale)
        and b is not None
        and b.ndim == xw.ndim - 1
        and consumers[id(xw)] == 1
    ):
        _replace(tensor, Affine(product=product), (*inputs_of(xw), b), xw)


def _scale(tensor: Tensor, consumers: Counter[int]) -> None:
    """x s: s is one for all rows."""
    x, repeated = inputs_of(tensor)
    s = _repeated(repeated, consumers)
    if s is not None:
        _replace(tensor, Scale(), (x, s), tensor)


def _parametric_activation(tensor: Tensor, consumers: Counter[int]) -> None:
    """x + a (f(x) - x): a is one for all rows, f has one input, and x is used for nothing else."""
    x, weighted = inputs_of(tensor)
    if not isinstance(primitive_of(weighted), Multiply) or consumers[id(weighted)] != 1:
        return
    repeated, bend = inputs_of(weighted)
    a = _repeated(repeated, consumers)
    if a is None or not isinstance(primitive_of(bend), Subtract) or consumers[id(bend)] != 1:
        return
    (value, other), function = inputs_of(bend), primitive_of(inputs_of(bend)[0])
    if (
        isinstance(function, ElementWise)
        and inputs_of(value) == (x,)
        and other is x
        and consumers[id(value)] == 1
        and consumers[id(x)] == 3
    ):
        _replace(tensor, ParametricActivation(function), (x, a), value)


def _activation(tensor: Tensor, act: ElementWise, consumers: Counter[int]) -> None:
    """act(x w + b), act(x * w + b), maybe pooled before act, or act of a normalization.

    The derivative of act must follow from its output alone.
    """
    inputs = inputs_of(tensor)
    if len(inputs) != 1 or act.reads != ("out",) or act.scratch(tensor.shape):
        return
    if consumers[id(inputs[0])] != 1:
        return
    before = primitive_of(inputs[0])
    fused: Primitive | None = None
    if isinstance(before, Affine) and before.activation is None:
        fused = Affine(act, before.product)
    elif isinstance(before, Normalize):
        fused = NormalizationBlock(before, act)
    elif isinstance(before, Convolution):
        fused = ConvolutionBlock(before, act)
    elif isinstance(before, ConvolutionBlock) and before.activation is None:
        fused = ConvolutionBlock(before.convolution, act, before.pool)
    if fused is not None:
        _replace(tensor, fused, inputs_of(inputs[0]), inputs[0])


def _pool(tensor: Tensor, pool: MaxPool, consumers: Counter[int]) -> None:
    """The maximum of x * w + b or of its relu, over windows that neither overlap nor leave gaps."""
    (x,) = inputs_of(tensor)
    before = primitive_of(x)
    block = ConvolutionBlock(before) if isinstance(before, Convolution) else before
    if (
        not isinstance(block, ConvolutionBlock)
        or block.pool is not None
        or not isinstance(block.activation, Relu | None)
    ):
        return
    if pool.stride == pool.size and pool.padding == ((0, 0), (0, 0)) and consumers[id(x)] == 1:
        _replace(
            tensor, ConvolutionBlock(block.convolution, block.activation, pool), inputs_of(x), x
        )


def _cross_entropy(tensor: Tensor, consumers: Counter[int]) -> None:
    """-log_softmax(z)[y]."""
    (picked,) = inputs_of(tensor)
    if not isinstance(primitive_of(picked), Pick):
        return
    log_p, y = inputs_of(picked)
    if (
        isinstance(primitive_of(log_p), LogSoftmax)
        and consumers[id(picked)] == consumers[id(log_p)] == 1
    ):
        _replace(tensor, SoftmaxCrossEntropy(), (*inputs_of(log_p), y), log_p)


def _replace(tensor: Tensor, primitive: Primitive, inputs: Iterable[Tensor], first: Tensor) -> None:
    """Let another primitive compute the tensor, at the same point of the order.

    Args:
        tensor: The last of the sequence.
        primitive: Computes it from `inputs`.
        inputs: Those of the sequence.
        first: The first tensor of the sequence.
    """
    earlier, inputs = tensor.node, tuple(inputs)
    assert earlier is not None and first.node is not None
    scratch = {
        name: np.empty(shape, dtype or earlier.out.dtype)
        for name, (shape, dtype) in primitive.scratch(*[x.shape for x in inputs]).items()
    }
    origin = first.node.origin
    tensor.node = Node(primitive, inputs, earlier.out, scratch)
    tensor.node.age, tensor.node.origin = earlier.age, origin
