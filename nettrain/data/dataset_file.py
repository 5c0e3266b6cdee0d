"""Raw rows in an npz file, exactly as they were in memory: for the processes of a search.

Numbers are arrays; texts are JSON in arrays of bytes, so that nothing is pickled.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.features import Category, Features
from nettrain.data.target import Target
from nettrain.errors import DataError


def write_dataset(path: Path, dataset: Dataset) -> None:
    """Write features, target and row weights; the dataset assigns no parts and has no files."""
    features, target = dataset.features, dataset.target
    arrays = {"numbers": features.array}
    texts: dict[str, Any] = {
        "names": features.names,
        "categories": {name: column.values for name, column in features.categories.items()},
    }
    for index, column in enumerate(features.categories.values()):
        arrays[f"codes_{index}"] = column.codes
    if target is not None:
        arrays["target"] = target.values
        texts["target"] = {
            "names": target.names,
            "classes": target.classes,
            "label_type": target.label_type,
        }
    if dataset.weights is not None:
        arrays["weights"] = dataset.weights
    encoded = np.frombuffer(json.dumps(texts).encode(), np.uint8)
    np.savez(path, texts=encoded, **arrays)  # type: ignore[arg-type]


def read_dataset(path: Path) -> Dataset:
    """The rows that `write_dataset` wrote. Raises DataError where they are gone or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as members:
            arrays = dict(members)
        texts = json.loads(arrays["texts"].tobytes())
        categories = {
            name: Category(arrays[f"codes_{index}"], tuple(values))
            for index, (name, values) in enumerate(texts["categories"].items())
        }
        features = Features(arrays["numbers"], tuple(texts["names"]), categories)
        target = None
        if "target" in texts:
            kept = texts["target"]
            classes = None if kept["classes"] is None else tuple(kept["classes"])
            target = Target(
                arrays["target"], tuple(kept["names"]), classes, label_type=kept["label_type"]
            )
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path}: damaged, the rows in memory that a search has kept cannot be read ({error}); "
            "start the search again"
        ) from None
    return Dataset(features, target, weights=arrays.get("weights"))
