"""`nettrain schema`: the JSON Schema by which an editor completes and checks a configuration."""

import json
from pathlib import Path
from typing import Annotated

import typer

from nettrain.cli.options import AllowPlugins, PluginConfig
from nettrain.cli.output import say
from nettrain.cli.plugin_config import with_plugins
from nettrain.cli.predict import write_file


def schema(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write; default: stdout.",
            show_default=False,
        ),
    ] = None,
    config: PluginConfig = None,
    allow_plugins: AllowPlugins = False,
) -> None:
    """Write the JSON Schema (draft 2020-12) of a configuration, for editors.

    With the line `# yaml-language-server: $schema=nettrain.schema.json` at its top (a path relative to the file), a configuration is
    completed and checked while it is written: in VS Code by the extension YAML, in others by yaml-language-server.
    """
    from nettrain.config.json_schema import json_schema

    with with_plugins(config, allow_plugins=allow_plugins):
        text = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        typer.echo(text.encode(), nl=False)  # UTF-8 like a file, whatever the terminal's encoding
        return
    write_file(output, text)
    say(
        f"next: put this line at the top of a configuration: # yaml-language-server: $schema={output.absolute()}"
    )
