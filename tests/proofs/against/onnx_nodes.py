"""Nodes of ONNX graphs, computed by nettrain's operations. ONNX has the channels of images second."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from nettrain.autodiff import functions as f
from nettrain.autodiff import tensor
from nettrain.autodiff.ops.global_pooling import GlobalAveragePool, GlobalMaxPool
from nettrain.autodiff.ops.group_normalization import NormalizeGroups
from nettrain.autodiff.ops.interpolation import Interpolate
from nettrain.autodiff.ops.max_pooling import MaxPool
from nettrain.autodiff.ops.normalization import Normalize
from nettrain.autodiff.ops.pooling import AveragePool
from nettrain.autodiff.ops.row_normalization import NormalizeRows
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation

Attributes = dict[str, Any]
FLOATS = (np.float32, np.float64)


class Unsupported(Exception):
    """An operation, or a form of it, that nettrain does not have."""


def run(model: onnx.ModelProto, inputs: list[np.ndarray]) -> list[np.ndarray | None]:
    """The outputs of a graph; None for further outputs of a node, such as the mean of a normalization.

    Raises:
        Unsupported: A node has no operation.
    """
    graph = model.graph
    values: dict[str, Any] = {"": None}
    values |= {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    names = [one.name for one in graph.input if one.name not in values]
    names = names if len(names) == len(inputs) else [one.name for one in graph.input]
    values |= dict(zip(names, inputs, strict=False))
    for node in graph.node:
        function = NODES.get(node.op_type)
        if function is None or node.domain not in ("", "ai.onnx", "ai.onnx.preview.training"):
            raise Unsupported(node.op_type)
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        found = function(attributes, *(values[name] for name in node.input))
        found = found if isinstance(found, tuple) else (found,)
        values |= dict.fromkeys(node.output) | dict(zip(node.output, found, strict=False))
    wanted = [values[one.name] for one in graph.output]
    return [None if one is None else array(one) for one in wanted]


def array(x: Any) -> np.ndarray:
    return x.value if isinstance(x, Tensor) else np.asarray(x)


def floats(x: Any) -> Tensor:
    """A tensor of numbers; other types are none of nettrain's."""
    if isinstance(x, Tensor):
        return x
    if x is None or np.asarray(x).dtype not in FLOATS:
        raise Unsupported("numbers that are neither float32 nor float64")
    return Tensor(np.ascontiguousarray(x))


