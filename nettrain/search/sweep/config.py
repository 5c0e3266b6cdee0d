"""From a sweep's YAML to a `Sweep`: read, overridden, its base loaded, every parameter tried, every problem told at once."""

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nettrain.component import adapter, names, to_mapping
from nettrain.config import messages
from nettrain.config.checks import name_problem
from nettrain.config.key_path import KeyPath, join, parse
from nettrain.config.load import document_at, load, load_document, plain
from nettrain.config.overrides import Override, apply, override
from nettrain.config.plugins import in_use
from nettrain.config.run_config import RunConfig
from nettrain.config.yaml_text import Document
from nettrain.errors import ConfigError, nearest
from nettrain.metrics import Metric, direction
from nettrain.search.sweep.parameter import Parameter, Value, problems
from nettrain.search.sweep.space import Setting, Space
from nettrain.search.sweep.spec import Goal, SweepSpec
from nettrain.search.sweep.value_check import Trying

KEYS = [field.name for field in dataclasses.fields(SweepSpec)]
PARTS = ("validation", "train")
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Sweep:
    """A sweep that can begin.

    spec  complete: its base is a whole configuration, its parameters have their distributions
    base  the run that is varied
    """

    spec: SweepSpec
    base: RunConfig
    space: Space
    allow_plugins: bool = False

    @property
    def maximize(self) -> bool:
        """Whether a larger score is better."""
        return self.spec.metric.goal == "maximize"

    def total(self) -> int | None:
        """How many trials there will be; None where that takes long to tell."""
        if self.spec.method != "grid":
            return self.spec.trials
        settings = sum(1 for _ in islice(self.space.grid(), MOST_COUNTED + 1))
        return (
            min(settings, self.spec.trials or settings)
            if settings <= MOST_COUNTED
            else self.spec.trials
        )

    def mapping(self, setting: Setting, repeat: int = 0) -> dict[str, Any]:
        """The run of a setting, not validated yet; each repeat has its own seed. Rows are divided as in the base, whatever the seed."""
        found = changed(self.spec.base, setting).value  # type: ignore[arg-type]
        assert isinstance(found, dict)
        if repeat:
            found["seed"] += repeat
        if found["seed"] != self.base.seed and found["dataset"]["seed"] is None:
            found["dataset"]["seed"] = self.base.seed
        return found

    def config(self, setting: Setting, repeat: int = 0) -> RunConfig:
        """The same, validated. Raises ConfigError where the setting does not fit."""
        return load(self.mapping(setting, repeat), allow_plugins=self.allow_plugins)


def changed(base: Mapping[str, Any], setting: Setting, folder: Path | None = None) -> Document:
    """A configuration with some keys changed. folder: where relative paths among the values count from."""
    document = Document(deepcopy(base), {(): ""})
    changes = [
        Override(parse(path) or (), Document(deepcopy(value)), f"parameters.{path}", folder)
        for path, value in setting.items()
    ]
    apply(document, RunConfig, changes)
    return document


def load_sweep(
    config: str | os.PathLike[str] | Mapping[str, object],
    sets: Sequence[str] = (),
    *,
    trials: int | None = None,
    allow_plugins: bool = False,
) -> Sweep:
    """A complete, valid Sweep. `sets` are overrides of the sweep's own keys, or else of its base's: "trials=5", "training.epochs=3".

    Raises one ConfigError that lists every problem.
    """
    if isinstance(config, Mapping):
        document, folder, stem = Document(plain(config), {(): ""}), Path.cwd(), "sweep"
    else:
        path = Path(config)
        document, folder, stem = document_at(path), path.absolute().parent, path.stem
        if (
            isinstance(document.value, dict)
            and {"dataset", "model"} & document.value.keys()
            and "base" not in document.value
        ):
            said = f"write a file with `base: {path.name}` and `parameters:`"
            raise ConfigError(f"{path}: is the configuration of one run; a sweep varies it: {said}")
    own = [text for text in sets if text.partition("=")[0].strip().split(".")[0] in KEYS]
    if trials is not None:
        own.append(f"trials={trials}")
    override(document, SweepSpec, own)
    spec = _validated(document)
    base = _base(document, folder, stem, [text for text in sets if text not in own], allow_plugins)
    spec = replace(spec, name=spec.name or stem, base=dict(to_mapping(base)))  # type: ignore[call-overload]
    with in_use(base.plugins):
        return _checked(spec, base, document, folder, allow_plugins)


def _validated(document: Document) -> SweepSpec:
    try:
        spec: SweepSpec = adapter(SweepSpec).validate_python(document.value)
    except ValidationError as error:
        raise ConfigError(
            document.problems + messages.lines(error, SweepSpec, document.value, document.places)
        ) from None
    if document.problems:
        raise ConfigError(document.problems)
    return spec


