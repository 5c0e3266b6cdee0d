"""Symptoms: what goes wrong in training, and what to do about it, from a few numbers per epoch."""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nettrain.config.run_config import RunConfig

# Of one layer: gradient_norm, weight_norm, update_ratio, dead, saturated.
LayerRow = Mapping[str, float]

SEVERAL = 3  # epochs in a row: one bad probe is chance, three are a state
# First layer's gradient : last layer's. A sigmoid passes on at most 1/4: this takes five in a row.
# Good initial weights give 0.1 to 10.
VANISHING = 1e-3
LARGE = 1e3  # gradient norm. With features and targets of size 1 it is at most about 10.
# Times the first epoch's norm: as the loss falls, gradients shrink or stay unless they explode.
GROWN = 1e2
NOTICEABLE = 10.0  # gradient norm that grown ones must reach: from 1e-6 to 1e-4 nothing explodes
# Of a layer's units: some always die without harm; with half of them dead the layer is another one.
DEAD = 0.5
# Of the baseline's loss: above it, less than 3 % of what there is to explain is learned.
BASELINE = 0.97
STANDSTILL = 0.01  # of the loss: what it must fall in SEVERAL epochs to be on its way
FEWEST_EPOCHS = 5  # before the loss is judged: a slow start is not a standstill ...
FEWEST_STEPS = 200  # ... nor are few updates, unless the run ends with them
RISEN = 0.2  # of the best validation loss ...
VISIBLE = 0.05  # ... and of the first one: what is nearly 0 may double by chance
FALLEN = 0.1  # of the training loss meanwhile
LATER = 5  # epochs since the best one: the patience that early_stopping has by default


@dataclass(frozen=True)
class Epoch:
    """What a symptom sees of one epoch.

    Attributes:
        config: Of the run.
        row: As in metrics.jsonl.
        layers: The statistics of each layer, in the order of the forward pass; empty without
            diagnostics.
        last: Whether the run ends with this epoch.
        baseline: Returns the training loss of the baseline, the best model that ignores the
            features.
    """

    config: RunConfig
    row: Mapping[str, Any]
    layers: Mapping[str, LayerRow]
    last: bool
    baseline: Callable[[], float]


@dataclass
class Symptom(ABC):
    """Its fields are what it remembers from epoch to epoch."""

    @abstractmethod
    def seen(self, epoch: Epoch) -> str | None:
        """The finding and the remedies in one sentence, in the epoch in which it is certain."""

    def state(self) -> dict[str, Any]:
        """The fields, as JSON can hold them."""
        return dataclasses.asdict(self)


@dataclass
class Vanishing(Symptom):
    """The first layer's gradient is a thousandth of the last layer's, or less.

    Hochreiter 1991; Glorot & Bengio 2010, section 4.
    """

    epochs: int = 0

    def seen(self, epoch: Epoch) -> str | None:
        """Compare the first and the last trained layer."""
        norms = _gradient_norms(epoch)
        if len(norms) < 2:
            return None
        (first, least), *_, (last, most) = norms.items()
        cut_off = any(
            figures.get("dead") == 1 for figures in epoch.layers.values()
        )  # another symptom: nothing passes a dead layer
        self.epochs = self.epochs + 1 if least < VANISHING * most and not cut_off else 0
        if self.epochs < SEVERAL:
            return None
        return (
            f"gradients vanish: that of {first} has the norm {least:.2g}, that of {last} "
            f"{most:.2g}; try activation: relu, initializer: he (xavier for tanh), batch_norm or "
            "residual layers, or fewer layers"
        )


@dataclass
class Exploding(Symptom):
    """A gradient that is large, or has grown by two orders of magnitude.  Pascanu et al. 2013."""

    first: float | None = None

    def seen(self, epoch: Epoch) -> str | None:
        """Look at the layer with the largest gradient."""
        norms = _gradient_norms(epoch)
        if not norms:
            return None
        worst = max(norms, key=lambda name: norms[name])
        if self.first is None:
            self.first = norms[worst]
        grown = norms[worst] > max(GROWN * self.first, NOTICEABLE)
        if not (grown or norms[worst] > LARGE):
            return None
        risen = f", after {self.first:.2g} in the first epoch" if grown else ""
        clip = ["training.clip_norm: 1"] if epoch.config.training.clip_norm is None else []
        remedies = [
            *clip,
            _lower_rate(epoch),
            "dataset.transforms: [standardize] if the features are large",
        ]
        return (
            f"gradients explode: that of {worst} has the norm {norms[worst]:.2g}{risen}; try "
            f"{_listed(remedies)}"
        )


@dataclass
class Dying(Symptom):
    """More than half of a layer's units are 0 for every row.

    No gradient reaches them, so they stay so. Lu et al. 2019, "Dying ReLU".
    """

    epochs: int = 0

    def seen(self, epoch: Epoch) -> str | None:
        """Look at the layer with the most dead units."""
        dead = {
            name: figures["dead"]
            for name, figures in epoch.layers.items()
            if figures.get("dead", 0) > DEAD
        }
        self.epochs = self.epochs + 1 if dead else 0
        if self.epochs < SEVERAL:
            return None
        worst = max(dead, key=lambda name: dead[name])
        remedies = [
            _lower_rate(epoch),
            "activation: leaky_relu",
            "initializer: he with biases that start at zero",
        ]
        return (
            f"units die: {dead[worst]:.0%} of those of {worst} are 0 for every row; try "
            f"{_listed(remedies)}"
        )


