"""Contradictions between keys whose values are valid one by one; nothing here needs the data."""

from collections.abc import Iterator

from nettrain.component import names
from nettrain.config.key_path import KeyPath, parse
from nettrain.config.run_config import RunConfig, TrainingConfig
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.split import check_split
from nettrain.errors import ConfigError, nearest
from nettrain.files import WINDOWS
from nettrain.metrics import Metric
from nettrain.optim import ClosureOptimizer
from nettrain.schedules import MetricSchedule

Problem = tuple[KeyPath, str]

MONITORED = ("train", "validation")


def problems(config: RunConfig) -> Iterator[Problem]:
    """Every contradiction: the path to blame, and what to do."""
    if config.name is not None and (problem := name_problem(config.name)):
        yield ("name",), problem
    yield from _split(config.dataset)
    yield from _augmentation(config.dataset)
    yield from _monitor(("training", "monitor"), config.training.monitor)
    swa = config.training.swa
    if swa is not None and config.training.ema is not None:
        yield ("training", "swa"), "training.ema averages the weights too: leave one of them out"
    if swa is not None and swa.start > config.training.epochs:
        yield (
            ("training", "swa", "start"),
            f"epoch {swa.start} is not among the {config.training.epochs} of training.epochs",
        )
    if config.training.refine:
        yield from _refine(config)
    if config.early_stopping is not None:
        yield from _monitor(("early_stopping", "monitor"), config.early_stopping.monitor)
    if isinstance(config.schedule, MetricSchedule):
        yield from _monitor(("schedule", "monitor"), config.schedule.monitor)
    if isinstance(config.optimizer, ClosureOptimizer):
        yield from _search(config.optimizer.name(), config.training)


def _refine(config: RunConfig) -> Iterator[Problem]:
    """It chooses the best epoch, whose weights are then those of the run."""
    stopping = config.early_stopping
    for key, differs in (
        ("training.monitor", config.training.monitor is not None),
        ("early_stopping.restore_best: false", stopping is not None and not stopping.restore_best),
    ):
        if differs:
            yield (
                ("training", "refine"),
                "takes the epoch with the best log loss after temperature scaling: leave out "
                f"{key}, or this",
            )


def name_problem(name: str) -> str | None:
    """Why a run cannot have this name: it becomes a folder."""
    if (
        name in ("", ".", "..")
        or set(name) & set("/\\\0")
        or len(name.encode(errors="replace")) > 200
    ):
        return f"expected a name for a folder: no '/' or '\\', at most 200 bytes; got {name[:60]!r}"
    if WINDOWS and not _is_name_on_windows(name):
        return (
            'expected a name for a folder: Windows has none with < > : " | ? * or an end of . or '
            f"space, nor CON, NUL and the like; got {name[:60]!r}"
        )
    return None


def _is_name_on_windows(name: str) -> bool:
    devices = {
        "CON",
        "PRN",
        "AUX",
        "NUL",
        *(f"{port}{i}" for port in ("COM", "LPT") for i in range(10)),
    }
    plain = not set(name) & set('<>:"|?*') and min(name) >= " " and name[-1] not in ". "
    return plain and name.partition(".")[0].strip().upper() not in devices


def _split(dataset: DatasetConfig) -> Iterator[Problem]:
    separate = tuple(
        part for part in ("validation", "test") if getattr(dataset, f"{part}_source") is not None
    )
    try:
        check_split(dataset.split, separate)
    except ConfigError as error:
        for problem in error.problems:
            path, _, message = problem.partition(": ")
            yield parse(path) or (), message


def _augmentation(dataset: DatasetConfig) -> Iterator[Problem]:
    """Targets follow their images only where these are mixed, and in pairs."""
    chain = list(enumerate(dataset.augmentation))
    mixing = [(place, one.name()) for place, one in chain if one.mixes]
    for place, name in mixing[1:]:
        yield (
            ("dataset", "augmentation", place),
            f"{name} would mix rows that {mixing[0][1]} has mixed already: leave one of them out",
        )
    if dataset.target == "self":
        for place, name in [(place, one.name()) for place, one in chain if one.moves]:
            reason = "but with `target: self` the targets are the images as they were"
            yield (
                ("dataset", "augmentation", place),
                f"{name} moves pixels, {reason}: leave it out, or take noise or cutout",
            )


def _search(name: str, training: TrainingConfig) -> Iterator[Problem]:
    """A closure optimizer needs the same loss each time, and chooses its step length itself."""
    if training.batch_size is not None:
        yield (
            ("training", "batch_size"),
            f"the optimizer {name} takes all rows in each step: set training.batch_size: null",
        )
    if training.accumulate != 1:
        yield (
            ("training", "accumulate"),
            f"the optimizer {name} takes all rows in each step: leave it out",
        )
    if any(factor != 1 for factor in vars(training.learning_rates).values()):
        yield (
            ("training", "learning_rates"),
            f"the optimizer {name} moves all parameters at once: leave it out",
        )
    for key in ("clip_norm", "clip_value"):
        if getattr(training, key) is not None:
            yield (
                ("training", key),
                f"the optimizer {name} chooses the length of its steps itself: leave it out",
            )


def _monitor(path: KeyPath, name: str | None) -> Iterator[Problem]:
    """A metric that is logged every epoch: `{train|validation}_{metric}`."""
    if name is None:
        return
    metrics = ["loss", "penalty", *names(Metric)]
    part, _, metric = name.partition("_")
    if part == "test" and metric in metrics:
        yield (
            path,
            f"expected a metric of the training or validation part, got {name!r}: "
            "the test part is used once, at the end",
        )
    elif part not in MONITORED or metric not in metrics:
        known = [f"{part}_{metric}" for part in MONITORED for metric in metrics]
        hint = f"; did you mean 'validation_{name}'?" if name in metrics else nearest(name, known)
        others = f"; there are train_ and validation_ with {', '.join(metrics)}"
        yield (
            path,
            f"metric {name!r} does not exist{hint or others}",
        )
