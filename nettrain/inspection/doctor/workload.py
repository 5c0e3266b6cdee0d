"""How many steps the doctor makes: from the sizes of the model alone, so that results do not depend
on the speed of the machine.
"""

from dataclasses import dataclass

from nettrain.inspection.flops import layer_flops
from nettrain.nn.network import Network
from nettrain.nn.summary import summarize
from nettrain.optim import ClosureOptimizer
from nettrain.training.run import Run

# A step on one core in float32: a fixed cost, products, and what is read and written for the
# outputs of the layers. Measured on ten models of configs/, these are within a factor of two, on
# the safe side of a processor with AVX-512.
STEP_SECONDS = 1.5e-4
FLOPS_PER_SECOND = 3e10
SECONDS_PER_VALUE = 8e-9
EPOCH_SECONDS = 1.5e-3  # evaluation
# Of the time, what one short training may take: there are five of them, and the other checks.
SHARE = 0.06
FEWEST_STEPS = 30  # less shows nothing
CLOSURE_EVALUATIONS = 25  # of the objective in a step of a closure optimizer: more in genetic ones


@dataclass(frozen=True)
class Workload:
    """The bounds of a short training.

    Attributes:
        steps: At most so many.
        epochs: At most so many.
        rows: Training rows to take at most, so that every row is seen several times.
        complete: Whether the whole training of the run lies within these bounds.
        each: About the seconds of a step.
        seconds: That the examination may take.
    """

    steps: int
    epochs: int
    rows: int
    complete: bool
    each: float
    seconds: float

    def allows(self, steps: int, share: float) -> bool:
        """Whether so many steps take at most so much of the time."""
        return steps * self.each <= share * self.seconds

    @property
    def affordable(self) -> bool:
        """Whether further short trainings fit into the time."""
        return self.allows(FEWEST_STEPS, TOLERATED * SHARE)

    @property
    def too_slow(self) -> str:
        """Why a check that trains is skipped."""
        needed = 2 * max(FEWEST_STEPS * self.each / (TOLERATED * SHARE), self.seconds)
        step = f"a step takes about {1e3 * self.each:.0f} ms"
        return f"{step}: --seconds {needed:.0f} leaves time for it"


TOLERATED = 1.5  # times the share: a bit late is better than not at all
SEEN = 4  # times that a short training sees each row


def workload(run: Run, seconds: float) -> Workload:
    """Divide the time.

    Args:
        run: Of the whole configuration.
        seconds: That the examination may take.
    """
    rows, total = len(run.parts["train"]), run.config.training.epochs * run.plan.steps_per_epoch
    each = step_seconds(run.network, run.plan.step_rows)
    if isinstance(run.config.optimizer, ClosureOptimizer):
        each *= CLOSURE_EVALUATIONS
    budget = SHARE * seconds
    epoch_seconds = EPOCH_SECONDS + each * run.plan.steps_per_epoch
    if budget >= epoch_seconds * run.config.training.epochs:
        return Workload(total, run.config.training.epochs, rows, True, each, seconds)
    steps = max(FEWEST_STEPS, int(budget / each))
    per_epoch = max(1, steps // SEEN)
    if per_epoch >= run.plan.steps_per_epoch:
        epochs = max(1, int(budget / epoch_seconds))
        return Workload(epochs * run.plan.steps_per_epoch, epochs, rows, False, each, seconds)
    return Workload(steps, SEEN, per_epoch * run.plan.step_rows, False, each, seconds)


def step_seconds(network: Network, rows: int) -> float:
    """About what a step of so many rows takes on one core."""
    flops = sum(one.forward + one.backward for one in layer_flops(network).values())
    values = sum(row.values for row in summarize(network.layers, network.input_shape))
    per_row = flops / FLOPS_PER_SECOND + values * SECONDS_PER_VALUE
    return STEP_SECONDS + rows * per_row
