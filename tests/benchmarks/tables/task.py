"""What a method is given, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

Predict = Callable[[pd.DataFrame], np.ndarray]  # (n, k) probabilities in the order of classes; (n,)


@dataclass(frozen=True)
class Task:
    """One table and split.

    Attributes:
        csv: The table, all rows; networks of nettrain read it themselves, as a user's command does.
        rows: The npz file with the rows of each part.
        target: The column that is predicted.
        classes: In the order of the columns of probabilities; empty for regression.
        x, y: The training rows; y holds the places of classes, or numbers.
        x_validation, y_validation: The rows by which a method may stop.
        seed: Of what a method draws.
        threads: How many it may use.
        folder: For what it writes.
    """

    csv: Path
    rows: Path
    target: str
    classes: tuple[str, ...]
    x: pd.DataFrame
    y: np.ndarray
    x_validation: pd.DataFrame
    y_validation: np.ndarray
    seed: int
    threads: int
    folder: Path

    @property
    def categories(self) -> list[str]:
        """The columns of texts."""
        return [name for name in self.x if self.x[name].dtype == "category"]

    @property
    def numbers(self) -> list[str]:
        """The other columns."""
        return [name for name in self.x if self.x[name].dtype != "category"]
