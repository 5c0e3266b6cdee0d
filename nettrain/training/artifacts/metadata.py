"""The metadata of a checkpoint, typed: validated as strictly as a configuration when it is read."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from nettrain.component import NonNegative, Positive
from nettrain.config.messages import show
from nettrain.errors import CheckpointError

LARGEST = 2**53  # of a count: steps and epochs beyond are not possible, and would overflow
Number = Annotated[float, Field(strict=True)]
Natural = Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
String = Annotated[str, Field(strict=True)]
Mapping = Annotated[dict[str, Any], Field(strict=True)]


@dataclass(frozen=True)
class SavedProgress:
    """Where a run stood; the fields are those of `run.Progress`."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    epoch: Natural
    batch: Natural
    loss_sum: Annotated[float, Field(strict=True, allow_inf_nan=False)]
    weight: NonNegative
    seconds: NonNegative
    stop_reason: String | None


@dataclass(frozen=True)
class SavedEnsemble:
    """How the members of an ensemble vote."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    vote: Literal["mean", "majority"]
    weights: list[NonNegative]


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What a checkpoint holds beside its tensors.

    Attributes:
        config: The configuration of the run, as a mapping.
        data_fingerprint: Of the data that it was trained on.
        pipeline: The fitted transforms and the columns; see `Pipeline.unpack`. None: an ensemble.
        epoch: After which the weights were saved; None: before the end of the first.
        metrics: Of that epoch (`best` alone).
        steps, progress, callbacks, user_callbacks, notes: What a resumed run needs (`last` alone).
        temperature: What the network's logits are divided by, as `nettrain calibrate` chose it;
            None: they are taken as they are.
        threshold: From which probability of the positive class on `nettrain eval --threshold` lets
            a model of two classes decide for it; None: for the more probable class.
        level: Of the conformal intervals that `nettrain calibrate` made, whose scores are among the
            tensors; None: there are none.
        ensemble, members: How the members of an ensemble vote, and their metadata.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    format: Natural = 1
    config: Mapping
    data_fingerprint: String | None = None
    pipeline: Mapping | None = None
    epoch: Natural | None = None
    metrics: Mapping | None = None
    temperature: Positive | None = None
    threshold: Annotated[float, Field(strict=True, gt=0, lt=1)] | None = None
    level: Annotated[float, Field(strict=True, gt=0, lt=1)] | None = None
    steps: Natural | None = None
    progress: SavedProgress | None = None
    callbacks: dict[str, Mapping] | None = None
    user_callbacks: dict[str, Mapping] | None = None
    notes: list[String] | None = None
    ensemble: SavedEnsemble | None = None
    members: Annotated[list["Metadata"], Field(min_length=1)] | None = None

    @classmethod
    def of(cls, content: object, path: Path) -> Self:
        """The metadata in the content of a file. Raises CheckpointError naming file and key."""
        if isinstance(content, dict) and content.get("snapshot") is True:
            raise CheckpointError(
                f"{path}: is a snapshot, which holds weights alone; name the run directory, or a "
                "file in its checkpoints folder"
            )
        try:
            return _adapter().validate_python(content)
        except RecursionError:
            raise CheckpointError(
                f"{path}: its metadata is damaged: it is nested too deeply; take another checkpoint"
            ) from None
        except ValidationError as error:
            problem = error.errors()[0]
            key = ".".join(map(str, problem["loc"])) or "metadata"
            found = show(problem["input"])
            raise CheckpointError(
                f"{path}: its metadata is damaged: {key}: {problem['msg']}, got {found}; take "
                "another checkpoint of the run"
            ) from None


@cache
def _adapter() -> TypeAdapter[Any]:  # making one takes 8 ms, reading a checkpoint 1
    return TypeAdapter(Metadata)
