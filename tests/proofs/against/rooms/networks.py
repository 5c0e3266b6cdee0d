"""Random networks and runs: trained by nettrain, and again by PyTorch in float64."""

import tempfile
import warnings
from typing import Any

import torch
from against.chance import Chance
from against.comparison import Comparison, Refused
from against.coverage import Coverage
from against.pytorch.training import compare_training
from against.random_configs.runs import arrays, random_run
from against.recorder import Recorder
from against.thresholds import low

import nettrain
from nettrain.config.run_config import LearningRates, Regularization, TrainingConfig
from nettrain.data.augmentation import Augmentation
from nettrain.errors import Diverged, NettrainError
from nettrain.nn.activation import Activation
from nettrain.nn.architecture import Architecture
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.optim import Optimizer
from nettrain.schedules import Schedule
from nettrain.training.loop import Interrupted

CASES = 1000  # from which on every component and key must have been tried
OF_RUNS = "changes no number of a training step"
LEFT_OUT = {
    "TrainingConfig.monitor": OF_RUNS,
    "TrainingConfig.refine": OF_RUNS,
    "TrainingConfig.snapshots": OF_RUNS,
    "TrainingConfig.loggers": OF_RUNS,
    "schedule.plateau.monitor": "the metrics are compared in a room of their own",
    "layer.by_columns.cardinalities": "taken from the data",
    "layer.mean_of_members.of": "taken from the loss",
}


def draw(chance: Chance) -> dict[str, Any]:
    """A configuration, its data, and the number of threads."""
    return random_run(chance)


def coverage() -> Coverage:
    """Every component of a network and of its training."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # NAdam keeps its product of momenta in this type
    kinds = [Activation, Architecture, Augmentation, Initializer, Layer, Loss, Optimizer, Schedule]
    return Coverage(kinds, [TrainingConfig, LearningRates, Regularization], LEFT_OUT)  # type: ignore[type-abstract]


def compare(case: dict[str, Any], comparison: Comparison) -> tuple[Any, ...]:
    """Train, and do it again. Returns what was tried.

    Raises:
        Refused: The case is no valid configuration.
        Deviation: The two disagree.
    """
    augmented = case["config"]["dataset"].get("augmentation")
    recorder = Recorder(arrays(case["data"])[0] if augmented else None)
    with low(case.get("low_thresholds", False)):
        _train(case, recorder, comparison)
        if recorder.steps:
            compare_training(recorder, comparison)
    return recorder.run.config, [bound.layer for bound in recorder.run.plan.layers]


def _train(case: dict[str, Any], recorder: Recorder, comparison: Comparison) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            nettrain.train(
                case["config"],
                arrays(case["data"]),
                output_directory=folder,
                threads=case["threads"],
                callbacks=[recorder],
                progress=False,
            )
        except Diverged:
            comparison.notes["diverged"] += 1
        except Interrupted:  # a signal ended the campaign, not the case
            raise KeyboardInterrupt from None
        except NettrainError as error:
            raise Refused(str(error)) from None