@dataclass
class AtBaseline(Symptom):
    """The training loss stands still where the best constant answer has it, or above."""

    learnt: bool = False
    losses: list[float] = field(default_factory=list)

    def seen(self, epoch: Epoch) -> str | None:
        """Compares the loss with that of the baseline, until it is below once."""
        number, found = epoch.row["epoch"], epoch.row["train_loss"]
        self.losses = [*self.losses, found][-SEVERAL - 1 :]
        if (
            self.learnt
            or number < FEWEST_EPOCHS
            or (epoch.row["step"] < FEWEST_STEPS and not epoch.last)
        ):
            return None
        falls = found < self.losses[0] - STANDSTILL * abs(self.losses[0])
        if falls and not epoch.last:
            return None
        baseline = epoch.baseline()
        # 0: a loss for which any constant is as good
        self.learnt = baseline == 0 or found < baseline - (1 - BASELINE) * abs(baseline)
        if self.learnt:
            return None
        rises = found > self.losses[0] + STANDSTILL * abs(self.losses[0])
        remedies = [
            *(["more epochs"] if falls else []),
            _lower_rate(epoch)
            if rises
            else f"another optimizer.lr (now {epoch.config.optimizer.lr:g})",
            "dataset.transforms: [standardize] if the features are not scaled",
            "more hidden units",
        ]
        better = "hardly" if found < baseline else "no"
        return (
            f"the training loss is {found:.4g}, {better} better than the {baseline:.4g} of the "
            f"baseline, which ignores the features; try {_listed(remedies)}; and see whether the "
            "target is the right column and belongs to these rows"
        )


@dataclass
class Overfitting(Symptom):
    """The validation loss rises while the training loss falls. Prechelt 1998.

    With early stopping the remedy is at work already.
    """

    first: float | None = None
    best: float | None = None
    best_epoch: int = 0
    train: float = 0.0

    def seen(self, epoch: Epoch) -> str | None:
        """Compare both losses with those of the best epoch so far."""
        found, train, number = (
            epoch.row.get("validation_loss"),
            epoch.row["train_loss"],
            epoch.row["epoch"],
        )
        if found is None or epoch.config.early_stopping is not None:
            return None
        self.first = found if self.first is None else self.first
        if self.best is None or found < self.best:
            self.best, self.best_epoch, self.train = found, number, train
        risen = found - self.best > max(RISEN * abs(self.best), VISIBLE * abs(self.first))
        if (
            not risen
            or train > self.train - FALLEN * abs(self.train)
            or number - self.best_epoch < LATER
        ):
            return None
        if train > self.best:
            return None  # both losses fluctuate: rows learned by heart have the lower loss
        regularization = epoch.config.regularization
        remedies = [
            "early_stopping: {patience: 5}",
            *(["regularization.l2: 1e-4"] if regularization.l2 == 0 else []),
            *(["dropout"] if regularization.dropout == 0 else []),
            "fewer units",
            "more data",
        ]
        return (
            f"the network overfits: since epoch {self.best_epoch} the validation loss has risen "
            f"from {self.best:.4g} to {found:.4g}, while the training loss fell from "
            f"{self.train:.4g} to {train:.4g}; try {_listed(remedies)}"
        )


@dataclass
class NotFinite(Symptom):
    """The loss of a part that is only evaluated is NaN or infinite, while training goes on."""

    def seen(self, epoch: Epoch) -> str | None:
        """Looks at the loss of the validation part."""
        loss = epoch.row.get("validation_loss", 0.0)
        return None if math.isfinite(loss) else not_finite_loss("validation")


def not_finite_loss(part: str) -> str:
    """Returns what to say of a part with predictions that are NaN or infinite."""
    return (
        f"the {part} loss is not finite, and no metric of this part is defined: some of its rows "
        "have features far outside the range of the training rows; correct them or leave them out"
    )


def all_symptoms() -> list[Symptom]:
    """One of each, at the start of a run. The last three need no diagnostics."""
    return [Vanishing(), Exploding(), Dying(), AtBaseline(), Overfitting(), NotFinite()]


def _gradient_norms(epoch: Epoch) -> dict[str, float]:
    """Of each layer that is trained."""
    return {
        name: figures["gradient_norm"]
        for name, figures in epoch.layers.items()
        if "gradient_norm" in figures
    }


def _lower_rate(epoch: Epoch) -> str:
    return f"a lower optimizer.lr (now {epoch.config.optimizer.lr:g})"


def _listed(remedies: list[str]) -> str:
    return (
        ", or ".join(remedies)
        if len(remedies) < 3
        else ", ".join(remedies[:-1]) + f", or {remedies[-1]}"
    )
