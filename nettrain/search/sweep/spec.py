"""A sweep's YAML, typed: which runs to compare, in what, and how their settings are chosen."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from nettrain.component import Count, Integer, Record, SmallCount, Text
from nettrain.search.sweep.parameter import Parameter

Method = Literal["grid", "random", "bayes"]
Goal = Literal["minimize", "maximize"]


@dataclass(frozen=True, kw_only=True)
class Objective(Record):
    """What trials are compared in: a metric of the best weights of a run."""

    name: Annotated[
        Text,
        Field(
            description="a metric of the training or validation part",
            examples=["validation_accuracy"],
        ),
    ]
    goal: Annotated[Goal | None, Field(description="null: as the metric itself has it")] = None


@dataclass(frozen=True, kw_only=True)
class EarlyTerminate(Record):
    """Pruning: which trials end early, by the monitored metric of each epoch.

    median: those worse than the median of earlier trials at that epoch. hyperband: the worse of
    those that got as far (Li et al. 2018).
    """

    type: Annotated[
        Literal["none", "median", "hyperband"],
        Field(description="none: no trial is", examples=["hyperband"]),
    ] = "none"
    min_epochs: Annotated[Count, Field(description="epochs that every trial is given")] = 1


def _named(key: str, schema: Any) -> BeforeValidator:
    """A bare text stands for the mapping that has it under `key`."""
    return BeforeValidator(
        lambda value: {key: value} if isinstance(value, str) else value,
        json_schema_input_type=schema,
    )


@dataclass(frozen=True, kw_only=True)
class SweepSpec(Record):
    """One sweep, complete.

    A trial ends as finished, pruned, diverged, failed, killed, out_of_memory or system_error; the
    sweep goes on. `nettrain sweep --resume DIR` makes again what ended with an error of the system
    (a full or failing disk, no permission, too many open files), and with --retry-failed also what
    failed, was killed, or ran out of memory.
    """

    name: Annotated[
        Text | None, Field(description="of the sweep directory; null: the file's stem")
    ] = None
    base: Annotated[
        Text | dict[str, Any],
        Field(
            description="the run that is varied: a YAML file, or all of its keys",
            examples=["digits.yaml"],
        ),
    ]
    method: Annotated[Method, Field(description="how settings are chosen")] = "random"
    metric: Annotated[
        Objective,
        _named("name", Text | Objective),
        Field(description="what trials are compared in"),
    ] = Objective(name="validation_loss")
    parameters: Annotated[
        dict[Text, Parameter],
        Field(
            description="keys of the run configuration, and what they can be",
            examples=[{"optimizer.lr": {"values": [0.01, 0.001]}}],
        ),
    ]
    trials: Annotated[
        Count | None, Field(description="how many settings; null: all of a grid", examples=[40])
    ] = None
    early_terminate: Annotated[
        EarlyTerminate,
        _named("type", Text | EarlyTerminate),
        Field(description="which trials are pruned"),
    ] = EarlyTerminate()
    cross_validation: Annotated[
        Annotated[Integer, Field(ge=2)] | None,
        Field(
            description="folds of a trial, whose mean is its score; null: the score is that of the "
            "validation part",
            examples=[5],
        ),
    ] = None
    repeats: Annotated[
        SmallCount,
        Field(
            description="runs of a trial, with seeds seed, seed + 1 ...; their mean is its score"
        ),
    ] = 1
