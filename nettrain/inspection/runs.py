"""The runs of a folder: what each is, how far it came, and how good it is; sorted and filtered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nettrain.config.yaml_text import read
from nettrain.errors import ConfigError, RunError, nearest
from nettrain.inspection.directory_kind import Kind, kind_of
from nettrain.inspection.recorded_run import RecordedRun, State, inner_runs
from nettrain.metrics import direction

# The first of these that a run has is its main metric: that of classes, of labels, of numbers.
MAIN_METRICS = ("accuracy", "label_accuracy", "r2")
FIELDS = (
    "name",
    "kind",
    "state",
    "data",
    "model",
    "validation",
    "test",
    "seconds",
    "size",
    "ended",
)


@dataclass(frozen=True)
class RunEntry:
    """One line of the list.

    Attributes:
        name: Of its directory.
        path: Of its directory.
        kind: run, sweep, cv or ensemble.
        state: finished, interrupted, diverged, or running (another process holds its lock).
        data: The type of its data source.
        model: The type of its model.
        metric: Which metric the next two are of.
        validation: On the validation part (of a sweep that of its best trial, of a
            cross-validation the mean over folds); before the end that of the last epoch.
        test: On the test part.
        seconds: Spent training, over all runs inside.
        size: In bytes.
        ended: When its last file was written, in seconds since 1970.
    """

    name: str
    path: Path
    kind: Kind
    state: State
    data: str | None
    model: str | None
    metric: str | None
    validation: float | None
    test: float | None
    seconds: float | None
    size: int
    ended: float


def list_runs(
    folder: Path,
    *,
    where: Sequence[str] = (),
    sort: str | None = None,
    reverse: bool = False,
    metric: str | None = None,
) -> list[RunEntry]:
    """Returns the runs of a folder; of a sweep, a cross-validation or an ensemble those inside it.

    Args:
        folder: Such as `runs`.
        where: Conditions that all hold: "model.type=cnn" (a key of the configuration) or
            "state=finished" (a field of the entry).
        sort: A field of the entry, `metric`, or a key of the configuration; default: name. Runs
            that have no such value come last.
        reverse: The other way round. By a metric the best run comes first.
        metric: Which one to show; default: accuracy, label accuracy or R2, by task.

    Raises:
        RunError: There is no such folder.
        ConfigError: A condition without "=", or a key that no run has.
    """
    if not folder.is_dir():
        siblings = (
            [entry.name for entry in folder.parent.iterdir()] if folder.parent.is_dir() else []
        )
        raise RunError(f"{folder}: there is no such folder{nearest(folder.name, siblings)}")
    records = _records(folder)
    conditions = [_condition(text) for text in where]
    pairs = [(record, run_entry(record, metric)) for record in records]
    for key, _ in conditions:
        _check_key(f"--where {key}", key, pairs)
    pairs = [
        (record, entry)
        for record, entry in pairs
        if all(_matches(_value(record, entry, key), expected) for key, expected in conditions)
    ]
    if sort is not None:
        _check_key(f"--sort {sort}", sort, pairs)
        pairs = _sorted(pairs, sort)
    return [entry for _, entry in (pairs[::-1] if reverse else pairs)]


def run_entry(record: RecordedRun, metric: str | None = None) -> RunEntry:
    """Returns the line of one directory."""
    name, validation, test = _main_metric(record, metric)
    files = [file for file in record.path.rglob("*") if file.is_file() and not file.is_symlink()]
    stats = [file.stat() for file in files]
    return RunEntry(
        name=record.path.name,
        path=record.path,
        kind=record.kind,
        state=record.state,
        data=_text(record.value("dataset.source.type")),
        model=_text(record.value("model.type")),
        metric=name,
        validation=validation,
        test=test,
        seconds=_seconds(record),
        size=sum(stat.st_size for stat in stats),
        ended=max((stat.st_mtime for stat in stats), default=0.0),
    )


def run_names(folder: Path) -> list[str]:
    """Returns the names of the runs in a folder, for completion: nothing of them is read."""
    return [record.path.name for record in _records(folder)] if folder.is_dir() else []


def _records(folder: Path) -> list[RecordedRun]:
    own = kind_of(folder)
    if own is not None and own != "run":
        return inner_runs(RecordedRun(folder, own))
    kinds = [(entry, kind_of(entry)) for entry in sorted(folder.iterdir()) if entry.is_dir()]
    return [RecordedRun(entry, kind) for entry, kind in kinds if kind is not None]


def _main_metric(
    record: RecordedRun, asked: str | None
) -> tuple[str | None, float | None, float | None]:
    """The name of a run's main metric, and its values on validation and test."""
    validation, test = _metrics(record)
    known = {**validation, **test}
    name = asked or next((name for name in MAIN_METRICS if name in known), None)
    if record.kind == "sweep" and asked is None:
        name = _sweep_metric(record) or name
    name = name or next((name for name in known if name != "loss"), next(iter(known), None))
    if name is None:
        return None, None, None
    return name, _number(validation.get(name)), _number(test.get(name))


