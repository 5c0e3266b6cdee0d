"""In what two environments differ that the bits of a run may depend on."""

from collections.abc import Mapping
from typing import Any

IGNORED = ("command", "cores", "blas_threads", "started")  # they change no bit


def environment_differences(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Returns both values of each entry of environment.json that differs.

    Versions are named `versions.numpy`; `data_fingerprint` stands for the data.
    """
    a, b = _flat(first), _flat(second)
    return {
        key: (a.get(key), b.get(key))
        for key in dict.fromkeys([*a, *b])
        if key not in IGNORED and a.get(key) != b.get(key)
    }


def _flat(environment: Mapping[str, Any]) -> dict[str, Any]:
    versions = environment.get("versions")
    flat = {key: _sorted(value) for key, value in environment.items() if key != "versions"}
    if isinstance(versions, Mapping):
        flat |= {f"versions.{name}": version for name, version in versions.items()}
    return flat


def _sorted(value: Any) -> Any:
    """Libraries in an order of their own: the one in which they were loaded says nothing."""
    return sorted(value, key=str) if isinstance(value, list) else value
