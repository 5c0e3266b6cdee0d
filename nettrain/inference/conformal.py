"""Conformal intervals: as wide as the errors on rows that the network was not trained on."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nettrain.errors import CheckpointError, ConfigError, RunError
from nettrain.metrics import Decision, ValueOutcome
from nettrain.training.artifacts.checkpoint import CALIBRATION, Checkpoint

LEVEL = 0.9
_SCORES = "scores"


@dataclass(frozen=True)
class Conformal:
    """Conformal intervals. [lower - d, upper + d], d the ceil((m + 1) level)-th smallest of the
    scores max(lower_i - y_i, y_i - upper_i) of m calibration rows.

    A new row that is drawn as these were lies within with a probability of at least the level, and
    of at most 1 / (m + 1) more, whatever the network and the data. That holds on average over rows,
    not for each kind of row.

    Of a network that predicts one value, lower = upper = that value: the scores are its absolute
    errors, and all intervals are equally wide (split conformal prediction; Lei et al. 2018). Of one
    that predicts quantiles they are the two that stand equally far from both ends and whose
    distance is nearest to the level; d corrects them, and may be negative (conformalized quantile
    regression; Romano, Patterson & Candès 2019, eq. 8).

    Attributes:
        scores: Of each pair of quantiles, outermost first, and target: (p, t, m), rising.
        level: At which intervals are given.
        decision: Which quantiles are predicted.
    """

    scores: np.ndarray
    level: float
    decision: Decision

    @classmethod
    def fit(
        cls, predictions: np.ndarray, truth: np.ndarray, decision: Decision, level: float = LEVEL
    ) -> "Conformal":
        """Learn from calibration rows.

        Args:
            predictions: Values (m, t), or quantiles (m, k t).
            truth: (m, t).
            decision: Which quantiles are predicted.
            level: See the class.
        """
        bare = cls(np.empty((0, 0, 0)), level, decision)
        ends = (bare._ends(predictions, pair) for pair in range(bare._pairs))
        scores = [np.maximum(low - truth, truth - high) for low, high in ends]
        return replace(bare, scores=np.sort(np.stack(scores).swapaxes(1, 2), axis=-1))

    @classmethod
    def read(
        cls, checkpoint: Checkpoint, path: Path, decision: Decision, targets: int
    ) -> "Conformal | None":
        """What `keep` has written into a checkpoint; None: nothing.

        Raises:
            CheckpointError: It does not fit the model.
        """
        level = checkpoint.metadata(path).level
        scores = checkpoint.group(CALIBRATION).get(_SCORES)
        if level is None or scores is None:
            return None
        found = cls(scores, level, decision)
        if scores.ndim != 3 or scores.shape[:2] != (found._pairs, targets) or not scores.size:
            raise CheckpointError(
                f"{path}: {CALIBRATION}.{_SCORES} has shape {scores.shape}, expected "
                f"{(found._pairs, targets, 'rows')}; the checkpoint is damaged"
            )
        return found

    def at(self, level: float) -> "Conformal":
        """The intervals at another level.

        Raises:
            ConfigError: It is not in (0, 1), or there are too few calibration rows for it.
        """
        if not 0 < level < 1:
            raise ConfigError(f"level: expected a number in (0, 1), got {level:g}")
        rows = self.scores.shape[-1]
        if self._rank(level) > rows:
            raise ConfigError(
                f"level {level:g}: needs at least {math.ceil(level / (1 - level) - 1e-9)} "
                f"calibration rows, there are {rows}: take a level of at most "
                f"{rows / (rows + 1):.4g}"
            )
        return replace(self, level=level)

    @property
    def margins(self) -> np.ndarray:
        """What is added at both ends (t,), in units of the targets."""
        return self.scores[self.pair, :, self._rank(self.level) - 1]

    @property
    def pair(self) -> int:
        """Which pair of quantiles is corrected: the one whose distance is nearest to the level."""
        levels = self.decision.levels
        widths = [levels[-1 - i] - levels[i] for i in range(self._pairs)] if levels else [0.0]
        return min(range(self._pairs), key=lambda i: abs(widths[i] - self.level))

    def interval(self, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends (n, t) for values (n, t) or quantiles (n, k t)."""
        lower, upper = self._ends(predictions, self.pair)
        lower, upper = lower - self.margins, upper + self.margins
        middle = (lower + upper) / 2  # a negative margin may be larger than half the distance
        return np.minimum(lower, middle), np.maximum(upper, middle)

    def added_to(self, outcome: ValueOutcome) -> ValueOutcome:
        """The same outcome with these intervals."""
        predictions = outcome.predicted
        if outcome.quantiles is not None:
            predictions = outcome.quantiles.reshape(len(outcome.targets), -1)
        lower, upper = self.interval(predictions)
        return replace(outcome, lower=lower, upper=upper)

    def _rank(self, level: float) -> int:
        return math.ceil((self.scores.shape[-1] + 1) * level - 1e-9)

    @property
    def _pairs(self) -> int:
        return max(len(self.decision.levels) // 2, 1)

    def _ends(self, predictions: np.ndarray, pair: int) -> tuple[np.ndarray, np.ndarray]:
        if len(self.decision.levels) < 2:
            return predictions, predictions
        quantiles = self.decision.quantiles(predictions)
        return quantiles[:, pair], quantiles[:, -1 - pair]


def with_intervals(checkpoint: Checkpoint, conformal: Conformal | None) -> Checkpoint:
    """A checkpoint with conformal intervals, or without (None)."""
    tensors = checkpoint.trained
    content = {key: value for key, value in checkpoint.content.items() if key != "level"}
    if conformal is not None:
        tensors[f"{CALIBRATION}.{_SCORES}"] = conformal.scores
        content["level"] = conformal.level
    return Checkpoint(tensors, content)


def keep(path: Path, conformal: Conformal | None) -> None:
    """Write conformal intervals into the file of a checkpoint, or take them out (None)."""
    with_intervals(Checkpoint.read(path), conformal).write(path)


def check_calibrated(conformal: Conformal | None, path: Path) -> Conformal:
    """The intervals of a model. Raises RunError where it has none."""
    if conformal is None:
        raise RunError(f"{path}: has no intervals: nettrain calibrate makes them")
    return conformal
