"""Neural networks from a YAML file, on an automatic differentiation core that one can read.

Everything a user may call or derive from is importable from here:

    import nettrain

    result = nettrain.train("digits.yaml")           # or a mapping, with data=(x, y) for arrays
    model = nettrain.load(result.run_directory)      # a run directory or a checkpoint
    model.predict(x), model.evaluate(x, y)
    nettrain.sweep("digits_random.yaml").best        # the best of many settings

`nettrain.autodiff` has `grad`, `jvp`, `jacobian` and the other functions of the core.
"""

import importlib
from typing import TYPE_CHECKING, Any

from nettrain.version import __version__ as __version__

if TYPE_CHECKING:
    from nettrain.autodiff.tensor import Tensor as Tensor
    from nettrain.component import Count as Count
    from nettrain.component import Flag as Flag
    from nettrain.component import Index as Index
    from nettrain.component import Integer as Integer
    from nettrain.component import NonNegative as NonNegative
    from nettrain.component import Positive as Positive
    from nettrain.component import Real as Real
    from nettrain.component import Share as Share
    from nettrain.component import Text as Text
    from nettrain.config.logger import LoggedEnd as LoggedEnd
    from nettrain.config.logger import LoggedEpoch as LoggedEpoch
    from nettrain.config.logger import LoggedGroup as LoggedGroup
    from nettrain.config.logger import LoggedRun as LoggedRun
    from nettrain.config.logger import Logger as Logger
    from nettrain.config.logger import RunLog as RunLog
    from nettrain.data.augmentation import Augmentation as Augmentation
    from nettrain.data.dataset import Dataset as Dataset
    from nettrain.data.features import Features as Features
    from nettrain.data.source import Source as Source
    from nettrain.data.target import Target as Target
    from nettrain.data.transform import Transform as Transform
    from nettrain.errors import CheckpointError as CheckpointError
    from nettrain.errors import ConfigError as ConfigError
    from nettrain.errors import DataError as DataError
    from nettrain.errors import Diverged as Diverged
    from nettrain.errors import NettrainError as NettrainError
    from nettrain.errors import PluginError as PluginError
    from nettrain.errors import RunError as RunError
    from nettrain.inference.load import load as load
    from nettrain.inference.predictor import Predictor as Predictor
    from nettrain.inspection.assessment import Assessment as Assessment
    from nettrain.inspection.doctor.examine import doctor as doctor
    from nettrain.metrics import ClassOutcome as ClassOutcome
    from nettrain.metrics import LabelOutcome as LabelOutcome
    from nettrain.metrics import Metric as Metric
    from nettrain.metrics import ValueOutcome as ValueOutcome
    from nettrain.nn.activation import Activation as Activation
    from nettrain.nn.architecture import Architecture as Architecture
    from nettrain.nn.composite import Composite as Composite
    from nettrain.nn.initializer import Initializer as Initializer
    from nettrain.nn.layer import Layer as Layer
    from nettrain.nn.layer import Scope as Scope
    from nettrain.nn.layer import TrainedLayer as TrainedLayer
    from nettrain.nn.loss import Loss as Loss
    from nettrain.nn.network import Network as Network
    from nettrain.nn.parameter import Parameter as Parameter
    from nettrain.optim import ClosureOptimizer as ClosureOptimizer
    from nettrain.optim import Optimizer as Optimizer
    from nettrain.optim import Rule as Rule
    from nettrain.schedules import MetricSchedule as MetricSchedule
    from nettrain.schedules import Schedule as Schedule
    from nettrain.schedules import Scheduled as Scheduled
    from nettrain.search.cv.cross_validation import cross_validate as cross_validate
    from nettrain.search.cv.cross_validation import (
        resume_cross_validation as resume_cross_validation,
    )
    from nettrain.search.cv.result import CrossValidation as CrossValidation
    from nettrain.search.ensembles.ensemble import EnsembleResult as EnsembleResult
    from nettrain.search.ensembles.ensemble import ensemble as ensemble
    from nettrain.search.ensembles.ensemble import resume_ensemble as resume_ensemble
    from nettrain.search.observer import Observer as Observer
    from nettrain.search.sweep.result import SweepResult as SweepResult
    from nettrain.search.sweep.sweep import resume_sweep as resume_sweep
    from nettrain.search.sweep.sweep import sweep as sweep
    from nettrain.streams import generator as generator
    from nettrain.training.callbacks import Callback as Callback
    from nettrain.training.loop import Interrupted as Interrupted
    from nettrain.training.result import Result as Result
    from nettrain.training.resume import resume as resume
    from nettrain.training.run import Run as Run
    from nettrain.training.train import train as train

# Imported when first used: `nettrain --help` must not wait for NumPy.
_HOMES = {
    "nettrain.autodiff.tensor": ("Tensor",),
    "nettrain.component": (
        "Count",
        "Flag",
        "Index",
        "Integer",
        "NonNegative",
        "Positive",
        "Real",
        "Share",
        "Text",
    ),
    "nettrain.config.logger": (
        "LoggedEnd",
        "LoggedEpoch",
        "LoggedGroup",
        "LoggedRun",
        "Logger",
        "RunLog",
    ),
    "nettrain.data.augmentation": ("Augmentation",),
    "nettrain.data.dataset": ("Dataset",),
    "nettrain.data.features": ("Features",),
    "nettrain.data.source": ("Source",),
    "nettrain.data.target": ("Target",),
    "nettrain.data.transform": ("Transform",),
    "nettrain.errors": (
        "CheckpointError",
        "ConfigError",
        "DataError",
        "Diverged",
        "NettrainError",
        "PluginError",
        "RunError",
    ),
    "nettrain.inference.load": ("load",),
    "nettrain.inference.predictor": ("Predictor",),
    "nettrain.inspection.assessment": ("Assessment",),
    "nettrain.inspection.doctor.examine": ("doctor",),
    "nettrain.metrics": ("ClassOutcome", "LabelOutcome", "Metric", "ValueOutcome"),
    "nettrain.nn.activation": ("Activation",),
    "nettrain.nn.architecture": ("Architecture",),
    "nettrain.nn.composite": ("Composite",),
    "nettrain.nn.initializer": ("Initializer",),
    "nettrain.nn.layer": ("Layer", "Scope", "TrainedLayer"),
    "nettrain.nn.loss": ("Loss",),
    "nettrain.nn.network": ("Network",),
    "nettrain.nn.parameter": ("Parameter",),
    "nettrain.optim": ("ClosureOptimizer", "Optimizer", "Rule"),
    "nettrain.schedules": ("MetricSchedule", "Schedule", "Scheduled"),
    "nettrain.search.cv.cross_validation": ("cross_validate", "resume_cross_validation"),
    "nettrain.search.cv.result": ("CrossValidation",),
    "nettrain.search.ensembles.ensemble": ("EnsembleResult", "ensemble", "resume_ensemble"),
    "nettrain.search.observer": ("Observer",),
    "nettrain.search.sweep.result": ("SweepResult",),
    "nettrain.search.sweep.sweep": ("resume_sweep", "sweep"),
    "nettrain.streams": ("generator",),
    "nettrain.training.callbacks": ("Callback",),
    "nettrain.training.loop": ("Interrupted",),
    "nettrain.training.result": ("Result",),
    "nettrain.training.resume": ("resume",),
    "nettrain.training.run": ("Run",),
    "nettrain.training.train": ("train",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}
__all__ = ["__version__", *_HOME_OF]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'nettrain' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
