"""The benchmarks run, print what they promise, and time what they say."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from nettrain.component import to_mapping
from nettrain.config.load import load
from nettrain.nn.architecture import Architecture
from nettrain.nn.bound_layer import bind
from nettrain.nn.layer import Layer

FOLDER = Path(__file__).parents[1] / "benchmarks"
WORKLOADS = runpy.run_path(str(FOLDER / "workloads.py"))["WORKLOADS"]


def layers_of(work):
    """The layer list of a network of images."""
    layers = []
    for block in work.convolutions:
        for filters in block:
            layers.append(
                {"type": "conv", "filters": filters, "padding": "same" if work.same else "valid"}
            )
            layers += ["batch_norm", "relu"] if work.same else ["relu"]
        layers.append("max_pool")
    layers.append("flatten")
    for units in work.sizes[1:-1]:
        layers += [{"type": "dense", "units": units}, "relu"]
    return [*layers, "dense"]


def printed(script, *arguments):
    done = subprocess.run(
        [sys.executable, FOLDER / script, *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_step_is_timed_as_the_command_promises():
    pytest.importorskip("numba")
    found = printed("step.py", "small", "--epochs", "1", "--threads", "1", "--kernels", "numba")
    assert list(found) == [
        "workload",
        "kernels",
        "ms_per_step",
        "median",
        "cpu_ms",
        "gflops",
        "peak_share",
        "peak_rss_mb",
    ]
    assert (found["workload"], found["kernels"]) == ("small", "numba") and found[
        "ms_per_step"
    ] == found["median"] > 0
    products = 32 * (3 * 2 * (64 * 64 + 64 * 32 + 32 * 10) - 2 * 64 * 64)
    rate = products / found["ms_per_step"] / 1e6
    assert found["gflops"] == pytest.approx(rate, rel=0.01, abs=0.06)  # it has one decimal


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_file_of_a_workload_says_what_its_peers_are_given(name):
    work, config = WORKLOADS[name], load(FOLDER / "workloads" / f"{name}.yaml")
    assert (config.training.batch_size, config.training.epochs) == (work.batch_size, work.epochs)
    if work.table is not None:  # at its defaults, as its peer
        assert config.model == Architecture.parse(work.table)
        return
    if work.image is None:
        assert [64 if name == "small" else 784, *config.model.hidden, 10] == list(work.sizes)
    elif work.widths:
        assert (config.model.widths, config.model.blocks) == (work.widths, work.blocks)
        flat = bind(config.model.expand(work.image, 10, 0)[:-1], work.image)[-1]
        assert flat.output_shape == work.sizes[:1]
    else:
        assert [to_mapping(layer) for layer in config.model.layers] == [
            to_mapping(Layer.parse(layer)) for layer in layers_of(work)
        ]
        flat = bind(config.model.expand(work.image, 10, 0)[:-3], work.image)[-1]
        assert flat.output_shape == work.sizes[:1]
    assert (config.optimizer.name(), config.optimizer.lr) == (work.optimizer, work.lr)


def test_a_planted_allocation_is_found(tmp_path):
    (tmp_path / "planted.py").write_text(
        "import runpy, sys\nfrom nettrain.training.engine import batch\nbatch.Batch.__len__ = lambda self: len(self.x.copy())\n"
        f"sys.argv = ['memory.py', 'small', '--early', '60', '--steps', '120']\nsys.path.insert(0, {str(FOLDER)!r})\n"
        f"runpy.run_path({str(FOLDER / 'memory.py')!r}, run_name='__main__')\n"
    )
    found = printed(tmp_path / "planted.py")
    assert max(found["allocated_by"].values()) > 32 * 64 * 4 and found["step_bytes"] > 32 * 64 * 4


def test_a_step_allocates_no_array():
    found = printed("memory.py", "small", "--early", "60", "--steps", "120")
    assert found["allocated_by"] == {}
    assert found["step_bytes"] < 4000  # the batch alone has 32 x 64 x 4 bytes


@pytest.mark.slow
def test_memory_after_100000_steps_is_that_after_1000():
    assert abs(printed("memory.py", "small")["growth"]) < 0.01
