"""nettrain's optimizers that evaluate the objective at points of their own choosing, done again."""

import copy
from typing import Any

import numpy as np
import torch
from against.comparison import Comparison, Deviation
from against.pytorch.twin import Twin
from against.recorder import RecordedStep

from nettrain import streams

# The points of a line search are roots of cubics, whose terms cancel near the minimum.
LINE_SEARCH = 1e-5  # of the largest step
OBJECTIVE = 1e-9
LEAST_STEP = 1e-7  # shorter ones are decided by rounding
# Along a straight line the cubic has no minimum: rounding decides between the middle and a bound.
# There PyTorch makes nettrain's step from weights that differ by rounding.
NEARBY = 20  # such weights
ROUNDING = 1e-14


class ClosureUpdates:
    """Step after step.

    Args:
        run: Of nettrain.
        twin: Its network.
        comparison: Gets what is compared.
    """

    NAMES = ("lbfgs", "random_search", "genetic")

    def __init__(self, run: Any, twin: Twin, comparison: Comparison) -> None:
        self._run, self._twin, self._comparison = run, twin, comparison
        self._rule, self._name = run.config.optimizer, run.config.optimizer.name()
        self._lbfgs = torch.optim.LBFGS(
            list(twin.trained.values()),
            history_size=getattr(self._rule, "history", 1),
            max_iter=1,
            max_eval=26,
            line_search_fn="strong_wolfe",
        )

    def compare(self, number: int, step: RecordedStep) -> None:
        """Compare one step, from nettrain's weights before it."""
        size = self._run.network.vector.trainable.stop
        before, after = step.before[:size], step.after[:size]
        match self._name:
            case "lbfgs":
                self._lbfgs_step(number, step, before, after)
            case "random_search":
                expected = self._random_search(number, step, before)
                self._comparison.close("random_search", after, expected, 1e-12)
            case "genetic":
                self._genetic(number, step, before, after)

    def _objective(self, number: int, step: RecordedStep) -> torch.Tensor:
        """The mean loss and the penalties at the twin's weights."""
        regularization, at = self._run.config.regularization, self._twin.number(number)
        total = self._twin.mean_loss(number, step.rows)
        for name, w in self._twin.trained.items():
            if self._twin.roles[name].decayed:
                total = total + at(regularization.l1) * w.abs().sum()
                total = total + at(regularization.l2) * (w**2).sum()
        return total

    def _at(self, trained: np.ndarray, number: int, step: RecordedStep) -> float:
        """The objective at a vector of trained weights."""
        whole = step.before.copy()
        whole[: len(trained)] = trained
        self._twin.load(whole)
        state = self._twin.copied_state()
        with torch.no_grad():
            value = self._objective(number, step).item()
        self._twin.restore_state(state)  # which a step moves once, by its first evaluation
        return value

    def _vector(self, step: RecordedStep) -> np.ndarray:
        """The twin's weights in nettrain's order."""
        found = step.before.copy()
        for name, view in self._run.network.vector.named(found).items():
            view[...] = self._twin.tensors[name].detach().numpy()
        return found

    def _lbfgs_step(
        self, number: int, step: RecordedStep, before: np.ndarray, after: np.ndarray
    ) -> None:
        """PyTorch's step, or one of those from weights that differ by rounding."""
        states, first = self._lbfgs.state, next(iter(self._twin.trained.values()))
        history = copy.deepcopy(states[first])
        draw = np.random.Generator(np.random.PCG64(number))
        start, failed = step.before, None
        for attempt in range(1 + NEARBY):
            states[first] = copy.deepcopy(history)
            expected = self._line_search(number, step, start)[: len(before)]
            scale = max(float(np.abs(expected - before).max()), LEAST_STEP)
            try:
                self._comparison.close("lbfgs", after, expected, LINE_SEARCH, scale)
            except Deviation as deviation:
                failed = failed or deviation
            else:
                if attempt:
                    self._comparison.notes["line searches decided by rounding"] += 1
                return
            start = step.before + ROUNDING * draw.normal(size=len(step.before))
        raise failed

    def _line_search(self, number: int, step: RecordedStep, start: np.ndarray) -> np.ndarray:
        self._twin.load(start)
        self._lbfgs.param_groups[0]["lr"] = step.lr

        def closure() -> torch.Tensor:
            self._lbfgs.zero_grad()
            state = self._twin.copied_state()
            total = self._objective(number, step)
            total.backward()
            self._twin.restore_state(state)
            return total

        self._lbfgs.step(closure)
        return self._vector(step)

    def _random_search(self, number: int, step: RecordedStep, before: np.ndarray) -> np.ndarray:
        """The best of the candidates, if it is better than the weights."""
        draw = streams.generator(self._run.config.seed, "optimizer", number)
        points = [before]
        for _ in range(self._rule.candidates):
            points.append(before + step.lr * draw.standard_normal(len(before)))
        values = [self._at(point, number, step) for point in points]
        return points[int(np.nanargmin(values))]

    def _genetic(
        self, number: int, step: RecordedStep, before: np.ndarray, after: np.ndarray
    ) -> None:
        """What is drawn is nettrain's own; what becomes of it is checked.

        The elite stays, new genomes have the objective that they are given, and the best is taken.
        """
        genomes, objective = step.slots["genomes"], step.slots["objective"]
        elite = before[np.newaxis] if number == 0 else self._elite
        is_elite = [(genome == elite).all(axis=1).any() for genome in genomes]
        self._comparison.equal("genetic", True, sum(is_elite) >= len(elite))
        for genome, value, old in zip(genomes, objective, is_elite, strict=True):
            if number == 0 or not old:
                theirs = self._at(genome, number, step)
                self._comparison.close("genetic", value, theirs, OBJECTIVE)
        self._comparison.close("genetic", objective, np.sort(objective), 0.0)  # NaN behind all
        self._comparison.close("genetic", after, genomes[0], 0.0)
        self._elite = genomes[: self._rule.elite]
