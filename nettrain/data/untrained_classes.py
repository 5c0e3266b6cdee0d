"""Classes that have rows to validate or test on, and none to train on."""

import numpy as np

from nettrain.data.loaded_data import LoadedData
from nettrain.errors import DataError

_MOST_NAMED = 10


def untrained_classes(loaded: LoadedData) -> list[str]:
    """A warning that names the classes which no training row has, with the rows that do have them.

    A model can never predict such a class, so each of these rows counts as wrong.

    Raises:
        DataError: All rows of a part are of such classes, so that its metrics would mean nothing.
    """
    classes = loaded.schema.classes
    if classes is None or loaded.schema.task != "classification":
        return []
    counts = {
        part: np.bincount(loaded.target_values(part), minlength=len(classes))
        for part in loaded.rows
    }
    trained = counts.pop("train") > 0
    if not counts:
        return []
    for part, count in counts.items():
        if not (count * trained).any():
            raise DataError(
                f"{loaded.dataset.origin}: no class of the {part} part has a row to train on: "
                f"training has {_listed(classes, trained)}, {part} has "
                f"{_listed(classes, count > 0)}; divide the rows so that training has all classes "
                "(dataset.split.stratify: true does)"
            )
    untrained = np.flatnonzero(~trained & (np.sum(list(counts.values()), axis=0) > 0))
    if not untrained.size:
        return []
    named = [
        f"{classes[code]!r} ({', '.join(f'{part} {counts[part][code]}' for part in counts)})"
        for code in untrained[:_MOST_NAMED]
    ]
    more = f" and {len(untrained) - _MOST_NAMED} more" if len(untrained) > _MOST_NAMED else ""
    return [
        f"warning: classes without a row to train on: {', '.join(named)}{more}: the model cannot "
        "predict them, and their rows count as wrong; divide the rows so that training has all "
        "classes (dataset.split.stratify: true does), or leave these rows out"
    ]


def _listed(classes: tuple[str, ...], chosen: np.ndarray) -> str:
    names = [repr(classes[code]) for code in np.flatnonzero(chosen)]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