def _base(
    document: Document, folder: Path, stem: str, sets: list[str], allow_plugins: bool
) -> RunConfig:
    """The run that is varied, from its own file or from this one."""
    value = document.value["base"]  # type: ignore[index]
    place = messages.place_of(("base",), document.places)
    if isinstance(value, dict):
        places = {
            path[1:]: place for path, place in document.places.items() if path[:1] == ("base",)
        }
        return load_document(
            Document(value, places, [], document.folders),
            folder,
            stem,
            sets,
            allow_plugins=allow_plugins,
        )
    path = document.folders.get(place, folder) / Path(value).expanduser()
    if not path.exists():
        raise ConfigError(join(place, ("base",), f"{path}: does not exist"))
    return load(path, sets, allow_plugins=allow_plugins)


def _checked(
    spec: SweepSpec, base: RunConfig, document: Document, folder: Path, allow_plugins: bool
) -> Sweep:
    found: dict[KeyPath, str] = dict(_of_metric(spec))
    if problem := name_problem(spec.name or ""):
        found["name",] = problem
    if not spec.parameters:
        found["parameters",] = (
            "the space is empty: name at least one key of the configuration, and what it can be"
        )

    whole = dict(to_mapping(base))  # type: ignore[call-overload]

    def configure(setting: Setting) -> RunConfig:
        return load_document(
            changed(whole, setting, folder), Path.cwd(), "run", allow_plugins=allow_plugins
        )

    trying = Trying(spec.parameters, configure)
    parameters: dict[str, Parameter] = {}
    for path, given in spec.parameters.items():
        parameters[path] = parameter = given.settled(whole=trying.whole(base, path))
        if (parse(path) or ("",))[0] == "plugins":
            found["parameters", path] = (
                "which code runs cannot vary in a sweep; name all plugins in the base"
            )
        for key, problem in problems(parameter):
            found["parameters", path, *([key] if key else [])] = problem
    space = Space(parameters)
    if not found:
        found |= {("parameters", path): problem for path, problem in space.problems()}
    if not found:
        found |= dict(_of_method(spec, parameters))
        trying = Trying(parameters, configure)
        for path in parameters:
            found |= {("parameters", path, *key): problem for key, problem in trying.problems(path)}
    if found:
        raise ConfigError(
            [
                join(messages.place_of(path, document.places), path, problem)
                for path, problem in found.items()
            ]
        )
    settled = {path: trying.absolute(path) for path in parameters}
    goal: Goal = "maximize" if direction(spec.metric.name) else "minimize"
    spec = replace(
        spec, parameters=settled, metric=replace(spec.metric, goal=spec.metric.goal or goal)
    )
    return Sweep(spec, base, Space(settled), allow_plugins)


def _of_metric(spec: SweepSpec) -> Iterator[tuple[KeyPath, str]]:
    """A metric of the training or validation part that a model is measured in. Whether the data has it, only the data tells."""
    name, goal = spec.metric.name, spec.metric.goal
    part, _, metric = name.partition("_")
    known = ["loss", *names(Metric)]
    if part == "test" and metric in known:
        yield (
            ("metric", "name"),
            f"{name!r} is of the test part, which is used once, at the end; compare in validation_{metric}",
        )
    elif part not in PARTS or metric not in known:
        all_names = [f"{part}_{metric}" for part in PARTS for metric in known]
        hint = f"; did you mean 'validation_{name}'?" if name in known else nearest(name, all_names)
        yield (
            ("metric", "name"),
            f"metric {name!r} is never logged{hint or '; there are validation_ and train_ with ' + ', '.join(known)}",
        )
    elif spec.cross_validation is not None and part != "validation":
        yield (
            ("metric", "name"),
            f"{name!r} is of rows that were trained on; a fold is scored on those that were not: validation_{metric}",
        )
    elif goal is not None and (goal == "maximize") != direction(name):
        better = "more" if direction(name) else "less"
        yield (
            ("metric", "goal"),
            f"{better} is better in {name}, it cannot be to {goal}; leave the goal out",
        )


def _of_method(
    spec: SweepSpec, parameters: Mapping[str, Parameter]
) -> Iterator[tuple[KeyPath, str]]:
    if spec.method == "grid":
        for path, parameter in parameters.items():
            if parameter.count is None:
                yield (
                    ("parameters", path),
                    "a grid tries every value: give the range a step, or list values (random takes it as it is)",
                )
    elif spec.trials is None:
        yield (
            ("trials",),
            f"this key is missing: {spec.method} never runs out of settings, so say how many to try",
        )


def as_mapping(spec: SweepSpec) -> dict[str, Any]:
    """The spec as YAML has it, without keys that say nothing."""
    found = to_mapping(spec)
    assert isinstance(found, dict)
    found["parameters"] = {
        path: _said(parameter) for path, parameter in found["parameters"].items()
    }
    return found


def _said(parameter: dict[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in parameter.items() if value is not None and value != {}}
