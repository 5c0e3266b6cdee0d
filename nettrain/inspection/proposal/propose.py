"""From a data file to a configuration that trains at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from nettrain.data.dataset import PARTS, Dataset
from nettrain.data.features import Features
from nettrain.data.missing_target import with_complete_target
from nettrain.data.readers.text_column import MixedColumn
from nettrain.data.rows.columns import take_columns
from nettrain.data.source import Source
from nettrain.data.target import Target
from nettrain.data.task import (
    DEFAULT_LOSS,
    TargetRequirements,
    check_repeated_classes,
    resolve,
)
from nettrain.errors import ConfigError, DataError, nearest
from nettrain.inspection.data_profile.number_ranges import broken_numbers
from nettrain.inspection.data_profile.unused_columns import unused_columns
from nettrain.inspection.proposal.choice import Choice, Proposal, Tree, Wishes, plain
from nettrain.inspection.proposal.data_file import DataFile, locate
from nettrain.inspection.proposal.network import Size, propose_network, uses_tabular
from nettrain.inspection.proposal.parts import propose_split
from nettrain.inspection.proposal.transforms import count_inputs, propose_transforms

_FEWEST_TEXTS = 0.05  # of a column of numbers: with fewer they are mistakes in the file


def propose_config(path: Path, wishes: Wishes) -> Proposal:
    """Look at all of some data, and choose a configuration for it.

    Args:
        path: A table, an npz, npy or IDX file, or a folder of images.
        wishes: What the user says of it.

    Raises:
        ConfigError: A wish does not fit the kind of data.
        DataError: The data cannot be read or learned from.
    """
    file = locate(path, wishes.target)
    _check_wishes(file, wishes)
    dataset, mixed = _load(file, wishes)
    return propose(file, dataset, wishes, mixed)


def _load(file: DataFile, wishes: Wishes) -> tuple[Dataset, dict[str, str]]:
    """All rows, and the columns of numbers and texts that are read as texts, with the reason."""
    keys = {key: choice.value for key, choice in file.keys.items()}
    keys |= {"ignore": list(wishes.ignore)} if wishes.ignore else {}
    extra = tuple(name for name in (wishes.group, wishes.time) if name is not None)
    mixed: dict[str, str] = {}
    while True:
        categorical = {"categorical": list(mixed)} if mixed else {}
        source = _parsed(keys | categorical).absolute(Path.cwd())
        try:
            return source.load(0, extra), mixed
        except MixedColumn as error:
            is_mistake = error.share < _FEWEST_TEXTS or error.column == keys.get("target")
            if is_mistake or error.column in mixed:
                raise
            mixed[error.column] = f"{error.share:.0%} of its cells are no numbers"


def _parsed(keys: Mapping[str, object]) -> Source:
    """The source of these keys. Raises ConfigError for a name that it cannot take, such as ''."""
    try:
        return Source.parse(keys)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"]))
        raise ConfigError(
            f"{keys['path']}: {key}: {problem['msg']}, got {problem['input']!r}; rename it in the "
            "file"
        ) from None


def propose(
    file: DataFile, dataset: Dataset, wishes: Wishes, mixed: Mapping[str, str] | None = None
) -> Proposal:
    """Choose a configuration for rows that are loaded.

    Args:
        file: Where they came from.
        dataset: All of them.
        wishes: What the user says of them.
        mixed: The columns of numbers and texts that were read as texts, each with the reason.

    Raises:
        ConfigError: The wished task does not fit the target.
        DataError: There are too few rows, or a single class.
    """
    incomplete = int(_target_of(dataset).missing.sum())
    dataset = with_complete_target(dataset, "drop")
    dataset, target, task_note = _settled(dataset, wishes)
    split = propose_split(dataset, wishes)
    unused = unused_columns(dataset.features) if dataset.features.numbers.ndim == 2 else {}
    features = _without(dataset.features, unused)
    size = _size(dataset, features, target, split)
    network = propose_network(size, wishes.preset)
    chosen: dict[str, Tree | Choice | Sequence[Choice]] = {
        "source": _source(file, wishes.ignore, unused, mixed or {})
    }
    if incomplete:
        chosen["missing_target"] = Choice("drop", f"{incomplete:,} rows have no target")
    if split is not None:
        chosen["split"] = split
    transforms = propose_transforms(features, embedded=uses_tabular(size))
    if transforms:
        chosen["transforms"] = transforms
    outlying = _far_targets(target)
    if outlying:
        chosen["target_transforms"] = [Choice("robust_scale", outlying)]
    if "augmentation" in network:
        chosen["augmentation"] = network.pop("augmentation")
    tree: dict[str, Tree | Choice | Sequence[Choice]] = {"dataset": chosen, **network}
    if wishes.task is not None and "loss" not in tree:
        tree["loss"] = Choice(DEFAULT_LOSS[wishes.task], f"as asked: --task {wishes.task}")
    if outlying:
        tree["loss"] = Choice("huber", "counts far numbers of the target less than mse")
    tree["seed"] = Choice(0, "of everything random")
    return Proposal(
        title=f"{file.path.name}: {len(dataset):,} rows; {task_note}",
        decisions=_decisions(file, outlying, unused, split, transforms, tree),
        tree=_ordered(tree),
        paths=file.paths,
        notes=dataset.notes,
    )


def _check_wishes(file: DataFile, wishes: Wishes) -> None:
    if wishes.group is not None and wishes.time is not None:
        raise ConfigError("--group and --time cannot be used together: leave one of them out")
    columns = {
        "--ignore": wishes.ignore,
        "--group": (wishes.group,) if wishes.group else (),
        "--time": (wishes.time,) if wishes.time else (),
    }
    for option, names in columns.items():
        if names and file.table is None:
            raise ConfigError(
                f"{option} is for tables, and {file.path.name} has no named columns: leave it out"
            )
        for name in names:
            if file.table is not None and name not in file.table.names:
                raise ConfigError(
                    f"{option}: {file.path.name} has no column {name!r}"
                    f"{nearest(name, file.table.names)}"
                )
    target = file.keys.get("target")
    if target is not None and target.value in (*wishes.ignore, wishes.group, wishes.time):
        raise ConfigError(
            f"column {target.value!r} is the target ({target.reason or 'as asked'}) and cannot be "
            "left out, be the group or the time; name another with --target"
        )


def _target_of(dataset: Dataset) -> Target:
    if dataset.target is None:
        raise DataError(f"{dataset.origin}: has no target")
    return dataset.target


def _settled(dataset: Dataset, wishes: Wishes) -> tuple[Dataset, Target, str]:
    """The rows with the target in its form, that target, and a sentence on the task."""
    required = None
    if wishes.task is not None:
        required = TargetRequirements(DEFAULT_LOSS[wishes.task], (wishes.task,))
    _, settled, (note,) = resolve(_target_of(dataset), required)
    dataset = replace(dataset, target=settled)
    check_repeated_classes(dataset)
    if settled.classes is not None and len(np.unique(settled.values)) < 2:
        name = settled.classes[int(settled.values[0])]
        raise DataError(
            f"{dataset.origin}: every row has the class {name!r}; a classifier needs at least two"
        )
    return dataset, settled, note


def _far_targets(target: Target) -> str:
    """Which numbers of a target lie so far from the others that they would decide its scale."""
    if target.classes is not None or target.values.dtype.kind != "f":
        return ""
    columns = zip(target.names, target.values.T, strict=True)
    far = {name: y[places[0]] for name, y in columns if len(places := broken_numbers(y))}
    return ", ".join(f"{name} has numbers such as {value:g}" for name, value in far.items())


def _without(features: Features, unused: dict[str, str]) -> Features:
    if not unused:
        return features
    kept = [place for place, name in enumerate(features.names) if name not in unused]
    return Features(
        take_columns(features.numbers, np.array(kept, np.int64)),
        tuple(features.names[place] for place in kept),
        {name: column for name, column in features.categories.items() if name not in unused},
    )


def _size(dataset: Dataset, features: Features, target: Target, split: Choice | None) -> Size:
    rows = len(dataset)
    if dataset.part is not None:
        rows = int((dataset.part <= PARTS.index("train")).sum())
    keys = split.value if split is not None and isinstance(split.value, dict) else {}
    rows = int(rows * (1 - sum(keys.get(part, 0.0) for part in ("validation", "test"))))
    shape = features.numbers.shape[1:]
    image = (shape[0], shape[1], shape[2]) if len(shape) == 3 else None
    classes = None if target.classes is None else len(target.classes)
    embedded = count_inputs(features, embedded=True)
    return Size(rows, count_inputs(features), embedded, image, classes)


def _source(
    file: DataFile,
    ignored: Sequence[str],
    unused: Mapping[str, str],
    mixed: Mapping[str, str],
) -> dict[str, "Tree | Choice | Sequence[Choice]"]:
    keys: dict[str, Tree | Choice | Sequence[Choice]] = dict(file.keys)
    left_out = {**dict.fromkeys(ignored, "as asked: --ignore"), **unused}
    texts = {name: reason for name, reason in mixed.items() if name not in left_out}
    if texts:
        keys["categorical"] = [Choice(name, reason) for name, reason in texts.items()]
    if left_out:
        keys["ignore"] = [Choice(name, reason) for name, reason in left_out.items()]
    return keys


_ORDER = (
    "dataset", "model", "loss", "optimizer", "schedule", "regularization", "training",
    "early_stopping", "seed",
)  # fmt: skip


def _ordered(
    tree: dict[str, "Tree | Choice | Sequence[Choice]"],
) -> dict[str, "Tree | Choice | Sequence[Choice]"]:
    return {key: tree[key] for key in _ORDER if key in tree}


def _decisions(
    file: DataFile,
    outlying: str,
    unused: dict[str, str],
    split: Choice | None,
    transforms: Sequence[Choice],
    tree: dict[str, "Tree | Choice | Sequence[Choice]"],
) -> tuple[str, ...]:
    """Five lines, each of which should fit into 80 columns: the written file gives the reasons."""
    lines = []
    target = file.keys.get("target") or file.keys.get("y")
    if target is not None and target.reason:
        lines.append(f"target: {Path(str(target.value)).name} ({target.reason})")
    if outlying:
        lines.append(f"target_transforms: robust_scale; loss: huber ({outlying})")
    if unused:
        more = f" and {len(unused) - 5} more" if len(unused) > 5 else ""
        why = next(iter(unused.values())) if len(unused) == 1 else "the written config says why"
        lines.append(f"left out: {', '.join(list(unused)[:5])}{more} ({why})")
    if split is not None:
        told = _brief(split)
        lines.append(f"split: {told}" + ("" if "stratify" in told else f" ({split.reason})"))
    if transforms:
        lines.append("transforms: " + ", ".join(_name(one) for one in transforms))
    model = _brief(plain(tree["model"])).replace(", activation ", ", ")
    stopping = plain(tree["early_stopping"])
    early = isinstance(stopping, dict) and stopping.get("restore_best", True)
    training = _brief(plain(tree["training"])) + (", early stopping" if early else "")
    lines.append(f"model: {model}; {training}")
    return tuple(lines)


def _name(choice: Choice) -> str:
    return str(choice.value["type"] if isinstance(choice.value, dict) else choice.value)


def _brief(value: object) -> str:
    """`mlp, hidden 64 32, activation relu`."""
    value = plain(value)
    if isinstance(value, dict):
        return ", ".join(
            _brief(item) if key == "type" else f"{key.replace('_', ' ')} {_brief(item)}"
            for key, item in value.items()
            if item is not True or key == "stratify"
        ).replace(" True", "")
    if isinstance(value, list):
        return "[" + ", ".join(_brief(item) for item in value) + "]"
    return str(value)
