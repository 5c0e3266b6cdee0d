"""What can be wrong with a sweep beside the types of its keys: metric, method, parameters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path

from nettrain.component import names, to_mapping
from nettrain.config.checks import name_problem
from nettrain.config.key_path import KeyPath, parse
from nettrain.config.load import load_document
from nettrain.config.run_config import RunConfig
from nettrain.errors import nearest
from nettrain.metrics import Metric, direction
from nettrain.search.sweep.parameter import Parameter, problems
from nettrain.search.sweep.setting import changed
from nettrain.search.sweep.space import Setting, Space
from nettrain.search.sweep.spec import SweepSpec
from nettrain.search.sweep.value_check import ValueCheck

PARTS = ("validation", "train")

Problem = tuple[KeyPath, str]


class SpecCheck:
    """Collects every problem of a spec; with no problem, `parameters` are complete.

    Args:
        spec: Its valid keys; those that are not valid have their defaults.
        base: The run that is varied; None where it cannot be loaded.
        folder: Where relative paths among the values count from.
        allow_plugins: Whether the plugins of the base may be imported.
        reported: The keys with problems that are known already.

    Attributes:
        problems: By key path.
        parameters: With their distributions, and with absolute paths of files.
    """

    def __init__(
        self,
        spec: SweepSpec,
        base: RunConfig | None,
        folder: Path,
        *,
        allow_plugins: bool,
        reported: set[KeyPath],
    ) -> None:
        self._spec = spec
        self._reported = reported
        self.problems: dict[KeyPath, str] = {}
        self.parameters = dict(spec.parameters)
        self._add(_of_metric(spec))
        self._add(_of_name(spec))
        known = {field.name for field in fields(spec)}
        if reported <= {(name,) for name in known - {"method"}}:
            # Else a misspelled key may be the one that is missing, or a grid may need none.
            self._add(_of_method(spec))
        self._check_parameters(None if base is None else _configure(base, folder, allow_plugins))

    def _add(self, found: Iterator[Problem]) -> None:
        for path, message in found:
            of_parameter = path[0] == "parameters" and len(path) > 1
            if of_parameter or path[:1] not in self._reported:
                self.problems.setdefault(path, message)

    def _check_parameters(self, configure: Callable[[Setting], RunConfig] | None) -> None:
        self._add(_of_paths(self._spec.parameters))
        sound = self._sound()
        check = None if configure is None else ValueCheck(sound, configure)
        for path, given in sound.items():
            whole = check is not None and check.takes_integers(path)
            self.parameters[path] = given.resolved(whole=whole)
            self._add(
                (("parameters", path, *([key] if key else [])), message)
                for key, message in problems(self.parameters[path])
            )
        # A condition on a parameter that is wrong itself is not judged.
        space, sound = Space(self.parameters), self._sound()
        self._add(
            (("parameters", path), message)
            for path, message in space.problems(skipped=self.parameters.keys() - sound.keys())
        )
        sound = self._sound()
        if self._spec.method == "grid":
            self._add(_without_step(sound))
        if configure is None:
            return
        check = ValueCheck(sound, configure)
        for path in sound:
            self._add(
                (("parameters", path, *key), message) for key, message in check.problems(path)
            )
        if not self.problems:
            self.parameters = {path: check.absolute(path) for path in sound}

    def _sound(self) -> dict[str, Parameter]:
        """The parameters without a problem so far."""
        wrong = {path[1] for path in self.problems if path[0] == "parameters" and len(path) > 1}
        return {path: one for path, one in self.parameters.items() if path not in wrong}


def _configure(
    base: RunConfig, folder: Path, allow_plugins: bool
) -> Callable[[Setting], RunConfig]:
    """The function that makes the configuration of a setting, or raises ConfigError."""
    whole = dict(to_mapping(base))  # type: ignore[call-overload]

    def configure(setting: Setting) -> RunConfig:
        document = changed(whole, setting, folder)
        return load_document(document, Path.cwd(), "run", allow_plugins=allow_plugins)

    return configure


def _of_name(spec: SweepSpec) -> Iterator[Problem]:
    if problem := name_problem(spec.name or "sweep"):
        yield ("name",), problem


def _of_metric(spec: SweepSpec) -> Iterator[Problem]:
    """The metric is of the training or validation part. Only the data tells whether it has it."""
    name, goal = spec.metric.name, spec.metric.goal
    part, _, metric = name.partition("_")
    known = ["loss", *names(Metric)]
    if part == "test" and metric in known:
        yield (
            ("metric", "name"),
            f"{name!r} is of the test part, which is used once, at the end; "
            f"compare in validation_{metric}",
        )
    elif part not in PARTS or metric not in known:
        all_names = [f"{part}_{metric}" for part in PARTS for metric in known]
        hint = f"; did you mean 'validation_{name}'?" if name in known else nearest(name, all_names)
        there_are = f"; there are validation_ and train_ with {', '.join(known)}"
        yield ("metric", "name"), f"metric {name!r} is never logged{hint or there_are}"
    elif spec.cross_validation is not None and part != "validation":
        yield (
            ("metric", "name"),
            f"{name!r} is of rows that were trained on; a fold is scored on those that were not: "
            f"validation_{metric}",
        )
    elif goal is not None and (goal == "maximize") != direction(name):
        better = "more" if direction(name) else "less"
        yield (
            ("metric", "goal"),
            f"{better} is better in {name}, it cannot be to {goal}; leave the goal out",
        )


def _of_method(spec: SweepSpec) -> Iterator[Problem]:
    if spec.method != "grid" and spec.trials is None:
        yield (
            ("trials",),
            f"this key is missing: {spec.method} never runs out of settings, "
            "so say how many to try",
        )


def _of_paths(parameters: Mapping[str, Parameter]) -> Iterator[Problem]:
    if not parameters:
        yield (
            ("parameters",),
            "the space is empty: name at least one key of the configuration, and what it can be",
        )
    for path in parameters:
        keys = parse(path)
        if keys is None:
            yield (
                ("parameters", path),
                "expected the path of a key, such as optimizer.lr or model.hidden[0], "
                f"got {path!r}",
            )
        elif keys[0] == "plugins":
            yield (
                ("parameters", path),
                "which code runs cannot vary in a sweep; name all plugins in the base",
            )


def _without_step(parameters: Mapping[str, Parameter]) -> Iterator[Problem]:
    for path, parameter in parameters.items():
        if parameter.count is None:
            yield (
                ("parameters", path),
                "a grid tries every value: give the range a step, or list values "
                "(random takes it as it is)",
            )
