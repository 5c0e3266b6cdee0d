"""Random lists of layers whose shapes fit."""

from collections.abc import Callable
from typing import Any

from against.chance import Chance
from against.random_configs import fields
from against.random_configs.fields import Fields

from nettrain.errors import ConfigError
from nettrain.nn.bound_layer import bind, resolve
from nettrain.nn.columns import cardinalities_of
from nettrain.nn.layer import Layer

Shape = tuple[int, ...]
MOST = 6000  # numbers of a row between two layers
TRIES = 30
ANY = ["activation", "batch_norm", "layer_norm", "group_norm", "dropout", "gaussian_noise", "feature_scale", "parametric_activation", "probe",
       "parallel", "residual"]  # fmt: skip
BY_RANK = {
    1: [*ANY, "dense", "dense", "dense", "periodic_embedding", "piecewise_linear_embedding", "reshape", "flatten"],
    2: [*ANY, "packed", "packed", "batch_ensemble", "batch_ensemble"],
    3: [*ANY, "conv", "conv", "conv", "depthwise_conv", "separable_conv", "max_pool", "average_pool", "upsample", "zero_pad", "spatial_dropout"],
}  # fmt: skip


class LayerList:
    """Layers for rows of a shape, one behind the other.

    Args:
        chance: Of the case.
        shape: Of one row.
        epochs: Of the run, for schedules.

    Attributes:
        layers: As a configuration has them.
        shape: Of the rows behind them.
    """

    def __init__(self, chance: Chance, shape: Shape, epochs: int, depth: int = 0) -> None:
        self._chance, self._epochs, self._depth = chance, epochs, depth
        self.layers: list[Any] = []
        self.shape = shape

    def add(self, layer: Any) -> bool:
        """Append a layer; False where it does not fit."""
        try:
            (bound,) = bind(resolve([Layer.parse(layer)]), self.shape)
        except ConfigError:
            return False
        size = 1
        for n in bound.output_shape:
            size *= n
        if size > MOST:
            return False
        self.layers.append(layer)
        self.shape = bound.output_shape
        return True

    def add_some(self, most: int, names: list[str] | None = None) -> None:
        """Append random layers of the present rank."""
        for _ in range(self._chance.randint(0, most)):
            for _ in range(TRIES):
                if self.add(self.draw(self._chance.pick(names or BY_RANK[len(self.shape)]))):
                    break

    def draw(self, name: str) -> Any:
        """A layer of a type, which need not fit."""
        if name == "activation":
            function = fields.activation(self._chance)
            return function if isinstance(function, str) else {"type": name, "function": function}
        found = {"type": name} | _FIELDS.get(name, lambda *_: {})(self._chance, self.shape, self)
        return found if len(found) > 1 or self._chance.maybe() else name

    def inner(self, shape: Shape | None = None) -> "LayerList":
        """A list for the inside of a layer."""
        return LayerList(self._chance, shape or self.shape, self._epochs, self._depth + 1)

    @property
    def nested(self) -> bool:
        """Whether it is inside so many layers that no further one should be."""
        return self._depth > 1

    @property
    def epochs(self) -> int:
        return self._epochs


