"""The results: a CSV file with one row per fit."""

import csv
import dataclasses
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("results.csv")


@dataclass(frozen=True)
class Fit:
    """What one fit gave; no score: it failed, or took longer than its limit.

    Attributes:
        method, table, split: What was fitted on what.
        version: Of the method.
        score: Accuracy or R2 on the test rows.
        log_loss: Nats per row; None for regression.
        fit_cpu, fit_wall, predict_cpu, predict_wall: Seconds; all test rows are predicted at once.
        peak_mb: The largest resident size of the process, its imports and the table included.
    """

    method: str
    table: str
    split: int
    version: str
    score: float | None = None
    log_loss: float | None = None
    fit_cpu: float | None = None
    fit_wall: float | None = None
    predict_cpu: float | None = None
    predict_wall: float | None = None
    peak_mb: float | None = None

    @property
    def key(self) -> tuple[str, str, int]:
        """By which a later fit replaces an earlier one."""
        return self.method, self.table, self.split


NAMES = [field.name for field in dataclasses.fields(Fit)]
_NUMBERS = NAMES[NAMES.index("score") :]
_DIGITS = {"score": 6, "log_loss": 5, "fit_cpu": 3, "fit_wall": 3, "predict_cpu": 4,
           "predict_wall": 4, "peak_mb": 0}  # fmt: skip


def read(path: Path) -> dict[tuple[str, str, int], Fit]:
    """The last row of each method, table and split."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row | {"split": int(row["split"])} for row in csv.DictReader(file)]
    numbers = [{name: float(row[name]) if row[name] else None for name in _NUMBERS} for row in rows]
    fits = [Fit(**(row | number)) for row, number in zip(rows, numbers, strict=True)]
    return {fit.key: fit for fit in fits}


def append(path: Path, fit: Fit) -> None:
    """Add a row: what was measured stays, whatever ends the run."""
    if not path.exists():
        path.write_text(",".join(NAMES) + "\n", encoding="utf-8")
    with path.open("a", encoding="utf-8") as file:
        file.write(_line(fit) + "\n")


def tidy(path: Path, order: list[str]) -> None:
    """Leave the last row of each fit, in the order of tables, methods and splits."""
    fits = sorted(
        read(path).values(), key=lambda fit: (fit.table, order.index(fit.method), fit.split)
    )
    text = "\n".join([",".join(NAMES), *map(_line, fits)]) + "\n"
    path.write_text(text, encoding="utf-8")


def _line(fit: Fit) -> str:
    values = dataclasses.asdict(fit)
    return ",".join(_text(values[name], _DIGITS.get(name)) for name in NAMES)


def _text(value: object, digits: int | None) -> str:
    if value is None:
        return ""
    return f"{value:.{digits}f}" if digits is not None else str(value)
