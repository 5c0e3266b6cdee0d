"""Several trained networks that vote, in one checkpoint."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from nettrain.config.plugins import described_failures
from nettrain.data.dataset import Dataset
from nettrain.errors import CheckpointError
from nettrain.inference.conformal import Conformal
from nettrain.inference.model import Model
from nettrain.inference.predictor import Predictor
from nettrain.inference.voting import Vote, combined
from nettrain.metrics import Decision, ValueOutcome, all_metrics, outcome_of
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.metadata import Metadata, SavedEnsemble
from nettrain.training.evaluate import PartEvaluation


class Ensemble(Predictor):
    """Networks whose predictions are averaged or counted as votes.

    Each has its own transforms and its weight. An ensemble has every metric of its task but no
    loss, which is of the outputs of one network (for classes there is log_loss).

    Attributes:
        members: The networks.
        weights: Of their votes (m,).
        vote: mean, or majority.
    """

    def _build(self, checkpoint: Checkpoint, metadata: Metadata) -> None:
        settings, contents = metadata.ensemble, checkpoint.content.get("members") or []
        if settings is None or len(settings.weights) != len(contents) or not any(settings.weights):
            weights = 0 if settings is None else len(settings.weights)
            raise CheckpointError(
                f"{self.path}: its metadata is damaged: ensemble.weights: {weights} weights, not "
                f"all 0, for {len(contents)} members"
            )
        self.vote, self.weights = settings.vote, np.array(settings.weights)
        self.members = tuple(
            Model(
                self.path,
                Checkpoint(checkpoint.group(f"members.{number}"), content),
                allow_plugins=self._allow_plugins,
            )
            for number, content in enumerate(contents)
        )
        self.schema, self.names = self.members[0].schema, self.members[0].names
        self.decision = Decision(self.schema.positive_code)
        if self.schema.task == "regression":
            decision, targets = self.members[0].decision, len(self.schema.targets)
            self.conformal = Conformal.read(checkpoint, self.path, decision, targets)
        if any(member.schema != self.schema for member in self.members):
            raise CheckpointError(
                f"{self.path}: its members predict different things from different columns; it is "
                "damaged"
            )

    def member_predictions(self, dataset: Dataset) -> np.ndarray:
        """What each member predicts (m, n, k)."""
        return np.stack([member.predictions_of(dataset) for member in self.members])

    def predictions_of(self, dataset: Dataset) -> np.ndarray:
        """The weighted mean of the members' predictions, or the shares of their votes."""
        return combined(self.member_predictions(dataset), self.weights, self.vote, self.task)

    def evaluate_dataset(self, dataset: Dataset) -> PartEvaluation:
        """Every metric."""
        outcome = outcome_of(
            self.task, self.truth(dataset), self.predictions_of(dataset), self.decision
        )
        if self.conformal is not None and isinstance(outcome, ValueOutcome):
            outcome = self.conformal.added_to(outcome)
        with described_failures(self.config.plugins):
            return PartEvaluation(all_metrics(outcome, self.metrics), outcome, None)


def ensemble_checkpoint(
    members: Sequence[Checkpoint],
    weights: Sequence[float],
    vote: Vote,
    config: object,
    fingerprint: str,
) -> Checkpoint:
    """One checkpoint of those of several runs.

    Args:
        members: The checkpoints of the runs.
        weights: Of their votes.
        vote: How they are combined.
        config: Of the run that all are variations of, which says what data they share.
        fingerprint: Of that data.
    """
    tensors = {
        f"members.{number}.{name}": tensor
        for number, member in enumerate(members)
        for name, tensor in member.tensors.items()
    }
    contents = [
        {key: value for key, value in member.content.items() if key != "format"}
        for member in members
    ]
    return Checkpoint(
        tensors,
        {
            "ensemble": asdict(SavedEnsemble(vote, list(weights))),
            "config": config,
            "data_fingerprint": fingerprint,
            "members": contents,
        },
    )
