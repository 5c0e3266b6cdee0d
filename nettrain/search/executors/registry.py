"""The executors by the names that `--executor` takes."""

import os

from nettrain.errors import ConfigError, nearest
from nettrain.search.executors.base import Executor
from nettrain.search.executors.local import Local

NAMES = ("local", "serial", "dask")
MOST_WORKERS = 1024  # more is a mistake


def executor_for(name: str = "local", workers: int | None = None) -> Executor:
    """An executor that is ready for jobs. workers: None: as many as cores. Raises ConfigError."""
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise ConfigError(
            f"workers: expected a whole number from 1 to {MOST_WORKERS}, got {workers}"
        )
    kind, colon, address = name.partition(":")
    if kind not in NAMES:
        raise ConfigError(
            f"executor {name!r} does not exist{nearest(kind, NAMES)} "
            f"(there are: {', '.join(NAMES)})"
        )
    if kind == "dask":
        return _dask(address if colon else None, workers)
    if colon:
        raise ConfigError(
            f"executor {name!r}: {kind} runs on this machine and takes no address; "
            f"leave {name[len(kind) :]!r} out"
        )
    if kind == "local" and not hasattr(os, "fork"):
        raise ConfigError(
            "executor local: this system cannot fork processes; use --executor serial, or dask"
        )
    if kind == "local":
        return Local(workers)
    if workers not in (None, 1):
        raise ConfigError(
            f"workers: the executor serial makes one run at a time, it cannot have {workers}; "
            "leave it out"
        )
    from nettrain.search.executors.serial import (
        Serial,  # it trains in this process; the others need none of that here
    )

    return Serial()


def _dask(address: str | None, workers: int | None) -> Executor:
    try:
        from nettrain.search.executors.dask.executor import Dask  # 0.3 s, and an extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("dask", "distributed"):
            raise
        raise ConfigError(
            'executor dask: distributed is not installed; pip install "nettrain[distributed]"'
        ) from None
    return Dask(address, workers)
