"""From a sweep's YAML to a `Sweep`: read, overridden, checked, all problems reported at once."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nettrain.component import adapter, to_mapping
from nettrain.config import messages
from nettrain.config.file import document_at
from nettrain.config.key_path import KeyPath, join
from nettrain.config.load import load, load_document, plain
from nettrain.config.overrides import override
from nettrain.config.plugins import in_use
from nettrain.config.run_config import RunConfig
from nettrain.config.yaml_text import Document
from nettrain.errors import ConfigError
from nettrain.files import absolute_path
from nettrain.metrics import direction
from nettrain.search.sweep.checks import SpecCheck
from nettrain.search.sweep.parameter import Value
from nettrain.search.sweep.setting import changed
from nettrain.search.sweep.space import Setting, Space
from nettrain.search.sweep.spec import Goal, SweepSpec

KEYS = [field.name for field in dataclasses.fields(SweepSpec)]
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Sweep:
    """A sweep that can begin.

    Attributes:
        spec: Complete: its base is a whole configuration, its parameters have their distributions.
        base: The run that is varied.
        space: The settings that can be tried.
        allow_plugins: Whether the plugins of the base may be imported.
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
        """The run of a setting, not validated yet; each repeat has its own seed.

        Rows are divided as in the base, whatever the seed.
        """
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


def load_sweep(
    config: str | os.PathLike[str] | Mapping[str, object],
    sets: Sequence[str] = (),
    *,
    trials: int | None = None,
    allow_plugins: bool = False,
) -> Sweep:
    """Load a complete, valid sweep.

    Args:
        config: A YAML file, or a mapping of the same form.
        sets: Overrides of the sweep's own keys, or else of its base's: "trials=5",
            "training.epochs=3".
        trials: The same as "trials=N".
        allow_plugins: Whether the Python files under `plugins` of the base may be imported.

    Raises:
        ConfigError: Lists the problems of the sweep, its base and its parameters together.
    """
    if isinstance(config, Mapping):
        document, folder, stem = Document(plain(config), {(): ""}), Path.cwd(), "sweep"
    else:
        path = Path(config)
        document, folder, stem = document_at(path), path.absolute().parent, path.stem
        if _is_run(document.value):
            raise ConfigError(
                f"{path}: is the configuration of one run; a sweep varies it: write a file with "
                f"`base: {path.name}` and `parameters:`"
            )
    own = [text for text in sets if text.partition("=")[0].strip().split(".")[0] in KEYS]
    if trials is not None:
        own.append(f"trials={trials}")
    override(document, SweepSpec, own)
    spec, reported, found = _validated(document)
    base = None
    if ("base",) not in reported:
        try:
            others = [text for text in sets if text not in own]
            base = _base(document, folder, stem, others, allow_plugins)
        except ConfigError as error:
            found += error.problems
    spec = replace(spec, name=spec.name or stem)
    with in_use(base.plugins if base is not None else ()):
        check = SpecCheck(spec, base, folder, allow_plugins=allow_plugins, reported=reported)
    found += [
        join(messages.place_of(path, document.places), path, problem)
        for path, problem in check.problems.items()
    ]
    if found or base is None:
        raise ConfigError(found)
    goal: Goal = spec.metric.goal or ("maximize" if direction(spec.metric.name) else "minimize")
    spec = replace(
        spec,
        base=dict(to_mapping(base)),  # type: ignore[call-overload]
        parameters=check.parameters,
        metric=replace(spec.metric, goal=goal),
    )
    return Sweep(spec, base, Space(check.parameters), allow_plugins)


def _is_run(value: object) -> bool:
    """Whether a file holds the configuration of a run or an ensemble."""
    if not isinstance(value, dict) or {"base", "parameters"} & value.keys():
        return False
    return bool({"dataset", "model", "extends", "ensemble"} & value.keys())


def _validated(document: Document) -> tuple[SweepSpec, set[KeyPath], list[str]]:
    """The spec of all keys that are valid, the keys that are not, and what is wrong with them."""
    validate = adapter(SweepSpec).validate_python
    try:
        spec: SweepSpec = validate(document.value)
    except ValidationError as error:
        wrong = {tuple(details["loc"][:2]) for details in error.errors()}
        problems = messages.lines(error, SweepSpec, document.value, document.places)
        kept = _without(document.value, wrong)
        return validate(kept), {path[:1] for path in wrong}, document.problems + problems
    return spec, set(), list(document.problems)


def _without(value: object, wrong: set[KeyPath]) -> dict[str, object]:
    """A sweep's keys without those that are wrong; of the parameters, each by itself."""
    given = dict(value) if isinstance(value, dict) else {}
    kept = {key: item for key, item in given.items() if (key,) not in {path[:1] for path in wrong}}
    parameters = given.get("parameters")
    sound = (
        {
            path: one
            for path, one in parameters.items()
            if isinstance(path, str) and ("parameters", path) not in wrong
        }
        if isinstance(parameters, dict) and ("parameters",) not in wrong
        else {}
    )
    return {"base": {}} | kept | {"parameters": sound}


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
        inner = Document(value, places, [], document.folders)
        return load_document(inner, folder, stem, sets, allow_plugins=allow_plugins)
    path = absolute_path(value, document.folders.get(place, folder))
    if not path.exists():
        raise ConfigError(join(place, ("base",), f"{path}: does not exist"))
    return load(path, sets, allow_plugins=allow_plugins)


def as_mapping(spec: SweepSpec) -> dict[str, Any]:
    """The spec as YAML has it, without keys that say nothing."""
    found = to_mapping(spec)
    assert isinstance(found, dict)
    found["parameters"] = {
        path: _given(parameter) for path, parameter in found["parameters"].items()
    }
    return found


def _given(parameter: dict[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in parameter.items() if value is not None and value != {}}
