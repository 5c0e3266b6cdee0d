"""`nettrain explain`: components, sections and keys, described by the classes themselves."""

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nettrain.cli.catalogue import everything
from nettrain.cli.completion import complete_name
from nettrain.cli.options import AllowPlugins, Json, PluginConfig
from nettrain.cli.output import console, print_json, say
from nettrain.cli.plugin_config import with_plugins
from nettrain.errors import ConfigError, nearest

if TYPE_CHECKING:
    from nettrain.config.explanation import Catalogue, Explanation


def explain(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A component, kind, section or key: adam, schedule.step, dataset.split.",
            autocompletion=complete_name,
        ),
    ] = None,
    plugin: Annotated[
        str | None,
        typer.Option(
            "--plugin",
            metavar="KIND",
            help="How to write a component of this kind in Python, with a complete example.",
            show_default=False,
        ),
    ] = None,
    config: PluginConfig = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Describe NAME: formula, keys, defaults, bounds, an example. Without NAME: list everything."""
    if plugin is not None:
        if name is not None:
            raise ConfigError("explain: NAME and --plugin cannot be used together; leave one out")
        _explain_plugin(plugin, json=json)
        return
    with with_plugins(config, allow_plugins=allow_plugins):
        known = everything()
        if name is None:
            _list(known, json=json)
        else:
            _explain(_matches(name, known), json=json)


def _matches(name: str, known: "Catalogue") -> list["Explanation"]:
    """Everything that the name can mean. Raises ConfigError where it means nothing."""
    from nettrain.config.component_key import explain_key
    from nettrain.config.explanation import matching

    explanations = [known[full]() for full in matching(name, known)] or explain_key(name)
    if not explanations:
        short = {full.rpartition(".")[2] for full in known}
        hint = nearest(name, [*known, *short]) or "; `nettrain explain` lists everything"
        raise ConfigError(f"explain: no component, section or key is named {name!r}{hint}")
    return explanations


def _list(known: "Catalogue", *, json: bool) -> None:
    groups: dict[str, list[tuple[str, str]]] = {}
    for full, make in known.items():
        one = make()
        if one.what in ("component", "operation"):
            group, _, name = full.partition(".")
            groups.setdefault(group, []).append((name, one.summary))
        elif one.what in ("section", "key"):
            group = "keys of sweeps" if full.startswith("sweep") else "sections and keys"
            groups.setdefault(group, []).append((full, one.summary))
    if json:
        print_json(
            {
                group: [{"name": name, "summary": summary} for name, summary in members]
                for group, members in groups.items()
            }
        )
        return
    from nettrain.cli.render_explain import name_table

    out = console()
    for group, members in groups.items():
        out.print(name_table(group, members, out.width), "", sep="\n")
    say("next: nettrain explain NAME")


def _explain(explanations: list["Explanation"], *, json: bool) -> None:
    if json:
        print_json({"found": [dataclasses.asdict(one) for one in explanations]})
        return
    out = console()
    for index, one in enumerate(explanations):
        if index:
            out.rule(style="dim")
        for part in _parts(one, out.width):
            out.print(part, "", sep="\n")


def _parts(one: "Explanation", width: int) -> Iterator[Any]:
    """What is shown of one thing, one below the other."""
    from nettrain.cli.render_explain import flowing, key_table, name_table, plain

    yield plain(f"{one.name} ({one.what})", style="bold")
    yield plain(one.summary)
    if one.details:
        yield flowing(one.details)
    if one.keys:
        yield key_table(one.keys)
    if one.members:
        yield name_table(one.name, one.members, width)
    if one.example:
        yield plain(one.example.rstrip())


def _explain_plugin(kind: str, *, json: bool) -> None:
    from nettrain.cli.plugin_page import plugin_page

    page = plugin_page(kind)
    if json:
        print_json(dataclasses.asdict(page))
        return
    from nettrain.cli.render_explain import method_table, name_table, plain

    out = console()
    out.print(plain(f"A {kind} of your own: derive from {page.base}", style="bold"), "", sep="\n")
    out.print(plain(page.summary), "", sep="\n")
    out.print(method_table(page.methods), "", sep="\n")
    if page.attributes:
        out.print(name_table("class attribute", list(page.attributes.items()), None), "", sep="\n")
    out.print(plain(f"A complete example, {page.file}:", style="bold"), "", sep="\n")
    out.print(plain(page.example.rstrip()), soft_wrap=True)
    say("next: copy the example to a file, name it under `plugins`, and train with --allow-plugins")
