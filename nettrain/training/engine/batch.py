"""The rows of one step, in buffers that stay."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nettrain.autodiff.tensor import Tensor
from nettrain.data.augmentation import Mix
from nettrain.data.augmenter import Augmenter
from nettrain.data.part import Part
from nettrain.nn.loss import Loss


class Partners(NamedTuple):
    """The rows that an augmentation mixes in: one for each row of a batch.

    Attributes:
        y: Encoded targets (size, ...).
        w: Their weights, times the share that they have in the mixed rows.
    """

    y: np.ndarray
    w: np.ndarray

    def fill(self, y: np.ndarray, w: np.ndarray, mix: Mix | None) -> None:
        """Take over the rows' partners, and divide each weight between a row and its partner.

        Args:
            y, w: Encoded targets and weights of the rows (n, ...). The weights are changed.
            mix: How the rows were mixed; None: this time they were not.
        """
        n = len(w)
        if mix is None:
            self.y[:n] = y  # any targets that the loss takes, as they have no weight
            self.w[:n] = 0
        else:
            self.y[:n] = y[mix.partner]
            self.w[:n] = w[mix.partner]
            self.w[:n] *= 1 - mix.share
            w *= mix.share


class Batch:
    """Inputs, encoded targets and weights of up to `size` rows.

    A batch of fewer rows uses the first rows of the buffers.

    Args:
        part: The part of the data that the rows are taken from.
        size: The number of rows that the buffers hold.
        dtype: Of inputs and weights.
        augmenter: Changes images at random.
        read: Returns which of n rows are read here; the places of the others are left as they are.
            None: all. With an augmenter all are read: it draws random numbers for one row after the
            other, and mixes rows.

    Attributes:
        x: Inputs (size, ...).
        y: Encoded targets (size, ...).
        w: The weight of each row, times the share that the row keeps where rows are mixed; None
            where rows have no weights and are not mixed.
        per_weight: 1 / the sum of the rows' weights; 0 where they are all 0.
        partners: The rows that an augmentation mixes in; None where none does.
    """

    def __init__(
        self,
        part: Part,
        size: int,
        dtype: np.dtype,
        augmenter: Augmenter | None = None,
        read: Callable[[int], slice] | None = None,
    ) -> None:
        if part.y is None:
            raise ValueError("a part without targets cannot be trained on")
        self.part = part
        self.augmenter = augmenter
        self.read = read if augmenter is None else None
        mixes = augmenter is not None and augmenter.mixes
        self.x = np.empty((size, *part.x.shape[1:]), dtype)
        self.y = np.empty((size, *part.y.shape[1:]), part.y.dtype)
        self.w = None if part.weights is None and not mixes else np.empty(size, dtype)
        self.per_weight = np.empty((), dtype)
        self.partners = Partners(np.empty_like(self.y), np.empty(size, dtype)) if mixes else None

    def __len__(self) -> int:
        return len(self.x)

    def gather(self, rows: np.ndarray, step: int = 0, micro_batch: int = 0) -> None:
        """Fill the buffers with these rows.

        Args:
            rows: Indices into the part.
            step, micro_batch: Place the random streams of the augmentations.
        """
        n = len(rows)
        x, y = self.x[:n], self.y[:n]
        if self.read is None:
            self.part.gather(rows, x, y)
        else:
            own = self.read(n)
            self.part.gather(rows[own], x[own], y[own])
        mix = None if self.augmenter is None else self.augmenter(x, step, micro_batch)
        if self.w is not None:
            w, weight = self.w[:n], self.weight(rows)
            w[...] = 1 if self.part.weights is None else self.part.weights[rows]
            self.per_weight[...] = 1 / weight if weight else 0
            if self.partners is not None:
                self.partners.fill(y, w, mix)

    def weight(self, rows: np.ndarray) -> float:
        """The sum of the rows' weights, which divides their loss; without weights, their number.

        Rows that are mixed have it too: every row is the partner of one.
        """
        return (
            float(len(rows)) if self.part.weights is None else float(self.part.weights[rows].sum())
        )

    def losses(self, loss: Loss, outputs: Tensor, part: slice) -> Tensor:
        """What each row adds to the loss: w_i L(y_i), and the same of the partner of a mixed row.

        Args:
            loss: L.
            outputs: Of the network for these rows.
            part: Which rows of the batch.
        """
        found = loss.training_rows(outputs, Tensor(self.y[part], feed=True))
        if self.w is not None:
            found = found * Tensor(self.w[part], feed=True)
        if self.partners is not None:
            partner = loss.training_rows(outputs, Tensor(self.partners.y[part], feed=True))
            found = found + partner * Tensor(self.partners.w[part], feed=True)
        return found

    def copy_from(self, other: "Batch", n: int) -> None:
        """Take over the first n rows of a batch of the same part."""
        for here, there in zip(self._buffers(), other._buffers(), strict=True):
            here[:n] = there[:n]
        self.per_weight[...] = other.per_weight

    def _buffers(self) -> list[np.ndarray]:
        """All that has a place per row."""
        return [self.x, self.y, *([] if self.w is None else [self.w]), *(self.partners or ())]
