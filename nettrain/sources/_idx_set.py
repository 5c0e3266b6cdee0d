"""Named sets that are kept as MNIST is: four IDX files."""

from collections.abc import Sequence
from dataclasses import replace

from nettrain.data.dataset import Dataset
from nettrain.data.readers.named_set import NamedSet
from nettrain.data.source import Source

_KEYS = ("images", "labels", "test_images", "test_labels")


def load_idx_set(named_set: NamedSet, classes: Sequence[str] | None = None) -> Dataset:
    """All rows, the predefined test part last.

    Args:
        named_set: The set.
        classes: The names of the labels 0, 1, 2 ...; None: they are their numbers.
    """
    files = dict(zip(_KEYS, map(str, named_set.find()), strict=True))
    dataset = replace(Source.parse({"type": "idx", **files}).load(0), origin=named_set.name)
    if classes is None or dataset.target is None:
        return dataset
    named = tuple(classes[int(label)] for label in dataset.target.classes or ())
    return replace(dataset, target=replace(dataset.target, classes=named, label_type="string"))
