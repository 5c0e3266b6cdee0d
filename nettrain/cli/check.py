"""`nettrain check`: validate a configuration against its data, and show the model layer by layer, before anything is trained."""
import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nettrain.cli.options import AllowPlugins, ConfigPath, Json, Sets
from nettrain.cli.output import console, print_json, say

if TYPE_CHECKING:
    from nettrain.nn.network import Network
    from nettrain.training.run import Run


def check(config: ConfigPath, sets: Sets = None, allow_plugins: AllowPlugins = False, json: Json = False) -> None:
    """Validate CONFIG, load its data, and show every layer with its shape and size. Writes nothing."""
    describe(config, sets or [], allow_plugins=allow_plugins, json=json)
    if not json:
        say(f"next: nettrain fit {shlex.quote(str(config))}")


def describe(config: Path, sets: list[str], *, allow_plugins: bool, json: bool) -> None:
    """What `check` shows, and `fit --dry-run`."""
    from nettrain.config.load import load, located

    loaded = load(config, sets, allow_plugins=allow_plugins)  # before training is imported: a mistake is told at once
    from nettrain.training.train import prepare_run

    with located(config, sets):
        run = prepare_run(loaded, allow_plugins=allow_plugins)
    layers = layer_rows(run.network)
    total = len(run.network.vector)
    if json:
        print_json({"parameters": total, "layers": [{key: row[key] for key in row if key != "flops"} for row in layers]})
        return
    from nettrain.cli.render import layer_table

    console().print(layer_table(layers, total))
    for note in [*run.prepared.notes, f"loss: {run.loss.name()}", *_frozen(run), f"memory: {_memory(run)}"]:
        say(note)


def layer_rows(network: "Network") -> list[dict[str, Any]]:
    """What is shown of each layer."""
    return [
        {
            "name": placed.name,
            "type": placed.layer.name(),
            "output_shape": list(placed.output_shape),
            "parameters": placed.size,
            "flops": placed.layer.flops(placed.input_shape),
        }
        for placed in network.placed
    ]


def _frozen(run: "Run") -> list[str]:
    vector = run.network.vector
    frozen = len(vector) - vector.trainable.stop
    return [f"frozen: {frozen:,} of {len(vector):,} parameters stay as they are"] if frozen else []


def _memory(run: "Run") -> str:
    """What training holds at once, roughly: weights, gradient, optimizer state; every layer's outputs and their gradients for a batch."""
    size = run.network.dtype.itemsize
    weights = len(run.network.vector) * size * 2 + sum(array.nbytes for array in run.update.slots.values())
    outputs = sum(math.prod(placed.output_shape) for placed in run.network.placed) * run.batch_size * size * 2
    return f"{_bytes(weights)} for weights, gradient and optimizer, {_bytes(outputs)} for a batch of {run.batch_size} rows"


def _bytes(count: int) -> str:
    power = min(int(math.log10(max(count, 1))) // 3, 3)
    return f"{count / 1000**power:.3g} {('bytes', 'KB', 'MB', 'GB')[power]}"
