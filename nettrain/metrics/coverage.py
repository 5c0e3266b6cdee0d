"""Coverage of predicted intervals."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._outcome import ValueOutcome
from nettrain.metrics._spread import SpreadMetric


@dataclass(frozen=True, kw_only=True)
class Coverage(SpreadMetric):
    """Coverage. Rows with lower <= target <= upper / n; then the mean over targets.

    It should be what the interval promises: of the quantiles 0.05 and 0.95 a coverage of 0.9. A
    wide interval covers everything: compare interval_width, or pinball_loss, at equal coverage.
    """

    higher_is_better = True
    bounds = (0.0, 1.0)

    def measured(self, outcome: ValueOutcome) -> np.ndarray | None:
        """Returns whether each target lies within (n, t)."""
        lower, upper = outcome.lower, outcome.upper
        if lower is None or upper is None:
            return None
        return (lower <= outcome.targets) & (outcome.targets <= upper)