def _metrics(record: RecordedRun) -> tuple[dict[str, Any], dict[str, Any]]:
    summary = record.summary
    if record.kind == "sweep":
        best = summary.get("best") or {}
        return {_sweep_metric(record): best.get("metric")}, summary.get("test") or {}
    if record.kind == "cv":
        return summary.get("mean") or {}, (summary.get("final") or {}).get("metrics") or {}
    metrics = summary.get("metrics") or {}
    if metrics:
        return metrics.get("validation") or {}, metrics.get("test") or {}
    last = record.epochs[-1] if record.epochs else {}
    prefix = "validation_"
    return {key.removeprefix(prefix): last[key] for key in last if key.startswith(prefix)}, {}


def _sweep_metric(record: RecordedRun) -> str:
    """The metric that a sweep compares, without its part: `accuracy` of `validation_accuracy`."""
    metric = record.sweep.get("metric")
    name = metric.get("name") if isinstance(metric, dict) else metric
    return str(name or "").partition("_")[2]


def _seconds(record: RecordedRun) -> float | None:
    if record.kind == "run":
        last = record.epochs[-1] if not record.summary.get("seconds") and record.epochs else {}
        return _number(record.summary.get("seconds", last.get("seconds")))
    inner = [seconds for one in inner_runs(record) if (seconds := _seconds(one)) is not None]
    return sum(inner) if inner else None


def _condition(text: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(f"--where {text}: expected KEY=VALUE, such as model.type=cnn")
    return key, read(value, lambda line: f"--where {key}").value


def _check_key(label: str, key: str, pairs: Iterable[tuple[RecordedRun, RunEntry]]) -> None:
    """Raises ConfigError where no run at all has the key."""
    pairs = list(pairs)
    if key in (*FIELDS, "metric") or not pairs:
        return
    if all(_value(record, entry, key) is None for record, entry in pairs):
        keys = dict.fromkeys(key for record, _ in pairs for key in _keys(record.config))
        hint = nearest(key, [*FIELDS, "metric", *keys])
        raise ConfigError(f"{label}: no run here has such a key{hint}")


def _keys(value: Any, prefix: str = "") -> Iterable[str]:
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield f"{prefix}{key}"
        yield from _keys(inner, f"{prefix}{key}.")


def _value(record: RecordedRun, entry: RunEntry, key: str) -> Any:
    if key == "metric":
        return entry.test if entry.validation is None else entry.validation
    return getattr(entry, key) if key in FIELDS else record.value(key)


def _matches(value: Any, expected: object) -> bool:
    numbers = (int, float)
    if isinstance(value, numbers) and isinstance(expected, numbers):
        return value == expected
    return value == expected or str(value) == str(expected)


def _sorted(
    pairs: list[tuple[RecordedRun, RunEntry]], key: str
) -> list[tuple[RecordedRun, RunEntry]]:
    """By a value, those without one last; by a metric the best first."""
    descending = False
    if key in ("metric", "validation", "test"):
        names = {entry.metric for _, entry in pairs if entry.metric is not None}
        descending = all(direction(f"test_{name}") for name in names)
    valued = [pair for pair in pairs if _value(*pair, key) is not None]
    without = [pair for pair in pairs if _value(*pair, key) is None]

    def order(pair: tuple[RecordedRun, RunEntry]) -> tuple[bool, Any]:
        value = _value(*pair, key)
        is_number = isinstance(value, int | float)
        return not is_number, value if is_number else str(value)

    return sorted(valued, key=order, reverse=descending) + without


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
