"""From sources to whole datasets, their task settled and nothing divided yet; a loader remembers them, so that many runs load once."""

import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from nettrain.component import to_mapping
from nettrain.data.arrays import features_from, target_from, weights_from
from nettrain.data.dataset import PARTS, Dataset
from nettrain.data.features import Features
from nettrain.data.fingerprint import fingerprint
from nettrain.data.schema import Schema
from nettrain.data.source import Source
from nettrain.data.task import Wanted, check_values, resolve
from nettrain.errors import ConfigError, DataError
from nettrain.streams import generator

KEPT = 4  # datasets that a loader remembers; more would fill the memory of a search over sources or seeds


@dataclass(frozen=True)
class Whole:
    """All rows, before they are divided.

    dataset   the rows that `dataset.split` divides
    separate  those of parts that have a source of their own
    notes     what was decided for the user, a sentence each
    """

    dataset: Dataset
    separate: dict[str, Dataset]
    schema: Schema
    fingerprint: str
    notes: tuple[str, ...]


class Loader:
    """Loads a source when it is first asked for and remembers its rows, by all that decides them: its keys, the seed, the columns extra_columns.

    A process that makes many runs keeps one for its life. A file that changes meanwhile stays, for it, what it was.

    about_to_load  called before anything is read
    """

    def __init__(self) -> None:
        self.about_to_load: Callable[[], None] = lambda: None
        self._kept: OrderedDict[str, tuple[Dataset, dict[str, Whole]]] = OrderedDict()

    def whole(
        self,
        source: Source | None,
        *,
        data: Sequence[object] | None = None,
        validation_source: Source | None = None,
        test_source: Source | None = None,
        target: Literal["self"] | None = None,
        extra_columns: tuple[str, ...] = (),
        seed: int = 0,
        wanted: Wanted | None = None,
    ) -> Whole:
        """All rows of a run; the arguments are those of `prepare`. Arrays in memory are not remembered: whoever has them keeps them."""
        separate = {
            part: given
            for part, given in (("validation", validation_source), ("test", test_source))
            if given is not None
        }
        itself = target == "self"
        if data is not None:
            whole = _settle(_from_memory(data, itself=itself), separate, itself, seed, wanted)
        elif source is None:
            raise ConfigError("dataset.source: missing; name a source, or hand in data=(x, y)")
        else:
            whole = self._remembered(source, separate, extra_columns, itself, seed, wanted)
        if wanted is not None and whole.schema.task == "regression":
            for dataset in (whole.dataset, *whole.separate.values()):
                check_values(dataset, wanted)
        return whole

    def _remembered(
        self,
        source: Source,
        separate: dict[str, Source],
        extra_columns: tuple[str, ...],
        itself: bool,
        seed: int,
        wanted: Wanted | None,
    ) -> Whole:
        """Two losses that want different tasks of the same rows differ in what is settled, and share the rows."""
        rows = _key(source, seed, extra_columns, itself)
        if rows not in self._kept:
            self.about_to_load()
            self._kept[rows] = (
                source.load_inputs(seed, extra_columns)
                if itself
                else source.load(seed, extra_columns),
                {},
            )
        self._kept.move_to_end(rows)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        dataset, settled = self._kept[rows]
        key = _key(separate, None if wanted is None else (wanted.loss, wanted.tasks))
        if key not in settled:
            if separate:
                self.about_to_load()
            settled[key] = _settle(dataset, separate, itself, seed, wanted)
        return settled[key]


def _key(*decides: object) -> str:
    return json.dumps(to_mapping(decides))


def _from_memory(data: Sequence[object], *, itself: bool) -> Dataset:
    if itself:
        return Dataset(features_from(data[0]), None)
    if len(data) not in (2, 3):
        raise DataError(f"data: expected (x, y) or (x, y, weights), got {len(data)} arrays")
    features, target = features_from(data[0]), target_from(data[1])
    if len(features) != len(target):
        raise DataError(f"data: x has {len(features)} rows and y has {len(target)}")
    return Dataset(
        features, target, weights=weights_from(data[2], len(features)) if len(data) == 3 else None
    )


def _settle(
    dataset: Dataset, separate: dict[str, Source], itself: bool, seed: int, wanted: Wanted | None
) -> Whole:
    """The task, the columns, and the parts that have a source of their own in the form of the others."""
    if itself:
        schema, notes = (
            _schema_of_itself(dataset.features, wanted),
            ["target: the inputs themselves, after the transforms (autoencoder)"],
        )
    else:
        dataset, schema, notes = _with_task(dataset, wanted)
    others = {}
    for part, given in separate.items():
        # A seed of its own: a generated validation part must not repeat the training rows.
        own = int(generator(seed, "separate", PARTS.index(part)).integers(2**31))
        others[part] = given.load_for(schema, with_target=not schema.autoencoder, seed=own)
    read = dict.fromkeys(note for source in (dataset, *others.values()) for note in source.notes)
    digest = fingerprint((dataset, *others.values()))
    return Whole(dataset, others, schema, digest, (*read, *notes))


def _with_task(whole: Dataset, wanted: Wanted | None) -> tuple[Dataset, Schema, list[str]]:
    """The dataset with its target in the form of its task, the columns, and what was decided."""
    if whole.target is None:
        raise DataError(f"{whole.origin}: there is no target in it to train on")
    task, target, notes = resolve(
        whole.target, wanted.tasks if wanted else None, wanted.loss if wanted else None
    )
    features = whole.features
    schema = Schema(
        features.numbers.shape[1:],
        features.names,
        tuple(features.categories),
        task,
        target.names,
        target.classes,
        label_type=target.label_type or "string",
    )
    return replace(whole, target=target), schema, notes


def _schema_of_itself(features: Features, wanted: Wanted | None) -> Schema:
    """The columns of an autoencoder; its targets are named when the transforms have made its inputs."""
    if wanted is not None and "regression" not in wanted.tasks:
        raise ConfigError(
            f"loss: {wanted.loss} is for {' or '.join(wanted.tasks)}, but with `target: self` the targets are numbers, the "
            "inputs; use `loss: mse`"
        )
    return Schema(
        features.numbers.shape[1:],
        features.names,
        tuple(features.categories),
        "regression",
        (),
        None,
        autoencoder=True,
    )
