"""Training in several processes: the weights of one, bit for bit, whatever their number; and what they must agree in.

The processes are threads that exchange arrays in memory; test_mpi.py does the same with MPI.
"""

import sys
import threading
from itertools import cycle

import numpy as np
import pytest
from thread_group import ThreadGroup, in_processes

from nettrain import streams
from nettrain.errors import ConfigError, RunError
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.callbacks import Callback
from nettrain.training.distributed import agreement, mpi
from nettrain.training.distributed.group import FailedTogether, PeersLost
from nettrain.training.engine.distributed_partition import shares
from nettrain.training.engine.tree_sum import additions
from nettrain.training.loop import Interrupted
from nettrain.training.resume import resume
from nettrain.training.train import train

SIZES = (1, 2, 3)
generator = streams.generator(0, "distributed")
X = generator.normal(size=(50, 6))
Y = np.array(["a", "b", "c"])[(X @ generator.normal(size=(6, 3))).argmax(axis=1)]


MODELS = {
    "plain": {"type": "mlp", "hidden": [8, 8]},
    "batch norm": {"type": "mlp", "hidden": [8, 5], "batch_norm": True},
    "members": {"type": "tabular", "hidden": [5], "embedding": 2, "bins": 4, "members": 3},
}
# 27 training rows in batches of 8: the last one has fewer rows than shards.
BASE = {
    "dataset": {"source": "memory", "split": {"validation": 0.3, "test": 0.1}},
    "training": {"epochs": 3, "batch_size": 8, "shards": 5, "kernels": "numpy"},
}


def config(model="plain", **changes):
    made = BASE | {"model": MODELS[model]}
    for key, value in changes.items():
        made[key] = made.get(key, {}) | value if isinstance(value, dict) else value
    return made


CONFIGS = {
    "plain": config(),
    "batch norm": config("batch norm"),
    "members": config("members"),
    "dropout": config(regularization={"dropout": 0.3}),
    "compiled": config(
        "batch norm", regularization={"dropout": 0.3}, training={"kernels": "numba"}
    ),
    "accumulation": config("batch norm", training={"accumulate": 2}),
    "clipping, ema": config(training={"clip_norm": 0.1, "ema": 0.9}),
    "swa": config("batch norm", training={"swa": {"start": 2}}),
    "weights": config(training={"class_weights": "balanced"}),
    "plateau": config(schedule={"type": "plateau", "patience": 1, "threshold": 0.5}),
    "early stopping": config(early_stopping={"patience": 1, "min_delta": 1.0}),
    "refine": config(training={"refine": True}),
    "lbfgs": config(optimizer="lbfgs", training={"batch_size": None}),
    "diagnostics": config(diagnostics=True),
}


def trained(path, size, settings, callbacks=(), **options):
    def run(group):
        return train(
            settings, (X, Y), output_directory=path, threads=1, group=group, callbacks=callbacks
        )

    results = in_processes(size, run, **options)
    assert len({result.run_directory for result in results}) == 1
    return results[0]


@pytest.mark.parametrize(("name", "sizes"), [*zip(CONFIGS, cycle([(1, 3), (2, 3)]), strict=False)])
def test_any_number_of_processes_gives_the_same_bits(name, sizes, tmp_path, figures):
    if name == "compiled":
        pytest.importorskip("numba")
    train(CONFIGS[name], (X, Y), output_directory=tmp_path / "0", threads=1)
    expected = figures(tmp_path / "0" / "run")
    for size in sizes:
        trained(tmp_path / str(size), size, CONFIGS[name])
        assert figures(tmp_path / str(size) / "run") == expected


class Stop(Callback):
    """In one process, after a number of steps: asks to stop as a signal does, or fails as a process that is killed."""

    def __init__(self, rank, steps, kill):
        self.rank, self.steps, self.kill = rank, steps, kill

    def batch_end(self, run):
        if run.group.rank == self.rank and run.update.steps == self.steps:
            if self.kill:
                raise KeyboardInterrupt
            run.group.signalled = lambda: 15


@pytest.mark.parametrize("kill", [False, True])
@pytest.mark.parametrize("stopped", [0, 2])
def test_a_run_that_one_process_ends_is_resumed_by_another_number_of_them(
    tmp_path, figures, every_epoch, stopped, kill
):
    settings = config("batch norm", regularization={"dropout": 0.3}, training={"ema": 0.9})
    train(settings, (X, Y), output_directory=tmp_path / "0", threads=1)
    with pytest.raises(KeyboardInterrupt if kill else Interrupted):
        trained(tmp_path / "1", 3, settings, callbacks=[Stop(stopped, 7, kill)])
    path = tmp_path / "1" / "run"
    assert Checkpoint.read(path / "checkpoints/last.safetensors").content["steps"] == (
        4 if kill else 8
    )
    in_processes(2, lambda group: resume(path, (X, Y), threads=1, group=group))
    expected, found = figures(tmp_path / "0" / "run"), figures(path)
    for name in ("last.content",):
        expected[name].pop("user_callbacks"), found[name].pop("user_callbacks")
    assert found == expected


