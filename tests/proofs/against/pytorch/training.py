"""A run of nettrain, done again in PyTorch: each step from the weights that nettrain had before it.

So errors of rounding do not grow over the steps, and every deviation is that of one step. The
optimizer of PyTorch gets nettrain's gradient, after it was compared with PyTorch's own: an Adam
that divides a gradient of 1e-17, which should be zero, by itself would make a full step of it.
"""

import numpy as np
import torch
from against.comparison import Comparison, Deviation
from against.pytorch.closure_optimizers import ClosureUpdates
from against.pytorch.gradients import compare_gradients
from against.pytorch.kinks import at_kink
from against.pytorch.optimizers import Update
from against.pytorch.schedulers import plateau
from against.pytorch.twin import Twin
from against.recorder import RecordedStep, Recorder

# float64 has 1.1e-16. A sum of n terms is off by up to n of these, a network by as many for each of
# its layers; where terms cancel, by that share of the terms, not of what is left of them.
IMAGES = 1e-12  # of the largest pixel
LOSS = 1e-10  # of the sum of the rows' losses without their signs
UPDATE = 1e-10  # of the largest step of a parameter, beside the rounding of its elements
STATE = 1e-11  # of the largest element, or of 1
OUTPUTS = 1e-9  # of the largest output ...
LEAST_OUTPUT = 1e-4  # ... or of this: outputs that should be 0 are sums of numbers near 1
RATE = 1e-12  # of the base rate
# Beyond these no digits are left, as of the cosine of 1e15. Steps that are too large make such
# weights, and dense layers that scale inputs of 1e-17, which should be 0.
MOST_WEIGHT, MOST_LOSS = 1e6, 1e12
ROUNDING = 4 * np.finfo(np.float64).eps


def compare_training(recorder: Recorder, comparison: Comparison) -> None:
    """Do a run again. Raises Deviation where the two disagree."""
    Training(recorder, comparison).compare()


