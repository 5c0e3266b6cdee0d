"""Warnings: what the figures say is going wrong, each once a run, with what to do about it."""

from collections.abc import Mapping
from typing import Any

from nettrain.diagnosis.constant_loss import constant_loss
from nettrain.diagnosis.symptoms import Epoch, Symptom, all_symptoms
from nettrain.training.callbacks import Callback, Row
from nettrain.training.callbacks.diagnostics import Diagnostics
from nettrain.training.run import Run


class Warnings(Callback):
    """Shows every symptom each epoch, and puts what they find into `run.warnings` and log.txt.

    diagnostics  where the figures of layers come from; without it the symptoms that need them find nothing
    """

    def __init__(self, diagnostics: Diagnostics | None) -> None:
        self._diagnostics = diagnostics
        self._symptoms = {type(symptom).__name__: symptom for symptom in all_symptoms()}
        self._told: dict[str, str] = {}
        self._baseline: float | None = None

    def begin(self, run: Run) -> None:
        """What the run was told before it was resumed still holds."""
        run.warnings[:] = self._told.values()

    def epoch_end(self, run: Run, row: Row) -> None:
        """Ask those that have not been told."""
        last = (
            run.progress.stop_reason is not None or run.progress.epoch >= run.config.training.epochs
        )
        layers = self._diagnostics.layers if self._diagnostics else {}
        epoch = Epoch(run.config, row, layers, last, lambda: self._baseline_loss(run))
        for name, symptom in self._untold():
            finding = symptom.seen(epoch)
            if finding is not None:
                self._told[name] = f"epoch {row['epoch']}: {finding}"
                run.warnings.append(self._told[name])
                if run.directory is not None:
                    run.directory.log(f"warning: {self._told[name]}")

    def _untold(self) -> list[tuple[str, Symptom]]:
        return [
            (name, symptom) for name, symptom in self._symptoms.items() if name not in self._told
        ]

    def _baseline_loss(self, run: Run) -> float:
        """Computed when it is first asked for: most runs end, or have learnt, before."""
        if self._baseline is None:
            encoded = run.step.part.y
            assert encoded is not None
            self._baseline = constant_loss(
                run.loss, encoded, run.network.output_shape[0], run.parts["train"].weights
            )
        return self._baseline

    def state(self) -> dict[str, Any]:
        """What was told, and what each symptom remembers."""
        return {
            "told": self._told,
            "memory": {name: symptom.state() for name, symptom in self._symptoms.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """What was told, and what each symptom remembers."""
        self._told = dict(state["told"])
        for name, memory in state["memory"].items():
            self._symptoms[name] = type(self._symptoms[name])(**memory)
