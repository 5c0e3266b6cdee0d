"""`nettrain schema`: the JSON Schema by which an editor completes and checks a configuration."""

import json
from pathlib import Path
from typing import Annotated

import typer

from nettrain.cli.options import AllowPlugins, PluginConfig
from nettrain.cli.output import say, write_stdout
from nettrain.cli.output_file import Overwrite, check_output, write_output
from nettrain.cli.plugin_config import with_plugins


def schema(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The .json file to write. Default: stdout.",
            show_default=False,
        ),
    ] = None,
    overwrite: Overwrite = False,
    config: PluginConfig = None,
    allow_plugins: AllowPlugins = False,
) -> None:
    """Write the JSON Schema of runs, sweeps and ensembles, for editors (draft 2020-12).

    Put the line `# yaml-language-server: $schema=nettrain.schema.json` (a path relative to the
    file) at the top of a configuration, and it is completed and checked while you write: in VS
    Code by the extension YAML, in other editors by yaml-language-server.
    """
    if output is not None:
        check_output(output, [".json"], overwrite=overwrite)
    from nettrain.cli.catalogue import file_schema

    with with_plugins(config, allow_plugins=allow_plugins):
        text = json.dumps(file_schema(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        write_stdout(text.encode())
        return
    write_output(output, text.encode())
    say(
        "next: put this line at the top of a configuration: "
        f"# yaml-language-server: $schema={output.absolute()}"
    )
