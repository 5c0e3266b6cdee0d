"""Executors on one machine: the same results wherever a run is made, every way to end told, nothing left behind."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.component import to_mapping
from nettrain.config.load import load
from nettrain.errors import ConfigError, DataError, Diverged, RunError
from nettrain.search.executors.base import DatasetInfo, Ended, Job, Reported
from nettrain.search.executors.job import describe_failure
from nettrain.search.executors.local import CRASHES, KILLS, Local
from nettrain.search.executors.registry import executor_for

KINDS = ("serial", "local")


@pytest.fixture
def job(tmp_path):
    def make(
        index=0,
        monitor="validation_accuracy",
        held_out=(),
        pause=0.0,
        plugin=None,
        faulty=None,
        **changes,
    ):
        config = {
            "dataset": {
                "source": {"type": "xor", "rows": 40},
                "split": {"validation": 0.25, "test": 0.25},
            },
            "model": {"type": "mlp", "hidden": [3]},
            "training": {"epochs": 3, "batch_size": 8},
        }
        if plugin is not None:
            config |= {
                "plugins": [plugin],
                "model": {"type": "mlp", "hidden": [3], "activation": {"type": "faulty", **faulty}},
            }
        config |= changes
        return Job(
            index,
            to_mapping(load(config, allow_plugins=True)),
            str(tmp_path / "runs"),
            f"{index:03}",
            monitor,
            pause,
            held_out,
            allow_plugins=True,
        )

    return make


def all_events(executor, jobs, answer=lambda event: None, wait=240.0):
    """Make the jobs, as many at a time as there are slots; every event in turn."""
    jobs, events, running = list(jobs), [], 0
    last = time.monotonic() + wait
    while jobs or running:
        while jobs and running < executor.slots:
            executor.submit(jobs.pop(0))
            running += 1
        event = executor.next_event(1.0)
        assert time.monotonic() < last, events
        if event is not None:
            events.append(event)
            running -= isinstance(event, Ended)
            answer(event)
    return events


def ended(events):
    return {event.index: event for event in events if isinstance(event, Ended)}


def without_seconds(result):
    return {key: value for key, value in result.items() if key not in ("seconds", "run_directory")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_elsewhere_is_the_run_that_train_makes(job, kind, tmp_path):
    with executor_for(kind, 1) as executor:
        found = ended(all_events(executor, [job(0)]))[0]
    expected = nettrain.train(job(0).config, output_directory=tmp_path / "here")
    assert (found.status, found.message) == ("finished", "")
    assert without_seconds(found.result) == json.loads(
        json.dumps(without_seconds(expected.summary()))
    )
    there = tmp_path / "runs" / "000"
    assert (there / "config.yaml").read_text() == (
        tmp_path / "here" / "run" / "config.yaml"
    ).read_text()
    again = nettrain.train(there / "config.yaml", output_directory=tmp_path / "again")
    assert again.metrics == expected.metrics


@pytest.mark.usefixtures("cold")
def test_every_kind_of_executor_gives_the_same_results(job, tmp_path):
    found = []
    for kind, slots in (("serial", 1), ("local", 1), ("local", 3)):
        with executor_for(kind, slots) as executor:
            events = ended(all_events(executor, [job(index, seed=index) for index in range(5)]))
            found.append([without_seconds(events[index].result) for index in range(5)])
    assert found[0] == found[1] == found[2]
    assert len({json.dumps(result) for result in found[0]}) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_every_epoch_is_reported_in_turn(job, kind):
    with executor_for(kind, 1) as executor:
        events = all_events(executor, [job(0)])
    assert [(event.epoch, type(event)) for event in events[:-1]] == [
        (1, Reported),
        (2, Reported),
        (3, Reported),
    ]
    rows = [
        json.loads(line)
        for line in (Path(job(0).parent) / "000" / "metrics.jsonl").read_text().splitlines()
    ]
    assert [event.value for event in events[:-1]] == [row["validation_accuracy"] for row in rows]


@pytest.mark.parametrize("kind", KINDS)
def test_reports_keep_their_pause(job, kind):
    with executor_for(kind, 1) as executor:
        events = all_events(executor, [job(0, pause=60.0)])
    assert [event.epoch for event in events if isinstance(event, Reported)] == [1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_given_up_ends_after_its_next_epoch(job, kind):
    with executor_for(kind, 1) as executor:

        def answer(event):
            if isinstance(event, Reported) and (event.index, event.epoch) == (0, 2):
                executor.prune(0)

        found = ended(
            all_events(
                executor, [job(0, training={"epochs": 100_000, "batch_size": 8}), job(1)], answer
            )
        )
    assert found[0].status == "pruned" and 2 <= found[0].result["epochs"] < 100_000
    assert found[0].result["stop_reason"] == "pruned"
    assert found[1].status == "finished"


@pytest.mark.parametrize("kind", KINDS)
def test_held_out_parts_are_not_evaluated(job, kind):
    with executor_for(kind, 1) as executor:
        found = ended(all_events(executor, [job(0, held_out=("test",)), job(1)]))
    assert [sorted(found[index].result["metrics"]) for index in range(2)] == [
        ["train", "validation"],
        ["test", "train", "validation"],
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_there_already_is_made_again(job, kind):
    there = Path(job(0).parent) / "000"
    (there / "checkpoints").mkdir(parents=True)
    (there / "half").write_text("of an earlier attempt")
    with executor_for(kind, 1) as executor:
        assert ended(all_events(executor, [job(0)]))[0].status == "finished"
    assert not (there / "half").exists() and (there / "summary.json").exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("changes", "status", "said"), [
    ({"optimizer": {"type": "sgd", "lr": 1e30}, "loss": "mse", "dataset": {"source": "sine"}}, "diverged", "diverged in epoch"),
    ({"model": {"type": "mlp", "hidden": [10**6, 10**6]}}, "out_of_memory", "out of memory: model: "),
    ({"dataset": {"source": {"type": "csv", "path": "none.csv", "target": "y"}}}, "failed", "none.csv: no such file"),
    ({"loss": "mse"}, "failed", "loss: mse is for regression"),
])  # fmt: skip
def test_what_goes_wrong_is_told_and_the_next_run_is_made(job, kind, changes, status, said):
    monitor = None if "dataset" in changes else "validation_accuracy"
    with executor_for(kind, 1) as executor:
        found = ended(all_events(executor, [job(0, monitor, **changes), job(1)]))
    assert found[0].status == status and said in found[0].message and found[0].result is None
    assert found[1].status == "finished"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("how", "status", "said"), [
    ("memory", "out_of_memory", "out of memory"),
    ("fault", "failed", "ZeroDivisionError: by zero"),
])  # fmt: skip
def test_code_that_fails_is_told(job, kind, how, status, said, faulty):
    with executor_for(kind, 1) as executor:
        found = ended(all_events(executor, [job(0, plugin=faulty, faulty={"how": how}), job(1)]))
    assert found[0].status == status and said in found[0].message
    assert found[1].status == "finished"


@pytest.mark.parametrize(("how", "status", "times", "said"), [
    ("kill", "killed", KILLS, "its process ended with signal SIGKILL, 5 times; if nobody killed it, the machine is short of memory"),
    ("abort", "failed", CRASHES, "its process ended with signal SIGABRT, 2 times"),
    ("exit", "failed", CRASHES, "its process ended with exit code 3, 2 times"),
])  # fmt: skip
def test_a_run_that_ends_its_process_each_time_is_given_up(
    job, how, status, times, said, faulty, tmp_path
):
    counted = tmp_path / "times"
    wrong = job(0, plugin=faulty, faulty={"how": how, "times": str(counted)})
    with Local(2) as executor:
        found = ended(all_events(executor, [wrong, *(job(index) for index in (1, 2, 3))]))
    assert (found[0].status, found[0].message) == (status, said)
    assert len(counted.read_text()) == times
    assert [found[index].status for index in (1, 2, 3)] == ["finished"] * 3


def test_a_run_whose_worker_is_killed_is_made_again(job, faulty, tmp_path):
    with Local(2) as executor:
        killed = job(
            0,
            plugin=faulty,
            faulty={"how": "kill", "times": str(tmp_path / "times"), "most": KILLS - 1},
        )
        found = ended(all_events(executor, [killed, job(1, plugin=faulty, faulty={"how": "well"})]))
    assert [found[index].status for index in range(2)] == ["finished", "finished"]
    assert (
        without_seconds(found[0].result)["metrics"] == without_seconds(found[1].result)["metrics"]
    )


def test_when_the_process_that_forks_is_killed_another_takes_its_place(job, children):
    def answer(event):
        if isinstance(event, Reported) and not killed:  # the first: two jobs have not begun
            killed.append(children())
            os.kill(executor._process.pid, signal.SIGKILL)

    killed = []
    with Local(2) as executor:
        executor.prepare(job(0).config, "validation_accuracy")
        found = ended(all_events(executor, [job(index, seed=index) for index in range(4)], answer))
        assert not set(killed[0]) & set(children())
    assert [found[index].status for index in range(4)] == ["finished"] * 4
    assert children() == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_data_is_told_before_the_first_run(job, kind):
    with executor_for(kind, 1) as executor:
        assert executor.prepare(job(0).config, "validation_f1") == DatasetInfo(
            "classification", {"train": 20, "validation": 10, "test": 10}
        )
        with pytest.raises(
            ConfigError, match=r"metric.name: validation_r2 is no metric of classification"
        ):
            executor.prepare(job(0).config, "validation_r2")
        with pytest.raises(DataError, match=r"none.csv: no such file"):
            executor.prepare(
                job(
                    0, dataset={"source": {"type": "csv", "path": "none.csv", "target": "y"}}
                ).config
            )
        assert ended(all_events(executor, [job(0)]))[0].status == "finished"


def test_data_that_is_loaded_before_is_not_loaded_again(job, tmp_path):
    rows = "".join(f"{i % 7},{i % 2}\n" for i in range(40))
    (tmp_path / "a.csv").write_text(f"x,y\n{rows}")
    source = {
        "source": {"type": "csv", "path": str(tmp_path / "a.csv"), "target": "y"},
        "split": {"validation": 0.25},
    }
    with Local(2) as executor:
        executor.prepare(job(0, dataset=source).config)
        (tmp_path / "a.csv").unlink()
        found = ended(
            all_events(executor, [job(index, dataset=source, seed=0) for index in range(3)])
        )
    assert [found[index].status for index in range(3)] == ["finished"] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_closing_ends_what_is_under_way(job, kind, children):
    threads = threading.active_count()
    with executor_for(kind, 1) as executor:
        executor.submit(job(0, training={"epochs": 10**9, "batch_size": 8}))
        assert isinstance(executor.next_event(120.0), Reported)
        began = time.monotonic()
    assert time.monotonic() - began < 60.0
    assert children() == [] and threading.active_count() == threads


def test_closing_does_not_wait_for_a_run_that_hangs(job, faulty, children):
    began = time.monotonic()
    with Local(2) as executor:
        executor.submit(job(0, plugin=faulty, faulty={"how": "hang"}))
        assert executor.next_event(1.0) is None
    assert time.monotonic() - began < 60.0 and children() == []


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere a worker looks for its parent after each epoch only"
)
def test_a_worker_that_hangs_ends_with_the_process_that_forked_it(
    job, faulty, children, gone, tmp_path
):
    counted = tmp_path / "times"
    with Local(1) as executor:
        executor.submit(job(0, plugin=faulty, faulty={"how": "hang", "times": str(counted)}))
        while not counted.exists():
            assert executor.next_event(0.05) is None
        server, worker = children()
        assert server == executor._process.pid
        os.kill(server, signal.SIGKILL)
        gone([worker])


ORPHAN = """
import json, os, sys, time
from nettrain.search.executors.base import Job, Reported
from nettrain.search.executors.local import Local

