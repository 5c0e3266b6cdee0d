"""All kinds of component that a configuration can name."""

from nettrain.component import Component
from nettrain.data.augmentation import Augmentation
from nettrain.data.source import Source
from nettrain.data.transform import Transform
from nettrain.metrics import Metric
from nettrain.nn.activation import Activation
from nettrain.nn.architecture import Architecture
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.optim import Optimizer
from nettrain.schedules import Schedule

KINDS: tuple[type[Component], ...] = (
    Source, Transform, Augmentation, Architecture, Layer, Activation, Initializer, Loss, Optimizer, Schedule, Metric,
)  # fmt: skip
