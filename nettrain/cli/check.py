"""`nettrain check`: validate a configuration, look at its data, and show its layers."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nettrain.cli.options import AllowPlugins, ConfigPath, Json, Sets
from nettrain.cli.output import console, print_json, say
from nettrain.errors import ConfigError

if TYPE_CHECKING:
    from nettrain.nn.summary import LayerSummary
    from nettrain.training.run import Run

Layers = Annotated[
    bool,
    typer.Option(
        "--layers",
        help="Print the model as a plain list of layers, in YAML that a config can hold.",
    ),
]


def check(
    config: ConfigPath,
    sets: Sets = None,
    layers: Layers = False,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Validate CONFIG, show its columns, what is suspicious, and its layers. Writes nothing."""
    if layers and json:
        raise ConfigError("--layers prints YAML and --json asks for JSON: leave one of them out")
    if layers:
        write_out(config, sets or [], allow_plugins=allow_plugins)
        return
    describe(config, sets or [], allow_plugins=allow_plugins, json=json)
    if not json:
        say("next:", command=f"nettrain fit {shlex.quote(str(config))}")


def describe(
    config: Path | dict[str, object], sets: list[str], *, allow_plugins: bool, json: bool
) -> None:
    """Print what `check` and `fit --dry-run` show."""
    from nettrain.config.load import load, located

    loaded = load(
        config, sets, allow_plugins=allow_plugins
    )  # first: errors come before slow imports
    from nettrain.data.loader import Loader
    from nettrain.inspection.data_profile.profile import profile_data
    from nettrain.nn.summary import summarize
    from nettrain.training.train import prepare_run

    with located(config, sets):
        loader = Loader(many_runs=False)
        run = prepare_run(loaded, allow_plugins=allow_plugins, loader=loader)
        profile = profile_data(loaded, pipeline=run.pipeline, loader=loader)
    rows, size = summarize(run.network.layers, run.network.input_shape), _value_bytes(run)
    if json:
        found = {
            "parameters": len(run.network.vector),
            "layers": [_plain(row, size) for row in rows],
            **asdict(profile),
        }
        count, each = _snapshot_sizes(run)
        print_json(found | ({"snapshot_bytes": count * each} if count else {}))
        return
    from nettrain.cli.render_columns import column_table, suspicion_lines, without_told
    from nettrain.cli.render_model import layer_table

    screen = console()
    screen.print(column_table(profile))
    screen.print(layer_table(rows, size))
    for note in [
        *without_told(run.notes, profile.suspicions),
        f"loss: {run.loss.name()}",
        *_frozen(run),
        f"memory: {_memory(run)}",
        *_snapshots(run),
        *suspicion_lines(profile, screen.width),
    ]:
        say(note)


def write_out(config: Path, sets: list[str], *, allow_plugins: bool) -> None:
    """Print the model as a list of layers: a sequential model, bitwise the same network."""
    from nettrain.config.load import load, located

    loaded = load(config, sets, allow_plugins=allow_plugins)
    from nettrain.config.dump import as_brief_yaml, brief
    from nettrain.training.build import expanded
    from nettrain.training.train import prepare_run

    with located(config, sets):
        run = prepare_run(loaded, allow_plugins=allow_plugins)
    network, task = run.network, run.pipeline.schema.task
    layers = expanded(run.config, task, network.input_shape, network.output_shape[0])
    if run.config.regularization.dropout:
        typer.echo("# with regularization.dropout: 0, since the dropout layers are written out")
    typer.echo(
        as_brief_yaml(
            {"model": {"type": "sequential", "layers": [brief(layer) for layer in layers]}}
        ),
        nl=False,
    )


def _plain(row: "LayerSummary", size: int) -> dict[str, Any]:
    """A layer as JSON has it; memory_bytes is per batch."""
    layer: dict[str, Any] = {
        "name": row.path,
        "type": row.type,
        "output_shape": list(row.output_shape),
        "receptive_field": row.receptive_field,
        "parameters": row.parameters,
        "flops": row.flops,
        "memory_bytes": row.values * size,
    }
    if row.inside:
        layer["layers"] = [_plain(inner, size) for inner in row.inside]
    return layer


def _value_bytes(run: "Run") -> int:
    """Bytes of one output of a layer for a batch: the value and its gradient for each row."""
    return int(2 * run.plan.batch_size * run.network.dtype.itemsize)


def _frozen(run: "Run") -> list[str]:
    vector = run.network.vector
    frozen = len(vector) - vector.trainable.stop
    return [f"frozen: {frozen:,} of {len(vector):,} parameters are not trained"] if frozen else []


def _snapshots(run: "Run") -> list[str]:
    from nettrain.cli.render_model import size

    count, each = _snapshot_sizes(run)
    if not count:
        return []
    return [f"snapshots: {count:,} files of {size(each)}, {size(count * each)} on disk"]


def _snapshot_sizes(run: "Run") -> tuple[int, int]:
    """How many snapshots the whole run writes, and the bytes of each."""
    from nettrain.training.artifacts.snapshots import snapshot_bytes, snapshot_count

    training = run.config.training
    if training.snapshots is None:
        return 0, 0
    return snapshot_count(training.epochs, training.snapshots), snapshot_bytes(run.weights())


def _memory(run: "Run") -> str:
    """An estimate: weights, gradient, optimizer state; layer outputs and gradients of a batch."""
    from nettrain.cli.render_model import size
    from nettrain.nn.summary import summarize

    weights = len(run.network.vector) * run.network.dtype.itemsize * 2 + sum(
        array.nbytes for array in run.update.slots.values()
    )
    outputs = sum(
        row.values for row in summarize(run.network.layers, run.network.input_shape)
    ) * _value_bytes(run)
    batch = f"{size(outputs)} for a batch of {run.plan.batch_size} rows"
    return f"{size(weights)} for weights, gradient and optimizer, {batch}"