executor = Local(2)
for index in range(2):
    executor.submit(Job(index, json.loads(sys.argv[1]), sys.argv[2], f"{index:03}", "train_loss"))
heard = set()
while len(heard) < 2:
    event = executor.next_event()
    assert isinstance(event, Reported), event
    heard.add(event.index)
print("under way", flush=True)
time.sleep(1000)
"""


def test_the_processes_of_a_parent_that_is_killed_end_themselves(job, children, gone, tmp_path):
    config = json.dumps(job(0, training={"epochs": 10**9, "batch_size": 8}).config)
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHAN, config, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout.readline() == "under way\n"
        found = children(parent.pid)
        assert len(found) == 3  # the fork server and two workers
        parent.kill()
    gone(found)


@pytest.mark.usefixtures("cold")
@pytest.mark.parametrize("when", ["before prepare", "after prepare", "with a job"])
def test_a_fork_server_that_is_killed_before_it_has_begun_is_started_again(job, when):
    with Local(1) as executor:
        if when == "with a job":
            executor.submit(job(0))
        executor._process.kill()
        if when == "before prepare":
            executor._process.wait()
        if when != "with a job":
            assert executor.prepare(job(0).config).rows["train"] == 20
            executor.submit(job(0))
        while not isinstance(event := executor.next_event(120.0), Ended):
            assert event is not None
        assert event.status == "finished"


def test_a_fork_server_that_is_always_killed_is_told(monkeypatch, tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nkill -9 $$\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with (
        Local(1) as executor,
        pytest.raises(RunError, match="starts workers was killed 5 times; if nobody"),
    ):
        executor.prepare({})


def test_a_fork_server_that_cannot_begin_is_told(monkeypatch, tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho first\necho no memory left >&2\nexit 7\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with Local(1) as executor, pytest.raises(RunError) as caught:
        executor.next_event(120.0)
    assert (
        str(caught.value)
        == "the process that starts workers ended with code 7 before it began: no memory left"
    )


def caused_by(error, cause):
    error.__cause__ = cause
    return error


def while_handling(error, handled):
    """As `raise error from None` in an `except` leaves it."""
    error.__context__, error.__suppress_context__ = handled, True
    return error


@pytest.mark.parametrize(("error", "expected"), [
    (Diverged("diverged in epoch 1"), ("diverged", "diverged in epoch 1")),
    (MemoryError(), ("out_of_memory", "out of memory")),
    (MemoryError("1 TiB"), ("out_of_memory", "out of memory: 1 TiB")),
    (ConfigError(["a", "b"]), ("failed", "a\nb")),
    (OSError(errno.EIO, "it fails", "a.csv"), ("system_error", "OSError: [Errno 5] it fails: 'a.csv'")),
    (caused_by(RunError("a: the disk is full"), OSError(errno.ENOSPC, "")), ("system_error", "a: the disk is full")),
    (while_handling(DataError("a: cannot be read"), OSError(errno.EMFILE, "")), ("system_error", "a: cannot be read")),
    (while_handling(DataError("a: no such file"), OSError(errno.ENOENT, "")), ("failed", "a: no such file")),
])  # fmt: skip
def test_a_failure_has_its_name(error, expected):
    assert describe_failure(error) == expected


def test_a_fault_of_ours_is_told_with_its_place():
    try:
        _ = 1 / 0
    except ZeroDivisionError as error:
        status, message = describe_failure(error)
    assert (
        status == "failed"
        and message.startswith("ZeroDivisionError: division by zero (")
        and "test_executors.py:" in message
    )


@pytest.mark.parametrize(("name", "workers", "said"), [
    ("lokal", None, "executor 'lokal' does not exist; did you mean 'local'?"),
    ("local:8", None, "executor 'local:8': local runs on this machine and takes no address; leave ':8' out"),
    ("local", 0, "workers: expected a whole number from 1 to 1024, got 0"),
    ("serial", 2, "workers: the executor serial makes one run at a time, it cannot have 2"),
])  # fmt: skip
def test_an_executor_that_cannot_be_is_told(name, workers, said):
    with pytest.raises(ConfigError) as caught:
        executor_for(name, workers)
    assert str(caught.value).startswith(said)


def test_where_nothing_can_be_forked_another_executor_is_named(monkeypatch):
    monkeypatch.delattr(os, "fork")
    with pytest.raises(
        ConfigError,
        match="executor local: this system cannot fork processes; use --executor serial, or dask",
    ):
        executor_for("local")


def test_a_worker_that_inherits_threads_can_still_load(job, tmp_path):
    """Polars has threads of its own, which a fork does not copy: reading in the fork would wait for ever."""
    polars = pytest.importorskip("polars")
    sources = []
    for name, count in (("a", 40), ("b", 60)):
        polars.DataFrame(
            {"x": [float(i % 7) for i in range(count)], "y": [i % 2 for i in range(count)]}
        ).write_parquet(tmp_path / name)
        sources.append(
            {
                "source": {"type": "parquet", "path": str(tmp_path / name), "target": "y"},
                "split": {"validation": 0.25},
            }
        )
    with Local(1) as executor:
        executor.prepare(job(0, dataset=sources[0]).config)
        found = ended(
            all_events(
                executor, [job(index, dataset=sources[index % 2], seed=0) for index in range(4)]
            )
        )
    assert [found[index].status for index in range(4)] == ["finished"] * 4
    for index in range(4):
        rows = np.load(Path(job(index).parent) / f"{index:03}" / "splits.npz")
        assert sum(len(rows[part]) for part in rows) == (40, 60)[index % 2]
