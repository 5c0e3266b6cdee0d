"""`autopsy`: replay a run that diverged to the batch that did it, and find the operation."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nettrain.data.in_memory import Data
from nettrain.errors import Diverged, RunError
from nettrain.inspection.computation_graph import record_graph
from nettrain.inspection.not_finite import NotFinite, first_not_finite, not_finite_update
from nettrain.inspection.recorded_run import RecordedRun, open_run
from nettrain.inspection.replay import Reached, content_of, progress_of, replayed
from nettrain.inspection.reproduction import Reproduction, write_reproduction
from nettrain.inspection.update_trace import formula
from nettrain.optim import Rule
from nettrain.training.callbacks import Callback
from nettrain.training.divergence import remedies
from nettrain.training.loop import epoch_order
from nettrain.training.resume import resume
from nettrain.training.run import Run


@dataclass(frozen=True)
class RowCause:
    """A row that made the step diverge.

    Attributes:
        row: Its number in the source, from 0.
        input: Its input with the largest magnitude, after the transforms; an index for images.
        value: That input.
    """

    row: int
    input: str
    value: float


@dataclass(frozen=True)
class Autopsy:
    """Why a run diverged.

    Attributes:
        run: Its directory.
        message: What the run said when it ended.
        start: Where the replay began.
        epoch: Of the batch that did it, from 1.
        batch: From 1.
        step: Updates before it.
        lr: The learning rate of the step.
        batch_rows: The number of its rows.
        cause: The operation; None where only the sum of the loss over the batch overflows.
        kind: Of the layer of the operation: dense.
        rows: That did it.
        remedies: What may help, the most likely first.
        reproduction: Where one was written, and whether it diverges too.
    """

    run: str
    message: str
    start: str
    epoch: int
    batch: int
    step: int
    lr: float
    batch_rows: int
    cause: NotFinite | None
    kind: str
    rows: tuple[RowCause, ...]
    remedies: tuple[str, ...]
    reproduction: Reproduction | None = None


def autopsy(
    run: str | os.PathLike[str],
    *,
    output: str | os.PathLike[str] | None = None,
    data: Data | None = None,
    allow_plugins: bool = False,
    threads: int | None = None,
    callbacks: Sequence[Callback] = (),
) -> Autopsy:
    """Replay a run that diverged, from its last checkpoint or from the start, and say why.

    Args:
        run: The run directory; it is only read.
        output: A new directory for a minimal reproduction; None: none is written.
        data: The arrays that it was trained on, for a run from Python.
        allow_plugins: Whether the Python files that its configuration names may be imported.
        threads: To use; results are identical for any number.
        callbacks: Those that the run had.

    Raises:
        RunError: The run did not diverge, or does not when it is trained again; or its data has
            changed, or the output directory exists.
        DataError: Its data cannot be read.
    """
    record = open_run(Path(run))
    if record.state != "diverged":
        remedy = "only a run that ended with NaN or infinite numbers can be dissected"
        raise RunError(f"{record.path}: did not diverge ({record.state}); {remedy}")
    folder = None if output is None else Path(output)
    if folder is not None and folder.exists():
        raise RunError(f"{folder}: exists; name a directory that does not exist yet")
    if data is None and record.value("dataset.source.type") == "memory":
        raise RunError(
            f"{record.path}: was trained on arrays in memory, which only Python can give: "
            "nettrain.inspection.autopsy.autopsy(run, data=(x, y))"
        )
    recorder = _Recorder(record, folder)
    observers = [*callbacks, recorder]
    if "last" in record.checkpoints:
        _resume_copy(record, data, allow_plugins, threads, observers)
    else:
        with replayed(
            record, data=data, allow_plugins=allow_plugins, threads=threads, callbacks=observers
        ):
            pass
    if recorder.result is None:
        raise RunError(
            f"{record.path}: does not diverge when it is trained again here: its configuration, "
            "callbacks or environment are not those of the run (nettrain verify names them)"
        )
    return recorder.result


def _resume_copy(
    record: RecordedRun,
    data: Data | None,
    allow_plugins: bool,
    threads: int | None,
    callbacks: Sequence[Callback],
) -> None:
    """Train a copy of the run on from its last checkpoint."""
    with tempfile.TemporaryDirectory(prefix="nettrain-") as folder:
        copy = Path(folder) / "replay"
        shutil.copytree(record.path, copy)
        try:
            with suppress(Reached, Diverged):
                resume(
                    copy, data, allow_plugins=allow_plugins, threads=threads, callbacks=callbacks
                )
        except RunError as error:
            raise RunError(str(error).replace(str(copy), str(record.path))) from None


@dataclass(frozen=True)
class _Moment:
    """What a step begins with."""

    values: np.ndarray
    state: dict[str, np.ndarray]
    slots: dict[str, np.ndarray]
    steps: int

    @classmethod
    def of(cls, run: Run) -> "_Moment":
        return cls(
            run.network.vector.values.copy(),
            {name: array.copy() for name, array in run.network.state.items()},
            {name: np.array(slot) for name, slot in run.update.slots.items()},
            run.update.steps,
        )


class _Recorder(Callback):
    """Keeps what each step begins with, and dissects the first one that ends not finite."""

    def __init__(self, record: RecordedRun, output: Path | None) -> None:
        self.record = record
        self.output = output
        self.result: Autopsy | None = None

    def begin(self, run: Run) -> None:
        recorded = self.record.fingerprint
        if recorded is not None and run.prepared.fingerprint != recorded:
            raise RunError(
                f"{self.record.path}: the data has changed since the run, so it cannot be replayed"
            )
        self.before = _Moment.of(run)

    def batch_end(self, run: Run) -> None:
        if np.isfinite(run.network.vector.values).all():
            self.before = _Moment.of(run)
            return
        self._dissect(run, run.progress.batch - 1)
        raise Reached

    def diverged(self, run: Run) -> None:
        self._dissect(run, run.progress.batch)
        raise Reached

    def _dissect(self, run: Run, batch: int) -> None:
        after = run.network.vector.values.copy()
        gradient = run.network.vector.gradient.copy()
        run.network.vector.values[...] = self.before.values
        run.network.restore_state(self.before.state)
        size = run.plan.step_rows
        rows = epoch_order(run)[batch * size : (batch + 1) * size]
        numbers = run.prepared.rows["train"][rows]
        cause, micro_batch = self._first_in_graphs(run, rows)
        if cause is None and not np.isfinite(after).all():
            cause = self._in_update(run, after, gradient)
        chosen = run.step.micro_batches(rows)[micro_batch]
        run.step.batch.gather(chosen, self.before.steps, micro_batch)
        start = micro_batch * len(run.step.batch)
        lr = run.rate_of(self.before.steps)
        reproduction = None
        if self.output is not None:
            reproduction = write_reproduction(self.output, run, chosen, cause, lr)
        layers = {bound.name: bound.layer.name() for bound in run.network.layers}
        self.result = Autopsy(
            run=str(self.record.path),
            message=str(self.record.summary.get("message", "")),
            start=_start(self.record),
            epoch=run.progress.epoch + 1,
            batch=batch + 1,
            step=self.before.steps,
            lr=lr,
            batch_rows=len(rows),
            cause=cause,
            kind="" if cause is None else layers.get(cause.layer.partition(".")[0], ""),
            rows=() if cause is None else _rows(run, cause, numbers[start:]),
            remedies=tuple(remedies(run)),
            reproduction=reproduction,
        )

    def _first_in_graphs(self, run: Run, rows: np.ndarray) -> tuple[NotFinite | None, int]:
        """The first operation that is not finite, and its micro-batch."""
        batch = run.step.batch
        for i, some in enumerate(run.step.micro_batches(rows)):
            batch.gather(some, self.before.steps, i)
            n = len(some)
            graph = record_graph(
                run.network,
                run.loss,
                batch.x[:n].copy(),
                batch.y[:n].copy(),
                None if batch.w is None else batch.w[:n].copy(),
                training=True,
                step=self.before.steps,
                shard=i * run.plan.shards,
            )
            cause = first_not_finite(graph)
            if cause is not None:
                return cause, i
        return None, 0

    def _in_update(self, run: Run, after: np.ndarray, gradient: np.ndarray) -> NotFinite | None:
        """The first parameter that the optimizer made not finite."""
        vector, rule = run.network.vector, run.config.optimizer
        named = {key: vector.named(flat) for key, flat in (("w", after), ("g", gradient))}
        slots = {}
        for key, slot in self.before.slots.items():
            if slot.shape == (vector.trainable.stop,):
                full = np.zeros(len(vector), slot.dtype)
                full[vector.trainable] = slot
                slots[key] = vector.named(full)
        for name, before in vector.views.items():
            if not np.isfinite(named["w"][name]).all():
                return not_finite_update(
                    rule.name(),
                    formula(rule) if isinstance(rule, Rule) else "",
                    name,
                    before,
                    named["w"][name],
                    named["g"][name],
                    {key: views[name] for key, views in slots.items()},
                )
        return None


def _start(record: RecordedRun) -> str:
    if "last" not in record.checkpoints:
        return "the start (the run has no checkpoint that training can continue from)"
    epoch, batch = progress_of(content_of(record, "last"))
    return f"epoch {epoch + 1}, batch {batch + 1} (last.safetensors)"


def _rows(run: Run, cause: NotFinite, numbers: np.ndarray) -> tuple[RowCause, ...]:
    """The rows of a cause, with their largest input; the batch is in the buffers."""
    causes = []
    for row in cause.rows:
        x = run.step.batch.x[row]
        sizes = np.abs(x)
        sizes[len(x) - len(run.pipeline.cardinalities) :] = 0  # codes of categories have no size
        place = np.unravel_index(int(np.argmax(sizes)), x.shape)
        names = run.pipeline.names
        name = names[place[0]] if names else str(tuple(map(int, place)))
        causes.append(RowCause(int(numbers[row]), name, float(x[place])))
    return tuple(causes)
