"""Warnings: what goes wrong, each symptom once per run, with what to do about it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from nettrain.diagnosis.constant_loss import constant_loss
from nettrain.diagnosis.symptoms import Epoch, Symptom, all_symptoms
from nettrain.training.artifacts.metadata import String
from nettrain.training.callbacks import Callback, Row
from nettrain.training.callbacks.diagnostics import Diagnostics
from nettrain.training.run import Run


@dataclass(frozen=True, config={"extra": "forbid"})
class State:
    """The warnings so far by symptom, and what each symptom remembers."""

    told: dict[str, String]
    memory: dict[str, dict[str, Any]]


class Warnings(Callback):
    """Shows every symptom each epoch; what they find goes into `run.warnings` and log.txt.

    Args:
        diagnostics: Where the statistics of layers come from; without it the symptoms that need
            them find nothing.
    """

    def __init__(self, diagnostics: Diagnostics | None) -> None:
        self._diagnostics = diagnostics
        self._symptoms = {type(symptom).__name__: symptom for symptom in all_symptoms()}
        self._reported: dict[str, str] = {}
        self._baseline: float | None = None

    def begin(self, run: Run) -> None:
        """What was reported before a resume still holds."""
        run.warnings[:] = self._reported.values()

    def epoch_end(self, run: Run, row: Row) -> None:
        """Ask those that have reported nothing yet."""
        last = (
            run.progress.stop_reason is not None or run.progress.epoch >= run.config.training.epochs
        )
        layers = self._diagnostics.layers if self._diagnostics else {}
        epoch = Epoch(run.config, row, layers, last, lambda: self._baseline_loss(run))
        for name, symptom in self._silent():
            finding = symptom.seen(epoch)
            if finding is not None:
                self._reported[name] = f"epoch {row['epoch']}: {finding}"
                run.warn(self._reported[name])

    def _silent(self) -> list[tuple[str, Symptom]]:
        return [
            (name, symptom)
            for name, symptom in self._symptoms.items()
            if name not in self._reported
        ]

    def _baseline_loss(self, run: Run) -> float:
        """Computed when it is first asked for: most runs end, or have learned, before."""
        if self._baseline is None:
            part = run.step.part
            if part.y is None:
                raise ValueError("a part without targets has no loss")
            weights = run.parts["train"].weights
            self._baseline = constant_loss(run.loss, part.y, run.network.output_shape[0], weights)
        return self._baseline

    def state(self) -> dict[str, Any]:
        """What was reported, and what each symptom remembers."""
        memory = {name: symptom.state() for name, symptom in self._symptoms.items()}
        return asdict(State(self._reported, memory))

    def restore(self, state: Mapping[str, Any]) -> None:
        """What was reported, and what each symptom remembers."""
        restored = TypeAdapter(State).validate_python(dict(state))
        self._reported = restored.told
        for name, memory in restored.memory.items():
            kind = type(self._symptoms[name])
            self._symptoms[name] = TypeAdapter(kind).validate_python(memory)
