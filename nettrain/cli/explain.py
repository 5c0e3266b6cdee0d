"""`nettrain explain`: what every component, section and key of a configuration is, from the classes themselves."""

import dataclasses
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nettrain.cli.completion import complete_name
from nettrain.cli.options import AllowPlugins, Json, PluginConfig
from nettrain.cli.output import console, print_json, say
from nettrain.cli.plugin_config import with_plugins
from nettrain.errors import ConfigError, nearest

if TYPE_CHECKING:
    from nettrain.autodiff.primitive import Primitive
    from nettrain.config.explanation import Catalogue, Explanation


def explain(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A component, kind, section or key: adam, schedule.step, dataset.split.",
            autocompletion=complete_name,
        ),
    ] = None,
    config: PluginConfig = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Show what NAME is: its formula, keys, defaults, bounds and an example; without NAME: all that there is, a line each."""
    with with_plugins(config, allow_plugins=allow_plugins):
        known = everything()
        if name is None:
            _list(known, json=json)
        else:
            _explain(_found(name, known), json=json)


def everything() -> "Catalogue":
    """What a configuration can hold, and the operations of the core, by full name."""
    from nettrain.autodiff.operations import operations
    from nettrain.config.explanation import catalogue

    return catalogue() | {
        f"operation.{name}": partial(_operation, name, cls) for name, cls in operations().items()
    }


def _operation(name: str, cls: type["Primitive"]) -> "Explanation":
    from nettrain.config.docstring import Docstring
    from nettrain.config.explanation import Explanation

    described = Docstring.of(cls)
    return Explanation(f"operation.{name}", "operation", described.summary, described.details)


def _found(name: str, known: "Catalogue") -> list["Explanation"]:
    """All that the name can mean. Raises ConfigError with the nearest name where it means nothing."""
    from nettrain.config.explanation import matching

    found = matching(name, known)
    if not found:
        short = {full.rpartition(".")[2] for full in known}
        hint = nearest(name, [*known, *short]) or "; `nettrain explain` lists all there is"
        raise ConfigError(f"explain: {name!r} is neither component, section nor key{hint}")
    return [known[full]() for full in found]


def _list(known: "Catalogue", *, json: bool) -> None:
    groups: dict[str, list[tuple[str, str]]] = {}
    for full, make in known.items():
        found = make()
        if found.what in ("component", "operation"):
            group, _, name = full.partition(".")
            groups.setdefault(group, []).append((name, found.summary))
        elif found.what in ("section", "key"):
            groups.setdefault("sections and keys", []).append((full, found.summary))
    if json:
        print_json(
            {
                group: [{"name": name, "summary": summary} for name, summary in members]
                for group, members in groups.items()
            }
        )
        return
    from nettrain.cli.render import name_table

    out = console()
    for group, members in groups.items():
        out.print(name_table(group, members), "", sep="\n")
    say("next: nettrain explain NAME")


def _explain(found: list["Explanation"], *, json: bool) -> None:
    if json:
        print_json({"found": [dataclasses.asdict(one) for one in found]})
        return
    out = console()
    for place, one in enumerate(found):
        if place:
            out.rule(style="dim")
        for part in _parts(one):
            out.print(part, "", sep="\n")


def _parts(one: "Explanation") -> Iterator[Any]:
    """What is shown of one thing, one below the other."""
    from nettrain.cli.render import key_table, name_table, plain

    yield plain(f"{one.name} ({one.what})", style="bold")
    yield plain(one.summary)
    if one.details:
        yield plain(one.details)
    if one.keys:
        yield key_table(one.keys)
    if one.members:
        yield name_table(one.what, one.members)
    if one.example:
        yield plain(one.example.rstrip())
