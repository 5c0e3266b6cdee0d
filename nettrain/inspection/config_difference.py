"""In which keys the configurations of several runs differ."""

from collections.abc import Sequence
from typing import Any

from nettrain.inspection.recorded_run import RecordedRun

IGNORED = ("name",)  # what a run is called changes nothing


def config_differences(records: Sequence[RecordedRun]) -> dict[str, list[Any]]:
    """Returns the values of each key that is not the same in all runs, in the order of the runs.

    Keys are dotted (`optimizer.lr`); a list counts as one value, None stands for a key that is
    absent.
    """
    flat = [_flat(record.config) for record in records]
    keys = dict.fromkeys(key for one in flat for key in one)
    return {
        key: [one.get(key) for one in flat]
        for key in keys
        if key not in IGNORED and any(one.get(key) != flat[0].get(key) for one in flat)
    }


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict) and value:
        return {
            inner: found
            for key, below in value.items()
            for inner, found in _flat(below, f"{path}.{key}" if path else str(key)).items()
        }
    return {path: value}