def test_waiting_for_a_process_that_has_ended_leaves_a_checkpoint_of_the_last_step(
    tmp_path, figures
):
    class Lost(ThreadGroup):
        def exchange(self, sent, received):
            self.calls = getattr(self, "calls", 0) + 1
            if self.calls == 7:
                raise PeersLost(2)
            super().exchange(sent, received)

    settings = config("batch norm")
    train(settings, (X, Y), output_directory=tmp_path / "0", threads=1)
    with pytest.raises(Interrupted, match="epoch 1, batch 3 of 4") as caught:
        trained(tmp_path / "1", 2, settings, kind=Lost)
    assert caught.value.exit_code == 130
    path = tmp_path / "1" / "run"
    resume(path, (X, Y), threads=1)
    assert figures(path) == figures(tmp_path / "0" / "run")


@pytest.mark.parametrize("name", ["accumulation", "lbfgs"])
def test_no_checkpoint_is_made_within_a_step_that_has_changed_something(name, tmp_path):
    class Lost(ThreadGroup):
        calls = 0

        def exchange(self, sent, received):
            self.calls += 1
            if self.calls == 3:
                raise PeersLost(15)
            super().exchange(sent, received)

    with pytest.raises(Interrupted):
        trained(tmp_path, 2, CONFIGS[name], kind=Lost)
    assert not (tmp_path / "run" / "checkpoints" / "last.safetensors").exists()


@pytest.mark.parametrize("count", range(1, 20))
@pytest.mark.parametrize("size", range(1, 8))
def test_every_addition_is_made_once_and_every_shard_contributed_once(count, size):
    divided = shares(count, size)
    assert [shard for own in divided.contributed for shard in own] == list(range(count))
    made = [one for found in divided.alone for one in found] + list(divided.last)
    assert sorted(made) == sorted(additions(count))
    terms = {shard: {shard} for shard in range(count)}
    for one in made:
        terms[one.into] |= terms.pop(one.other)
    assert terms == {0: set(range(count))}


DIFFERENT = {
    "more processes than shards": (
        {"settings": lambda rank: config(training={"shards": 2})},
        ConfigError,
        r"training.shards: 3 processes divide a batch, which has 2 shards: set training.shards to 3",
    ),
    "configurations": (
        {"settings": lambda rank: config(training={"epochs": 3 + (rank == 1)})},
        RunError,
        r"do not train the same run:\n  configuration: \w+ \(process 0, 2 on .*\); \w+ \(process 1 ",
    ),
    "data": (
        {"data": lambda rank: (X + (rank == 1), Y)},
        RunError,
        r"do not train the same run:\n(  configuration.*\n)?  data: \w+ \(process 0, 2",
    ),
    "a file that is missing": (
        {"settings": lambda rank: config(initialize_from="none") if rank == 2 else config()},
        FailedTogether,
        "process 2: initialize_from: .*none: does not exist",
    ),
    "a mistake that all have": (
        {"settings": lambda rank: config(optimizer="adm")},
        ConfigError,
        "^optimizer: optimizer 'adm' does not exist; did you mean 'adam'",
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_processes_that_do_not_agree_do_not_begin(name, tmp_path):
    given, error, message = DIFFERENT[name]
    settings, data = (
        given.get("settings", lambda rank: config()),
        given.get("data", lambda rank: (X, Y)),
    )

    def run(group):
        return train(settings(group.rank), data(group.rank), output_directory=tmp_path, group=group)

    with pytest.raises(error, match=message):
        in_processes(3, run)
    assert not list(tmp_path.iterdir())


def test_processes_that_round_differently_begin_only_where_that_is_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr(
        agreement, "rounding", lambda kernels: {"BLAS": threading.current_thread().name}
    )
    with pytest.raises(
        RunError, match=r"(?s)round differently:\n  BLAS: .*\(process 0 on .*OPENBLAS_CORETYPE"
    ):
        trained(tmp_path, 2, config())
    trained(tmp_path, 2, config(), allows_different_bits=True)


def test_weights_that_differ_end_the_run_or_are_set_to_those_of_the_first_process(tmp_path):
    class Drift(Callback):
        def batch_end(self, run):
            if run.group.rank == 1 and run.update.steps == 6:
                run.network.vector.values[3] += 1e-6

    with pytest.raises(RunError, match="process 1 has other weights than process 0 after epoch 2"):
        trained(tmp_path, 3, config(), callbacks=[Drift()])
    trained(tmp_path, 3, config(), callbacks=[Drift()], allows_different_bits=True)


class Exchanged:
    """Stands for mpi4py.MPI in a process that is the only one."""

    class COMM_WORLD:
        size = 1

    @staticmethod
    def Get_library_version():
        return "Open MPI v5.0.11, package"


WITHOUT = {
    "mpi4py": (None, {}, r'mpi4py is not installed: pip install "nettrain\[mpi\]"'),
    "a launcher": (Exchanged, {}, "no launcher of MPI has started this process: mpirun -n 4 "),
    "its own launcher": (
        Exchanged,
        {"PMI_SIZE": "4"},
        r"4 processes were started \(PMI_SIZE\), but the MPI library of mpi4py \(Open MPI v5.0.11\) sees one",
    ),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_what_mpi_lacks_is_told(name, monkeypatch):
    module, environment, message = WITHOUT[name]
    monkeypatch.setitem(sys.modules, "mpi4py.MPI", module)
    for variable in mpi.LAUNCHERS:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=f"--distributed mpi: {message}"):
        mpi.MpiGroup()