class Training:
    """A run again.

    Args:
        recorder: Of the run.
        comparison: Gets what is compared.
    """

    def __init__(self, recorder: Recorder, comparison: Comparison) -> None:
        self._recorder, self._comparison = recorder, comparison
        self._run, self._config = recorder.run, recorder.run.config
        self._twin = Twin(recorder)
        self._named = self._run.network.vector.named

    def compare(self) -> None:
        """Compare every step, then outputs and averages."""
        steps = self._recorder.steps
        if self._twin.augmented is not None:
            images = self._twin.augmented.transformed().numpy()
            self._comparison.close("transformed images", self._twin.x.numpy(), images, IMAGES)
        closures = self._config.optimizer.name() in ClosureUpdates.NAMES
        update = self._closures() if closures else self._updates()
        for number, step in enumerate(steps):
            if step.before is None:
                self._diverged(number, step)
                return
            if _is_huge(step):
                self._comparison.notes["weights or losses without digits"] += 1
                return
            self._twin.load(step.before)
            self._losses(number, step)
            update(number, step)
            self._twin.load(step.after)
            self._rate(number, step)
            self._state(step)
        self._rows()
        self._averages()
        if self._recorder.ended:
            self._outputs()

    def _losses(self, number: int, step: RecordedStep) -> None:
        """The loss of each micro-batch, and the gradient of the mean over all."""
        state = self._twin.copied_state()
        for i, rows in enumerate(step.rows):
            with torch.no_grad():
                values, _ = self._twin.losses(number, i, rows)
            scale = max(values.abs().sum().item(), 1e-300)
            self._comparison.close("loss", step.losses[i], values.sum().item(), LOSS, scale)
        if step.gradient is None:
            return
        self._twin.restore_state(state)
        theirs = self._twin.gradients(number, step.rows)
        try:
            compare_gradients(self._comparison, self._named(step.gradient), theirs)
        except Deviation:
            if not at_kink(self._run, self._twin, number, step):
                raise
            self._comparison.notes["gradients at a kink"] += 1
            self._twin.load(step.before)
            self._twin.restore_state({n: torch.tensor(a) for n, a in step.state.items()})

    def _updates(self):
        training, regularization = self._config.training, self._config.regularization
        update = Update(self._config.optimizer, self._twin.trained, self._twin.roles)
        decay = getattr(self._config.optimizer, "weight_decay", 0.0)

        def made(number: int, step: RecordedStep) -> None:
            at = self._twin.number(number)
            given = self._named(step.gradient)
            update.step(
                {name: torch.tensor(given[name]) for name in self._twin.trained},
                step.lr,
                l1=at(regularization.l1),
                l2=at(regularization.l2),
                decay=at(decay),
                clip_norm=training.clip_norm,
                clip_value=training.clip_value,
            )
            before, after = self._named(step.before), self._named(step.after)
            for name, tensor in self._twin.tensors.items():
                theirs = tensor.detach().numpy()
                moved = np.abs(theirs - before[name]).max(initial=0)
                scale = moved + np.abs(theirs).max(initial=0) * ROUNDING / UPDATE
                what = f"update: {name}, step {number}"
                self._comparison.close(what, after[name], theirs, UPDATE, scale)

        return made

    def _closures(self):
        return ClosureUpdates(self._run, self._twin, self._comparison).compare

    def _rate(self, number: int, step: RecordedStep) -> None:
        lr, name = self._config.optimizer.lr, self._config.schedule.name()
        if name == "plateau":
            lr *= self._plateau()[number // self._run.plan.steps_per_epoch]
        expected = self._twin.rate(self._config.schedule, lr, number)
        self._comparison.close(f"rate: {name}, step {number}", step.lr, expected, RATE, lr)

    def _plateau(self) -> list[float]:
        """The factor in each epoch, by PyTorch's scheduler and the losses that nettrain saw."""
        schedule, lr = self._config.schedule, self._config.optimizer.lr
        rows = [row for e, row in enumerate(self._recorder.epochs, start=1) if e > schedule.warmup]
        rates = plateau(schedule, lr, [row["train_loss"] for row in rows], higher=False)
        unobserved = len(self._recorder.epochs) - len(rows)
        return [1.0] * (unobserved + 1) + [rate / lr for rate in rates]

    def _state(self, step: RecordedStep) -> None:
        for name, array in step.state.items():
            scale = max(1.0, np.abs(array).max(initial=0))
            theirs = self._twin.state[name].numpy()
            self._comparison.close(f"state: {name}", array, theirs, STATE, scale)

    def _diverged(self, number: int, step: RecordedStep) -> None:
        """nettrain's loss was not finite; PyTorch's must not be either."""
        with torch.no_grad():
            self._comparison.equal("divergence", False, self._twin.is_finite(number, step.rows))

    def _rows(self) -> None:
        """Every epoch has each row once, or at most once where the last ones are left out."""
        per_epoch, steps = self._run.plan.steps_per_epoch, self._recorder.steps
        for start in range(0, len(steps), per_epoch):
            epoch = steps[start : start + per_epoch]
            rows = np.concatenate([part for step in epoch for part in step.rows])
            self._comparison.equal("rows", len(np.unique(rows)), len(rows))
            if not self._config.training.drop_last and len(epoch) == per_epoch:
                self._comparison.equal("rows", len(rows), len(self._twin.x))

    def _averages(self) -> None:
        """The averages of the weights that nettrain had after each step."""
        training, per_epoch = self._config.training, self._run.plan.steps_per_epoch
        weights = np.array([step.after for step in self._recorder.steps])
        for t, step in enumerate(self._recorder.steps, start=1):
            if training.ema is not None:
                powers = training.ema ** np.arange(t - 1, -1, -1.0)
                expected = powers @ weights[:t] / powers.sum()
                self._comparison.close("ema", step.average, expected, UPDATE)
        if training.swa is not None:
            every, first = training.swa.every, training.swa.start
            ends = [
                e * per_epoch - 1 for e in range(first, self._config.training.epochs + 1, every)
            ]
            model = torch.nn.ParameterList([torch.tensor(weights[0])])
            average = torch.optim.swa_utils.AveragedModel(model)
            for end in ends:
                model[0].data.copy_(torch.tensor(weights[end]))
                average.update_parameters(model)
            theirs = average.module[0].detach().numpy()
            self._comparison.close("swa", self._recorder.steps[-1].average, theirs, UPDATE)

    def _outputs(self) -> None:
        """Outputs in evaluation mode, of the last weights and of those that are evaluated."""
        recorder, twin = self._recorder, self._twin
        self._evaluated("outputs", recorder.outputs)
        twin.load(recorder.evaluated_weights)
        if self._config.training.swa is not None and recorder.evaluated_state:
            twin.restore_state(twin.recomputed_statistics())
            for name, array in recorder.evaluated_state.items():
                self._comparison.close(
                    f"swa: {name}",
                    array,
                    twin.state[name].numpy(),
                    STATE,
                    max(1.0, np.abs(array).max()),
                )
        self._evaluated("outputs of averages", recorder.averaged)

    def _evaluated(self, what: str, ours: np.ndarray) -> None:
        with torch.no_grad():
            theirs = self._twin.evaluated()
            predicted = self._twin.predictions(theirs)
        finite = theirs[torch.isfinite(theirs)]
        scale = max(finite.abs().max().item() if len(finite) else 0.0, LEAST_OUTPUT)
        self._comparison.close(what, ours, theirs.numpy(), OUTPUTS, scale)
        task = self._run.pipeline.schema.task
        mine = self._run.loss.predictions(ours, task)
        largest = np.abs(mine[np.isfinite(mine)]).max(initial=LEAST_OUTPUT)
        self._comparison.close("predictions", mine, predicted.numpy(), OUTPUTS, float(largest))


def _is_huge(step: RecordedStep) -> bool:
    weights = max(np.abs(step.before).max(initial=0), np.abs(step.after).max(initial=0))
    return bool(weights > MOST_WEIGHT or np.abs(step.losses).max() > MOST_LOSS)