def _dense(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    units = chance.pick([chance.randint(1, 7), chance.randint(1, 7), 20, 40])
    return {"units": units} | fields.weights(chance, units) | _dense_fields(chance)


def _dense_fields(chance: Chance) -> Fields:
    return chance.some(
        {
            "bias_learning_rate": lambda: chance.number(0.1, 3),
            "parametrization": lambda: chance.pick(["standard", "ntk"]),
            "start_from_rows": lambda: chance.maybe(),
        },
        0.25,
    )


def _packed(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    return {"units": chance.randint(1, 6)} | fields.weights(chance) | _dense_fields(chance)


def _batch_ensemble(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    return (
        {"units": chance.randint(1, 6)}
        | fields.weights(chance)
        | chance.some(
            {
                "scaling": lambda: chance.pick(["full", "inputs", "none"]),
                "scaling_initializer": lambda: chance.pick(["random_signs", {"type": "normal", "deviation": 1.0}]),
                "chunk": lambda: chance.randint(1, 3),
            },
            0.6,
        )
    )  # fmt: skip


def _pair(chance: Chance, low: int, high: int) -> Any:
    return chance.pick(
        [chance.randint(low, high), [chance.randint(low, high), chance.randint(low, high)]]
    )


def _windows(chance: Chance) -> Fields:
    return chance.some(
        {
            "kernel": lambda: _pair(chance, 1, 5),
            "stride": lambda: _pair(chance, 1, 3),
            "padding": lambda: chance.pick(["valid", "same", "same", _pair(chance, 0, 2)]),
            "dilation": lambda: _pair(chance, 1, 3),
        },
        0.45,
    )


def _filters(chance: Chance) -> int:
    return chance.pick([chance.randint(1, 6), chance.randint(1, 6), 16, 32])


def _conv(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    filters = _filters(chance)
    groups = [g for g in range(1, 7) if shape[-1] % g == 0 and filters % g == 0]
    found = {"filters": filters} | _windows(chance) | fields.weights(chance, filters)
    return found | chance.some({"groups": lambda: chance.pick(groups)})


def _depthwise(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    multiplier = chance.some({"multiplier": lambda: chance.randint(1, 3)})
    return _windows(chance) | fields.weights(chance) | multiplier


def _separable(chance: Chance, shape: Shape, layers: LayerList) -> Fields:
    return {"filters": _filters(chance)} | _depthwise(chance, shape, layers)


def _pool(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    return chance.some(
        {
            "size": lambda: _pair(chance, 1, 4),
            "stride": lambda: _pair(chance, 1, 3),
            "padding": lambda: chance.pick(["valid", "same", _pair(chance, 0, 1)]),
        },
        0.6,
    )


def _norm(chance: Chance) -> Fields:
    return fields.trained(chance) | chance.some({"epsilon": lambda: chance.number(1e-6, 0.1)})


def _group_norm(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    groups = [g for g in range(1, shape[-1] + 1) if shape[-1] % g == 0]
    return {"groups": chance.pick(groups)} | _norm(chance)


def _rate(chance: Chance, layers: LayerList) -> Fields:
    if chance.maybe(0.2):
        return {}
    return {"rate": fields.scheduled(chance, 0.05, 0.8, layers.epochs)}


def _noise(chance: Chance, shape: Shape, layers: LayerList) -> Fields:
    return chance.some({"deviation": lambda: fields.scheduled(chance, 0.01, 1, layers.epochs)}, 0.8)


def _periodic(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    return fields.trained(chance) | chance.some(
        {
            "variant": lambda: chance.pick(["pbld", "plr", "plr_lite"]),
            "size": lambda: chance.randint(2, 5),
            "frequencies": lambda: chance.randint(1, 5),
            "deviation": lambda: chance.number(0.01, 1),
        },
        0.7,
    )


def _piecewise(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    return fields.trained(chance) | chance.some(
        {
            "size": lambda: chance.randint(1, 5),
            "bins": lambda: chance.randint(2, 9),
            "activation": lambda: chance.maybe(),
            "members": lambda: chance.randint(1, 3),
        },
        0.6,
    )


def _reshape(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    size = 1
    for n in shape:
        size *= n
    pairs = [(h, w) for h in range(1, 9) for w in range(1, 9) if size % (h * w) == 0]
    h, w = chance.pick(pairs)
    whole = [h, w, size // (h * w)]
    if chance.maybe():
        whole[chance.randrange(3)] = -1
    return {"shape": chance.pick([whole, whole, [size], [-1]])}


def _residual(chance: Chance, shape: Shape, layers: LayerList) -> Fields:
    inside = layers.inner()
    inside.add_some(3, _inner_names(layers))
    projection = chance.some({"projection": lambda: chance.pick([True, None, False])}, 0.4)
    return {"layers": inside.layers or [chance.pick(["relu", "tanh"])]} | projection


def _parallel(chance: Chance, shape: Shape, layers: LayerList) -> Fields:
    branches = []
    for _ in range(chance.randint(1, 3)):
        inside = layers.inner()
        inside.add_some(2, _inner_names(layers))
        branches.append(inside.layers)
    merge = chance.some({"merge": lambda: chance.pick(["concatenate", "sum", "product"])}, 0.6)
    return {"branches": branches} | merge


def _inner_names(layers: LayerList) -> list[str]:
    """Types of layers that may be inside another one and keep the rank."""
    names = BY_RANK[len(layers.shape)]
    return [n for n in names if n not in ("reshape", "flatten") and not (layers.nested and n in ("residual", "parallel"))]  # fmt: skip


def _batch_norm(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    return _norm(chance) | chance.some({"momentum": lambda: chance.between(0.01, 1)})


def _parametric(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    return fields.trained(chance) | {"function": fields.activation(chance, trained=False)}


def _upsample(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    methods = ["nearest", "bilinear"]
    options = {"factor": lambda: _pair(chance, 1, 3), "method": lambda: chance.pick(methods)}
    return chance.some(options, 0.6)


def _zero_pad(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    sides = [_pair(chance, 0, 2), _pair(chance, 0, 2)]
    return {"padding": chance.pick([chance.randint(0, 2), sides])}


def _probe(chance: Chance, shape: Shape, _: LayerList) -> Fields:
    return chance.some({"every": lambda: chance.randint(1, 5)}, 0.7)


_FIELDS: dict[str, Callable[[Chance, Shape, LayerList], Fields]] = {
    "dense": _dense,
    "packed": _packed,
    "batch_ensemble": _batch_ensemble,
    "conv": _conv,
    "depthwise_conv": _depthwise,
    "separable_conv": _separable,
    "max_pool": _pool,
    "average_pool": _pool,
    "batch_norm": _batch_norm,
    "layer_norm": lambda chance, *_: _norm(chance),
    "group_norm": _group_norm,
    "dropout": lambda chance, _, layers: _rate(chance, layers),
    "spatial_dropout": lambda chance, _, layers: _rate(chance, layers),
    "gaussian_noise": _noise,
    "feature_scale": lambda chance, *_: fields.trained(chance),
    "parametric_activation": _parametric,
    "periodic_embedding": _periodic,
    "piecewise_linear_embedding": _piecewise,
    "reshape": _reshape,
    "residual": _residual,
    "parallel": _parallel,
    "upsample": _upsample,
    "zero_pad": _zero_pad,
    "probe": _probe,
}


def sequential(chance: Chance, shape: Shape, epochs: int) -> Fields:
    """A sequential model, of members or not, which ends with as many outputs as the loss needs."""
    layers = LayerList(chance, shape, epochs)
    if cardinalities_of(shape):
        layers.add(_table(chance, layers))
    elif len(shape) == 1 and chance.maybe(0.1):
        layers.add({"type": "by_columns", "numbers": ["piecewise_linear_embedding"]})
    layers.add_some(4)
    _end(chance, layers)
    return {"type": "sequential", "layers": layers.layers}


def _end(chance: Chance, layers: LayerList) -> None:
    """Bring rows of any rank to outputs."""
    if len(layers.shape) == 3:
        layers.add(chance.pick(["flatten", "global_average_pool", "global_max_pool"]))
        layers.add_some(2)
        if len(layers.shape) == 3:
            layers.add("flatten")
    if len(layers.shape) == 1 and chance.maybe(0.3):
        layers.add({"type": "members", "count": chance.randint(1, 4)})
        layers.add_some(4)
    if len(layers.shape) == 2:
        layers.layers.append(chance.pick(["packed", {"type": "packed"} | _open(chance)]))
        mean = {"type": "mean_of_members"}
        layers.layers.append(chance.pick(["mean_of_members", mean]))
        return
    layers.layers.append({"type": "dense"} | _open(chance))


def _open(chance: Chance) -> Fields:
    """The last layer, whose units are left open."""
    return fields.weights(chance) | _dense_fields(chance)


def _table(chance: Chance, layers: LayerList) -> Any:
    """What takes the codes of a table."""
    embedding = {"type": "embedding"} | fields.trained(chance)
    embedding |= chance.some(
        {"size": lambda: chance.randint(1, 4), "initializer": lambda: fields.initializer(chance)}
    )
    if len(cardinalities_of(layers.shape)) == layers.shape[0]:
        return embedding | chance.some({"members": lambda: chance.randint(1, 3)})
    found: Fields = {"type": "by_columns", "categories": [embedding]}
    members = chance.pick([None, None, 2])
    if members is not None:
        embedding["members"] = members
        found["numbers"] = [{"type": "piecewise_linear_embedding", "members": members, "size": 2}]
        return found
    if chance.maybe():
        found["numbers"] = [chance.pick(["piecewise_linear_embedding", {"type": "periodic_embedding", "size": 3}, "tanh"])]  # fmt: skip
    if chance.maybe(0.4):
        found["indicators"] = chance.pick([[], ["feature_scale"]])
    return found