def unary(function: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda attributes, x: function(floats(x))


def binary(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda attributes, a, b: function(floats(a), floats(b))


def many(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def found(attributes: Attributes, *inputs: Any) -> Any:
        total = floats(inputs[0])
        for one in inputs[1:]:
            total = function(total, floats(one))
        return total

    return found


def activation(name: str, **defaults: float) -> Callable[..., Any]:
    """An activation of the catalogue, whose fields are ONNX's attributes."""

    def found(attributes: Attributes, x: Any) -> Any:
        fields = {own: attributes.get(theirs, defaults[theirs]) for theirs, own in NAMES.get(name, {}).items()}  # fmt: skip
        return Activation.parse({"type": name} | fields).apply(floats(x))

    return found


NAMES = {"elu": {"alpha": "alpha"}, "leaky_relu": {"alpha": "slope"}}


def selu(attributes: Attributes, x: Any) -> Any:
    return f.elu(floats(x), attributes.get("alpha", 1.67326319217681884765625), attributes.get("gamma", 1.05070102214813232421875))  # fmt: skip


def gelu(attributes: Attributes, x: Any) -> Any:
    if attributes.get("approximate", b"none") != b"none":
        raise Unsupported("Gelu by tanh")
    return f.gelu(floats(x))


def prelu(attributes: Attributes, x: Any, slope: Any) -> Any:
    """The slope is broadcast; a single axis was that of the channels in early versions."""
    x, slope = floats(x), np.asarray(slope)
    if slope.ndim == 1 and x.ndim > 1 and slope.size == x.shape[1] != x.shape[-1]:
        slope = slope.reshape(-1, *(1,) * (x.ndim - 2))
    return f.where(x.value > 0, x, x * tensor.broadcast(Tensor(slope), x.shape))


# Images


def image(x: Any, sizes: int = 0) -> Tensor:
    """Channels last; rows of one axis are images of one row."""
    x = floats(x)
    if x.ndim == 3:
        x = x.reshape(x.shape[0], x.shape[1], 1, x.shape[2])
    if x.ndim != 4:
        raise Unsupported(f"images of {x.ndim - 2} axes")
    return x.transpose(0, 2, 3, 1)


def back(y: Tensor, ndim: int) -> Tensor:
    y = y.transpose(0, 3, 1, 2)
    return y.reshape(y.shape[0], y.shape[1], y.shape[3]) if ndim == 3 else y


def pair(values: Any, default: int = 1) -> tuple[int, int]:
    values = [default, default] if values is None else list(values)
    return (default, values[0]) if len(values) == 1 else (values[0], values[1])


def sides(
    attributes: Attributes, size: Any, kernel: Any, stride: Any, dilation: Any
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The padding of images."""
    how = attributes.get("auto_pad", b"NOTSET").decode()
    if how == "VALID":
        return (0, 0), (0, 0)
    if how == "NOTSET":
        pads = attributes.get("pads") or [0, 0, 0, 0]
        if len(pads) == 2:
            return (0, 0), (pads[0], pads[1])
        return (pads[0], pads[2]), (pads[1], pads[3])
    found = []
    for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        missing = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        few, more = missing // 2, missing - missing // 2
        found.append((few, more) if how == "SAME_UPPER" else (more, few))
    return found[0], found[1]


def conv(attributes: Attributes, x: Any, w: Any, b: Any = None) -> Any:
    ndim = np.ndim(array(x))
    x = image(x)
    w = image(w).transpose(1, 2, 3, 0)  # (h, w, i, o)
    stride, dilation = pair(attributes.get("strides")), pair(attributes.get("dilations"))
    padding = sides(attributes, x.shape[1:3], w.shape[:2], stride, dilation)
    groups = attributes.get("group", 1)
    y = f.convolution(x, w, None if b is None else floats(b), stride, padding, dilation, groups)
    return back(y, ndim)


def pool(kind: Any) -> Callable[..., Any]:
    def found(attributes: Attributes, x: Any) -> Any:
        ndim = np.ndim(array(x))
        x = image(x)
        kernel, stride = pair(attributes["kernel_shape"]), pair(attributes.get("strides"))
        if pair(attributes.get("dilations")) != (1, 1):
            raise Unsupported("pooling with dilation")
        padding = sides(attributes, x.shape[1:3], kernel, stride, (1, 1))
        if attributes.get("ceil_mode"):
            raise Unsupported("pooling with ceil_mode")
        if attributes.get("count_include_pad") and any(map(any, padding)) and kind is AveragePool:
            raise Unsupported("average pooling that counts padding")
        return back(tensor.apply(kind(kernel, stride, padding), x), ndim)

    return found


def global_pool(kind: Any) -> Callable[..., Any]:
    def found(attributes: Attributes, x: Any) -> Any:
        y = tensor.apply(kind(), image(x))
        return y.reshape(*y.shape, *(1,) * (np.ndim(array(x)) - 2))

    return found


def resize(attributes: Attributes, x: Any, roi: Any, scales: Any = None, sizes: Any = None) -> Any:
    """Whole factors of height and width: nearest, or linear between the centres of pixels."""
    x = floats(x)
    wanted = {key: attributes.get(key, default).decode() for key, default in RESIZE.items()}
    if attributes.get("axes") is not None or attributes.get("antialias") or x.ndim != 4:
        raise Unsupported("Resize of chosen axes")
    if scales is None or not len(scales):
        scales = np.array(sizes) / x.shape
    factors = [int(s) for s in scales]
    if factors != list(scales) or factors[:2] != [1, 1]:
        raise Unsupported("Resize by factors that are not whole")
    images = x.transpose(0, 2, 3, 1)
    half = wanted["coordinate_transformation_mode"] == "half_pixel"
    if wanted["mode"] == "linear" and half:
        y = tensor.apply(Interpolate(1, factors[2]), images)
        return tensor.apply(Interpolate(2, factors[3]), y).transpose(0, 3, 1, 2)
    how = (wanted["coordinate_transformation_mode"], wanted["nearest_mode"])
    if wanted["mode"] == "nearest" and how in REPEATED:
        n, h, w, c = images.shape
        up = images.reshape(n, h, 1, w, 1, c)
        up = tensor.broadcast(up, (n, h, factors[2], w, factors[3], c))
        return up.reshape(n, h * factors[2], w * factors[3], c).transpose(0, 3, 1, 2)
    raise Unsupported(f"Resize {wanted}")


REPEATED = {("half_pixel", "round_prefer_floor"), ("asymmetric", "floor")}  # for whole factors
RESIZE = {"mode": b"nearest", "coordinate_transformation_mode": b"half_pixel", "nearest_mode": b"round_prefer_floor"}  # fmt: skip


# Normalizations


def batch_norm(
    attributes: Attributes, x: Any, gamma: Any, beta: Any, mean: Any, variance: Any
) -> Any:
    if attributes.get("training_mode"):
        raise Unsupported("BatchNormalization in training")
    x = floats(x)
    axes = (0, *range(2, x.ndim), 1)
    moments = f.stack([floats(mean), floats(variance)])
    rows = x.transpose(*axes)
    epsilon = attributes.get("epsilon", 1e-5)
    y = tensor.apply(Normalize(epsilon), rows, moments, floats(gamma), floats(beta))
    return y.transpose(0, x.ndim - 1, *range(1, x.ndim - 1))


def layer_norm(attributes: Attributes, x: Any, gamma: Any, beta: Any = None) -> Any:
    x = floats(x)
    shape, axis = x.shape, attributes.get("axis", -1) % x.ndim
    rows = x.reshape(*shape[:axis], -1)
    rows = rows if axis else rows.reshape(1, -1)
    size = rows.shape[-1]
    b = Tensor(np.zeros(size, x.dtype)) if beta is None else floats(beta).reshape(size)
    operation = NormalizeRows(attributes.get("epsilon", 1e-5))
    return tensor.apply(operation, rows, floats(gamma).reshape(size), b).reshape(shape)


def group_norm(
    attributes: Attributes, x: Any, gamma: Any, beta: Any, groups: int | None = None
) -> Any:
    ndim = np.ndim(array(x))
    images = image(x)
    count = groups or attributes["num_groups"]
    operation = NormalizeGroups(count, attributes.get("epsilon", 1e-5))
    return back(tensor.apply(operation, images, floats(gamma), floats(beta)), ndim)


def instance_norm(attributes: Attributes, x: Any, gamma: Any, beta: Any) -> Any:
    return group_norm(attributes, x, gamma, beta, groups=np.shape(array(x))[1])


# Shapes and reductions


def axes_of(attributes: Attributes, axes: Any) -> Any:
    axes = attributes.get("axes") if axes is None else axes
    axes = None if axes is None else tuple(int(axis) for axis in np.ravel(axes))
    if not axes and attributes.get("noop_with_empty_axes"):
        raise Unsupported("a reduction of no axes")
    return axes or None


def reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    def found(attributes: Attributes, x: Any, axes: Any = None) -> Any:
        keep = bool(attributes.get("keepdims", 1))
        x = floats(x)
        if 0 in x.shape:
            raise Unsupported("a reduction of nothing")
        return function(x, axes_of(attributes, axes), keep)

    return found


def reshape(attributes: Attributes, x: Any, shape: Any) -> Any:
    x = floats(x)
    if attributes.get("allowzero") or 0 in x.shape:
        raise Unsupported("shapes with 0")
    return x.reshape(*(x.shape[i] if n == 0 else int(n) for i, n in enumerate(shape)))


def flatten(attributes: Attributes, x: Any) -> Any:
    x = floats(x)
    axis = attributes.get("axis", 1)
    return x.reshape(int(np.prod(x.shape[:axis])), -1)


def squeeze(attributes: Attributes, x: Any, axes: Any = None) -> Any:
    x = floats(x)
    chosen = axes_of(attributes, axes) or tuple(i for i, n in enumerate(x.shape) if n == 1)
    chosen = [axis % x.ndim for axis in chosen]
    return x.reshape(*(n for i, n in enumerate(x.shape) if i not in chosen))


def unsqueeze(attributes: Attributes, x: Any, axes: Any = None) -> Any:
    x = floats(x)
    return x.reshape(*np.expand_dims(np.empty(x.shape), axes_of(attributes, axes)).shape)


def transpose(attributes: Attributes, x: Any) -> Any:
    x = floats(x)
    return x.transpose(*(attributes.get("perm") or range(x.ndim)[::-1]))


def expand(attributes: Attributes, x: Any, shape: Any) -> Any:
    x = floats(x)
    return tensor.broadcast(x, np.broadcast_shapes(x.shape, tuple(map(int, shape))))


def slices(attributes: Attributes, x: Any, starts: Any = None, ends: Any = None, axes: Any = None, steps: Any = None) -> Any:  # fmt: skip
    x = floats(x)
    starts = attributes.get("starts") if starts is None else starts
    ends = attributes.get("ends") if ends is None else ends
    axes = attributes.get("axes") if axes is None else axes
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    key = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        least = int(end) if step > 0 or end > -x.shape[axis] - 1 else None
        key[int(axis)] = slice(int(start), least, int(step))
    return x[tuple(key)]


def pad(
    attributes: Attributes, x: Any, pads: Any = None, value: Any = None, axes: Any = None
) -> Any:
    x = floats(x)
    if attributes.get("mode", b"constant") != b"constant" or axes is not None:
        raise Unsupported("Pad with other numbers than one")
    pads = attributes["pads"] if pads is None else [int(n) for n in pads]
    if min(pads) < 0:
        raise Unsupported("Pad that takes away")
    value = attributes.get("value", 0.0) if value is None else float(np.ravel(value)[0])
    return f.pad(x, tuple(zip(pads[: x.ndim], pads[x.ndim :], strict=True)), value)


def gather(attributes: Attributes, x: Any, indices: Any) -> Any:
    x, axis, indices = floats(x), attributes.get("axis", 0), np.asarray(indices)
    order = [axis % x.ndim, *(i for i in range(x.ndim) if i != axis % x.ndim)]
    y = x.transpose(*order)[indices]
    k, first = indices.ndim, axis % x.ndim
    return y.transpose(*range(k, k + first), *range(k), *range(k + first, y.ndim))


def gemm(attributes: Attributes, a: Any, b: Any, c: Any = None) -> Any:
    a, b = floats(a), floats(b)
    a = a.T if attributes.get("transA") else a
    b = b.T if attributes.get("transB") else b
    y = (a @ b) * attributes.get("alpha", 1.0)
    return y if c is None else y + floats(c) * attributes.get("beta", 1.0)


def clip(attributes: Attributes, x: Any, low: Any = None, high: Any = None) -> Any:
    low = attributes.get("min", -np.inf) if low is None else float(low)
    high = attributes.get("max", np.inf) if high is None else float(high)
    if low > high:
        raise Unsupported("Clip with bounds in the wrong order")
    return f.clip(floats(x), low, high)


def along(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda attributes, x: function(floats(x), attributes.get("axis", -1))


def constant(attributes: Attributes) -> Any:
    if "value" in attributes:
        return numpy_helper.to_array(attributes["value"])
    for name, dtype in (("float", np.float32), ("int", np.int64)):
        for key in (f"value_{name}", f"value_{name}s"):
            if key in attributes:
                return np.array(attributes[key], dtype)
    raise Unsupported("a constant that is no tensor")


def dropout(attributes: Attributes, x: Any, share: Any = None, training: Any = None) -> Any:
    if training is not None and training and (share is None or share):
        raise Unsupported("Dropout in training")
    return floats(x)


def swish(attributes: Attributes, x: Any) -> Any:
    if attributes.get("alpha", 1.0) != 1:
        raise Unsupported("Swish with a factor")
    return f.silu(floats(x))


# Losses and optimizers


def class_loss(attributes: Attributes, log_p: Any, targets: Any, weights: Any = None) -> Any:
    """-w_y ln p_y; every pixel is a row."""
    k = log_p.shape[1]
    rows = log_p.transpose(0, *range(2, log_p.ndim), 1).reshape(-1, k)
    y = np.asarray(targets).ravel().astype(np.int64)
    ignored = y == attributes.get("ignore_index", y.min() - 1)
    y = np.where(ignored, 0, y)
    w = np.where(ignored, 0, 1 if weights is None else np.asarray(weights)[y]).astype(rows.dtype)
    found = -f.pick(rows, y) * Tensor(w)
    match attributes.get("reduction", b"mean"):
        case b"none":
            return found.reshape(*np.shape(targets))
        case b"sum":
            return found.sum()
    return found.sum() / float(w.sum())


def softmax_cross_entropy(attributes: Attributes, z: Any, targets: Any, weights: Any = None) -> Any:
    log_p = f.log_softmax(floats(z), axis=1)
    return class_loss(attributes, log_p, targets, weights), log_p


def negative_log_likelihood(attributes: Attributes, log_p: Any, targets: Any, weights: Any = None) -> Any:  # fmt: skip
    return class_loss(attributes, floats(log_p), targets, weights)


def updated(
    rule: Any, slots: dict[str, np.ndarray], lr: Any, w: Any, g: Any, norm: float, t: int = 1
) -> Any:
    """One step of an update rule with l2 = norm / 2, in float64."""
    w, g = np.array(w, np.float64).ravel(), np.array(g, np.float64).ravel()
    g += norm * w
    work = [np.empty(w.shape) for _ in range(2)]
    rule.update(w, g, slots, work, lr=float(lr), t=t)
    return w


def adagrad(attributes: Attributes, lr: Any, t: Any, *tensors: Any) -> Any:
    from nettrain.optim.adagrad import Adagrad

    if int(t) and attributes.get("decay_factor"):
        raise Unsupported("a rate that the optimizer lets decay")
    rule, count = Adagrad(epsilon=attributes["epsilon"]), len(tensors) // 3
    weights, sums = [], []
    for i in range(count):
        w, g, total = (tensors[i + j * count] for j in range(3))
        slots = {"sum": np.array(total, np.float64).ravel()}
        moved = updated(rule, slots, lr, w, g, attributes.get("norm_coefficient", 0.0))
        weights.append(moved.reshape(np.shape(w)))
        sums.append(slots["sum"].reshape(np.shape(w)))
    return (*weights, *sums)


def adam(attributes: Attributes, lr: Any, t: Any, *tensors: Any) -> Any:
    """ONNX adds epsilon before the correction of the second moment; at t = 0 corrects nothing."""
    from nettrain.optim.adam import Adam

    if attributes.get("norm_coefficient_post"):
        raise Unsupported("Adam with a decay after the step")
    time, count = int(t) or 10**9, len(tensors) // 4
    beta2 = attributes["beta"]
    epsilon = attributes["epsilon"] / math.sqrt(1 - beta2**time)
    rule = Adam(beta1=attributes["alpha"], beta2=beta2, epsilon=epsilon)
    found: list[list[np.ndarray]] = [[], [], []]
    for i in range(count):
        w, g, m, v = (tensors[i + j * count] for j in range(4))
        slots = {"m": np.array(m, np.float64).ravel(), "v": np.array(v, np.float64).ravel()}
        norm = attributes.get("norm_coefficient", 0.0)
        moved = updated(rule, slots, lr, w, g, norm, time)
        for one, values in zip(found, (moved, slots["m"], slots["v"]), strict=True):
            one.append(values.reshape(np.shape(w)))
    return tuple(itertools.chain(*found))


def momentum(attributes: Attributes, lr: Any, t: Any, *tensors: Any) -> Any:
    """ONNX keeps the rate outside of the velocity, and gives the first gradient the weight 1."""
    from nettrain.optim.momentum import Momentum
    from nettrain.optim.nesterov import Nesterov

    if int(t) and attributes["beta"] != 1:
        raise Unsupported("a momentum that dampens the gradient")
    kind = {b"standard": Momentum, b"nesterov": Nesterov}[attributes["mode"]]
    rule, count = kind(beta=attributes["alpha"]), len(tensors) // 3
    weights, velocities = [], []
    for i in range(count):
        w, g, v = (tensors[i + j * count] for j in range(3))
        slots = {"velocity": np.array(v, np.float64).ravel() * float(lr)}
        moved = updated(rule, slots, lr, w, g, attributes["norm_coefficient"])
        weights.append(moved.reshape(np.shape(w)))
        velocities.append((slots["velocity"] / float(lr)).reshape(np.shape(w)))
    return (*weights, *velocities)


NODES: dict[str, Callable[..., Any]] = {
    "Abs": unary(abs), "Neg": unary(lambda x: -x), "Exp": unary(f.exp), "Log": unary(f.log),
    "Sqrt": unary(f.sqrt), "Erf": unary(f.erf), "Cos": unary(f.cos), "Sin": unary(f.sin),
    "Reciprocal": unary(lambda x: 1 / x), "Identity": unary(lambda x: x),
    "Add": binary(lambda a, b: a + b), "Sub": binary(lambda a, b: a - b),
    "Mul": binary(lambda a, b: a * b), "Div": binary(lambda a, b: a / b),
    "Pow": binary(lambda a, b: a**b), "MatMul": binary(lambda a, b: a @ b),
    "Max": many(f.maximum), "Min": many(f.minimum), "Sum": many(lambda a, b: a + b),
    "Where": lambda attributes, c, a, b: f.where(np.asarray(c), floats(a), floats(b)),
    "Relu": activation("relu"), "LeakyRelu": activation("leaky_relu", alpha=0.01),
    "Elu": activation("elu", alpha=1.0), "Selu": selu, "PRelu": prelu, "Gelu": gelu,
    "Softplus": activation("softplus"), "Softsign": activation("softsign"),
    "Sigmoid": activation("sigmoid"), "Tanh": activation("tanh"), "Mish": activation("mish"),
    "Softmax": along(f.softmax), "LogSoftmax": along(f.log_softmax),
    "Conv": conv, "MaxPool": pool(MaxPool), "AveragePool": pool(AveragePool),
    "GlobalAveragePool": global_pool(GlobalAveragePool), "GlobalMaxPool": global_pool(GlobalMaxPool),
    "Resize": resize, "BatchNormalization": batch_norm, "LayerNormalization": layer_norm,
    "GroupNormalization": group_norm, "InstanceNormalization": instance_norm,
    "ReduceSum": reduction(lambda x, axes, keep: x.sum(axes, keep)),
    "ReduceMean": reduction(lambda x, axes, keep: x.mean(axes, keep)),
    "ReduceMax": reduction(lambda x, axes, keep: x.max(axes, keep)),
    "ReduceMin": reduction(lambda x, axes, keep: x.min(axes, keep)),
    "ReduceLogSumExp": reduction(lambda x, axes, keep: f.logsumexp(x, axes, keep)),
    "ReduceSumSquare": reduction(lambda x, axes, keep: (x * x).sum(axes, keep)),
    "ReduceL1": reduction(lambda x, axes, keep: abs(x).sum(axes, keep)),
    "ReduceL2": reduction(lambda x, axes, keep: f.sqrt((x * x).sum(axes, keep))),
    "Reshape": reshape, "Flatten": flatten, "Squeeze": squeeze, "Unsqueeze": unsqueeze,
    "Transpose": transpose, "Expand": expand, "Slice": slices, "Pad": pad, "Gather": gather,
    "Concat": lambda attributes, *x: f.concatenate([floats(one) for one in x], attributes["axis"]),
    "Gemm": gemm, "Clip": clip, "Constant": constant, "Dropout": dropout,
    "Swish": swish, "Mean": lambda attributes, *x: many(lambda a, b: a + b)(attributes, *x) / len(x),
    "SoftmaxCrossEntropyLoss": softmax_cross_entropy,
    "NegativeLogLikelihoodLoss": negative_log_likelihood, "Adam": adam, "Adagrad": adagrad, "Momentum": momentum,
}  # fmt: skip
