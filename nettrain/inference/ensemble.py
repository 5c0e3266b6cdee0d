"""Several trained networks that vote, in one checkpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from nettrain.component import NonNegative
from nettrain.config.plugins import in_use
from nettrain.data.dataset import Dataset
from nettrain.errors import CheckpointError
from nettrain.inference.model import Model
from nettrain.inference.predictor import Predictor
from nettrain.inference.voting import Vote, combined
from nettrain.metrics import all_metrics, outcome_of
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.evaluate import PartEvaluation


class Ensemble(Predictor):
    """Networks whose predictions are averaged or counted as votes, each with its own transforms and its weight.

    An ensemble has every metric of its task but no loss, which is of the outputs of one network (for classes there is log_loss).
    """

    def _build(self, checkpoint: Checkpoint) -> None:
        try:
            settings = _SETTINGS.validate_python(checkpoint.content.get("ensemble"))
            contents = _CONTENTS.validate_python(checkpoint.content.get("members"))
        except ValidationError as error:
            raise CheckpointError(
                f"{self.path}: its ensemble cannot be read: {error.errors()[0]['msg']}; it is damaged"
            ) from None
        if len(settings.weights) != len(contents) or not any(settings.weights):
            raise CheckpointError(
                f"{self.path}: has {len(contents)} members and {len(settings.weights)} weights; it is damaged"
            )
        self.vote, self.weights = settings.vote, np.array(settings.weights)
        self.members = tuple(
            self._member(checkpoint, place, content) for place, content in enumerate(contents)
        )
        self.schema, self.names = self.members[0].schema, self.members[0].names
        if any(member.schema != self.schema for member in self.members):
            raise CheckpointError(
                f"{self.path}: its members predict different things from different columns; it is damaged"
            )

    def _member(self, checkpoint: Checkpoint, place: int, content: Mapping[str, Any]) -> Model:
        return Model(
            self.path,
            Checkpoint(checkpoint.group(f"members.{place}"), content),
            allow_plugins=self._allow_plugins,
        )

    def said(self, dataset: Dataset) -> np.ndarray:
        """(m, n, k): what each member predicts."""
        return np.stack([member.predictions_of(dataset) for member in self.members])

    def predictions_of(self, dataset: Dataset) -> np.ndarray:
        """The weighted mean of what the members say, or the shares of their votes."""
        return combined(self.said(dataset), self.weights, self.vote, self.task)

    def evaluate_dataset(self, dataset: Dataset) -> PartEvaluation:
        """Every metric."""
        outcome = outcome_of(self.task, self.truth(dataset), self.predictions_of(dataset))
        with in_use(self.config.plugins):
            return PartEvaluation(all_metrics(outcome), outcome, None)


def ensemble_checkpoint(
    members: Sequence[Checkpoint],
    weights: Sequence[float],
    vote: Vote,
    config: object,
    fingerprint: str,
) -> Checkpoint:
    """One checkpoint of the checkpoints of several runs. config: of the run that all are variations of, which says what data they share."""
    tensors = {
        f"members.{place}.{name}": tensor
        for place, member in enumerate(members)
        for name, tensor in member.tensors.items()
    }
    contents = [
        {key: value for key, value in member.content.items() if key != "format"}
        for member in members
    ]
    settings = {"vote": vote, "weights": list(weights)}
    return Checkpoint(
        tensors,
        {
            "ensemble": settings,
            "config": config,
            "data_fingerprint": fingerprint,
            "members": contents,
        },
    )


@dataclass(frozen=True)
class _Settings:
    vote: Vote
    weights: list[NonNegative]


_SETTINGS = TypeAdapter(_Settings)
_CONTENTS = TypeAdapter(Annotated[list[dict[str, Any]], Field(min_length=1)])
