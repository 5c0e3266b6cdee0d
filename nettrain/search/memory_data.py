"""Arrays in memory as the data of a search: kept in its directory for all its processes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from nettrain.component import adapter
from nettrain.config.run_config import RunConfig
from nettrain.data.arrays import features_from, target_from, weights_from
from nettrain.data.source import Source
from nettrain.errors import DataError
from nettrain.search.directory import NewDirectory

FILE = "data.npz"
IN_MEMORY = "dataset.source=memory"  # an override, for configurations that name no source

R = TypeVar("R", bound=RunConfig)
Data = tuple[object, object] | tuple[object, object, object]


def data_overrides(data: Data | None) -> Sequence[str]:
    """What is set in a configuration that is loaded for such data."""
    return () if data is None else (IN_MEMORY,)


def with_data(config: R, data: Data | None, directory: NewDirectory) -> R:
    """The configuration with arrays in memory as its source, written into the directory.

    Args:
        config: A configuration.
        data: (x, y) or (x, y, weights) as `nettrain.train` takes them; None: its own source.
        directory: That of the search.

    Raises:
        DataError: The arrays are not what `nettrain.train` takes.
    """
    if data is None:
        return config
    arrays = _checked(data, autoencoder=config.dataset.target == "self")
    path = directory.path / FILE
    np.savez(path, **arrays)  # type: ignore[arg-type]
    named = {"type": "npz", "path": str(path)}
    named |= {"weights": "weights"} if "weights" in arrays else {}
    source = adapter(Source).validate_python(named)
    return replace(config, dataset=replace(config.dataset, source=source))


def _checked(data: Data, *, autoencoder: bool) -> dict[str, np.ndarray]:
    if autoencoder:
        features_from(data[0])
        return {"x": np.asarray(data[0])}
    if len(data) not in (2, 3):
        raise DataError(f"data: expected (x, y) or (x, y, weights), got {len(data)} arrays")
    features, target = features_from(data[0]), target_from(data[1])
    if len(features) != len(target):
        raise DataError(f"data: x has {len(features)} rows and y has {len(target)}")
    arrays = {"x": np.asarray(data[0]), "y": np.asarray(data[1])}
    if arrays["y"].dtype.kind in "OS":  # strings as objects would have to be pickled
        arrays["y"] = np.array([str(name) for name in _labels(arrays["y"])])
    if len(data) == 3:
        arrays["weights"] = weights_from(data[2], len(features))
    return arrays


def _labels(y: np.ndarray) -> np.ndarray:
    return np.char.decode(y, "utf-8") if y.dtype.kind == "S" else y
