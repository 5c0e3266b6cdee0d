"""What processes must agree in before they train together: the same run, and the same bits."""

import hashlib
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

import numpy as np
from threadpoolctl import threadpool_info

from nettrain import streams
from nettrain.config.dump import dump
from nettrain.errors import ConfigError, RunError
from nettrain.training.distributed.group import ProcessGroup
from nettrain.training.run_plan import RunPlan
from nettrain.version import __version__

# Of the factors of the canary: some that fill whole blocks of a BLAS kernel, and some that do not.
SIZES = ((64, 784, 512), (33, 127, 65), (1, 1000, 10))


def check_agreement(plan: RunPlan, fingerprint: str, group: ProcessGroup) -> None:
    """Compare the processes.

    Args:
        plan: Of the run.
        fingerprint: Of its data.
        group: The processes.

    Raises:
        ConfigError: There are more processes than shards.
        RunError: Their configurations or data differ; or what rounds their numbers does, which the
            group does not allow.
    """
    if group.size == 1:
        return
    if plan.shards < group.size:
        raise ConfigError(
            f"training.shards: {group.size} processes divide a batch, which has {plan.shards} "
            f"shard{'s' * (plan.shards != 1)}: set training.shards to {group.size} or a multiple "
            "of it (results depend on the number of shards, not on that of processes), or start "
            "fewer processes"
        )
    same = {
        "configuration": digest([np.frombuffer(dump(plan.config).encode(), np.uint8)]),
        "data": fingerprint,
    }
    if told := _differences(same, group):
        raise RunError(f"--distributed: the processes do not train the same run:\n{told}")
    if group.allows_different_bits:
        return
    if told := _differences(rounding(plan.kernels), group):
        raise RunError(
            f"--distributed: the processes would round differently:\n{told}\n"
            "install the same versions everywhere, and set OPENBLAS_CORETYPE to the oldest of the "
            "processors for all; or go on with --allow-different-bits: then the weights are set to "
            "those of process 0 after each epoch, and another run will have other bits"
        )


def rounding(kernels: str) -> dict[str, str]:
    """What the bits of a step depend on beside configuration and data.

    Args:
        kernels: numpy or numba.
    """
    blas = [
        " ".join(str(library.get(key)) for key in ("internal_api", "version", "architecture"))
        for library in threadpool_info()
        if library.get("user_api") == "blas"
    ]
    found = {"nettrain": __version__, "NumPy": np.__version__, "BLAS": ", ".join(blas)}
    if kernels == "numba":
        found["Numba"] = f"{version('numba')} with llvmlite {version('llvmlite')}"
        found["processor"] = import_module("llvmlite.binding").get_host_cpu_name()
    return found | {"canary": canary()}


def canary() -> str:
    """A digest of products and functions of fixed numbers, as this processor rounds them."""
    draw = streams.generator(0, "canary")
    results: list[np.ndarray] = []
    for dtype in (np.float32, np.float64):
        for n, i, o in SIZES:
            x: np.ndarray = np.asarray(draw.normal(size=(n, i)), dtype)
            w: np.ndarray = np.asarray(draw.normal(size=(i, o)), dtype)
            y = x @ w
            results += [y, x.T @ y, y @ w.T, np.exp(-np.abs(y)), np.tanh(y), np.log1p(y * y)]
    return digest(results)


def digest(arrays: Sequence[np.ndarray]) -> str:
    """Of the bytes of arrays."""
    found = hashlib.blake2b(digest_size=8)
    for array in arrays:
        found.update(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
    return found.hexdigest()


def _differences(own: dict[str, str], group: ProcessGroup) -> str:
    """A line for each thing in which processes differ; "": there is none."""
    all_facts, places = group.gather_values(own), group.places()
    lines = []
    for name in own:
        ranks: dict[str, list[int]] = {}
        for rank, facts in enumerate(all_facts):
            ranks.setdefault(facts.get(name, "none"), []).append(rank)
        if len(ranks) > 1:
            told = [
                f"{value} (process {', '.join(map(str, of))} on {places[of[0]]})"
                for value, of in ranks.items()
            ]
            lines.append(f"  {name}: {'; '.join(told)}")
    return "\n".join(lines)
