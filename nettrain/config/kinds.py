"""All kinds of component that a configuration can name, and what each is for in YAML."""

from typing import NamedTuple

from nettrain.component import Component
from nettrain.config.logger import Logger
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


class KindInYaml(NamedTuple):
    """What a kind is for, said to someone who writes YAML, and the component that shows it."""

    kind: type[Component]
    summary: str
    details: str
    shown: str


IN_YAML = (
    KindInYaml(
        Source,
        "Where the rows come from: a file, a named data set, or generated rows.",
        "Stands at dataset.source; validation_source and test_source give separate files.",
        "digits",
    ),
    KindInYaml(
        Transform,
        "Preprocessing of the features or of numeric targets, fitted on the training part only.",
        "Stands in the lists dataset.transforms and dataset.target_transforms, applied in order.",
        "standardize",
    ),
    KindInYaml(
        Augmentation,
        "Random changes of the training images, new in every epoch; never used in evaluation.",
        "Stands in the list dataset.augmentation, applied in order, before the transforms.",
        "flip",
    ),
    KindInYaml(
        Architecture,
        "The network: an architecture that stands for a list of layers, or the list itself.",
        "Stands at model; `nettrain check CONFIG --layers` prints the layers it stands for.",
        "mlp",
    ),
    KindInYaml(
        Layer,
        "One layer of a network.",
        "Stands in model.layers of `type: sequential`; an activation's name is a layer, too.",
        "dense",
    ),
    KindInYaml(
        Activation,
        "The function applied to the outputs of a layer.",
        "Stands at model.activation, or as a layer of its own in model.layers.",
        "relu",
    ),
    KindInYaml(
        Initializer,
        "How the first weights are drawn.",
        "Stands at initializer of a model or layer; by default the activation decides.",
        "he",
    ),
    KindInYaml(
        Loss,
        "What training minimizes: the mean over the rows of the batch.",
        "Stands at loss; by default the target decides.",
        "cross_entropy",
    ),
    KindInYaml(
        Optimizer,
        "How the weights are updated from the gradient.",
        "Stands at optimizer; lbfgs, genetic and random_search need training.batch_size: null.",
        "adam",
    ),
    KindInYaml(
        Schedule,
        "The learning rate over time, relative to optimizer.lr.",
        "Stands at schedule; all but plateau depend on the epoch alone.",
        "cosine",
    ),
    KindInYaml(
        Metric,
        "A measure of how good predictions are; all that suit the target are always computed.",
        "Named as PART_METRIC, such as validation_accuracy, by monitor and by a sweep's metric.",
        "accuracy",
    ),
    KindInYaml(
        Logger,
        "A program that a run is logged to while it trains.",
        "Stands in the list training.loggers; it changes no result, and a failure is a warning.",
        "tensorboard",
    ),
)
KINDS: tuple[type[Component], ...] = tuple(entry.kind for entry in IN_YAML)
