"""How to write a component in Python: its base, what to define, and an example that runs."""

import inspect
from dataclasses import dataclass

from nettrain.cli.packaged import example_folder
from nettrain.component import Component
from nettrain.config.docstring import Docstring
from nettrain.config.kinds import KINDS
from nettrain.errors import ConfigError, nearest
from nettrain.optim import Optimizer, Rule


@dataclass(frozen=True)
class Method:
    """A method that a component defines, or may define."""

    signature: str
    required: bool
    description: str


@dataclass(frozen=True)
class PluginPage:
    """What `nettrain explain --plugin KIND` shows.

    Attributes:
        kind: its YAML name.
        base: the class to derive from, as a user imports it.
        summary: what a component of this kind is.
        methods: the required ones first.
        attributes: of the class, by name: what they say.
        file: where the example is installed.
        example: its text.
    """

    kind: str
    base: str
    summary: str
    methods: tuple[Method, ...]
    attributes: dict[str, str]
    file: str
    example: str


def plugin_page(name: str) -> PluginPage:
    """The page of a kind. Raises ConfigError where there is no such kind."""
    bases = {kind.kind: kind for kind in KINDS}
    if name not in bases:
        hint = nearest(name, bases)
        raise ConfigError(
            f"explain --plugin: there is no kind {name!r}{hint} (there are {', '.join(bases)})"
        )
    base, file = _base(bases[name]), example_folder() / "plugins" / f"{name}.py"
    described = Docstring.of(base)
    return PluginPage(
        kind=name,
        base=f"nettrain.{base.__name__}",
        summary="\n\n".join(filter(None, [described.summary, described.details])),
        methods=tuple(sorted(_methods(base), key=lambda method: not method.required)),
        attributes=described.entries("Attributes"),
        file=str(file),
        example=file.read_text(encoding="utf-8"),
    )


def _base(kind: type[Component]) -> type[Component]:
    """The class to derive from: an optimizer of one's own is an update rule."""
    return Rule if kind is Optimizer else kind


def _methods(base: type[Component]) -> list[Method]:
    """The public methods that the base, or a base of it, declares for components to define."""
    methods = []
    declared = {
        name: member
        for cls in reversed(base.__mro__)
        if issubclass(cls, Component) and cls is not Component
        for name, member in vars(cls).items()
    }
    for name, member in declared.items():
        if name.startswith("_") or not inspect.isfunction(member):
            continue
        required = name in base.__abstractmethods__
        methods.append(Method(_signature(name, member), required, Docstring.of(member).summary))
    return methods


def _signature(name: str, function: object) -> str:
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    named = [
        f"{parameter.name}={parameter.default!r}"
        if parameter.default is not parameter.empty
        else parameter.name
        for parameter in parameters
    ]
    return f"{name}({', '.join(named)})"
