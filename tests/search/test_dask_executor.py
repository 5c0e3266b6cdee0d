"""The executor of a cluster: the results of the others, a worker that dies costs its run's time, mistakes are told before the first run."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from nettrain.component import to_mapping
from nettrain.config.load import load, load_ensemble
from nettrain.errors import ConfigError, DataError, RunError
from nettrain.search.cv.cross_validation import cross_validate
from nettrain.search.ensembles.ensemble import ensemble
from nettrain.search.executors.base import Ended, Job, Reported
from nettrain.search.executors.registry import executor_for
from nettrain.search.sweep.sweep import sweep

pytest.importorskip("distributed", reason='needs pip install "nettrain[distributed]"')
import dask

from nettrain.search.executors.dask import cluster as dask_cluster
from nettrain.search.executors.dask import executor as dask_executor
from nettrain.search.executors.dask import worker as dask_worker
from nettrain.search.executors.dask.queue import queued

LONG = 3000  # epochs that take some seconds
SWEEP = """\
base:
  dataset: {source: {type: xor, rows: 40}, split: {validation: 0.25, test: 0.25}}
  model: {type: mlp, hidden: [3]}
  training: {epochs: 300, batch_size: 8}
parameters:
  optimizer.lr: {min: 0.0001, max: 0.1, distribution: log_uniform}
trials: 200
"""


@pytest.fixture
def job(tmp_path):
    def make(index=0, monitor="validation_loss", **changes):
        config = {
            "seed": index,
            "dataset": {"source": {"type": "xor", "rows": 40}, "split": {"validation": 0.25}},
            "model": {"type": "mlp", "hidden": [3]},
            "training": {"epochs": 3, "batch_size": 8},
        }
        return Job(
            index,
            to_mapping(load(config | changes)),
            str(tmp_path / "sweep" / "trials"),
            f"{index:03}",
            monitor,
        )

    (tmp_path / "sweep").mkdir()
    return make


@pytest.fixture(scope="module")
def cluster():
    with executor_for("dask", 2) as executor:
        yield executor


def events_of(executor, jobs, answer=lambda event: None, wait=240.0):
    jobs, events, running, last = list(jobs), [], 0, time.monotonic() + wait
    while jobs or running:
        while jobs and running < executor.slots:
            executor.submit(jobs.pop(0))
            running += 1
        event = executor.next_event(0.5)
        assert time.monotonic() < last, events
        if event is not None:
            events.append(event)
            running -= isinstance(event, Ended)
            answer(event)
    return events


def ended(events):
    return {event.index: event for event in events if isinstance(event, Ended)}


def told(event):
    """What does not depend on the clock or the place."""
    result = {
        key: value
        for key, value in (event.result or {}).items()
        if key not in ("seconds", "run_directory")
    }
    return event.index, event.status, event.message, result


def test_a_cluster_gives_the_results_of_this_process(cluster, job, tmp_path):
    diverging = job(3, optimizer={"type": "sgd", "lr": 1e30})
    jobs = [
        job(0),
        job(1),
        job(2),
        diverging,
        job(4, dataset={"source": {"type": "csv", "path": "/nowhere.csv"}}),
    ]
    there = events_of(cluster, jobs)
    with executor_for("serial") as executor:
        here = events_of(executor, jobs)
    assert [told(event) for _, event in sorted(ended(there).items())] == [
        told(event) for _, event in sorted(ended(here).items())
    ]
    assert [ended(there)[index].status for index in range(5)] == [
        "finished",
        "finished",
        "finished",
        "diverged",
        "failed",
    ]
    reported = [
        [(one.index, one.epoch, one.value) for one in events if isinstance(one, Reported)]
        for events in (there, here)
    ]
    assert sorted(reported[0]) == sorted(reported[1]) and len(reported[0]) >= 9
    assert sorted(entry.name for entry in (tmp_path / "sweep").iterdir()) == [".shared", "trials"]


def test_a_run_ends_after_the_epoch_in_which_it_is_pruned(cluster, job):
    def answer(event):
        if isinstance(event, Reported) and (event.index, event.epoch) == (0, 2):
            cluster.prune(event.index)

    events = events_of(
        cluster, [job(0, training={"epochs": LONG, "batch_size": 8}), job(1)], answer
    )
    pruned, other = ended(events)[0], ended(events)[1]
    assert (pruned.status, other.status) == ("pruned", "finished")
    assert 2 <= pruned.result["epochs"] < LONG and pruned.result["stop_reason"] == "pruned"


def test_what_keeps_a_configuration_from_being_trained_is_told_before_the_first_run(cluster, job):
    dataset_info = cluster.prepare(job().config, "validation_accuracy")
    assert (dataset_info.task, dataset_info.rows) == (
        "classification",
        {"train": 30, "validation": 10},
    )
    with pytest.raises(
        ConfigError, match=r"validation_acuracy is no metric.*did you mean 'accuracy'"
    ):
        cluster.prepare(job().config, "validation_acuracy")
    csv = {
        **job().config,
        "dataset": {**job().config["dataset"], "source": {"type": "csv", "path": "/nowhere.csv"}},
    }
    with pytest.raises((ConfigError, DataError), match=r"nowhere\.csv"):
        cluster.prepare(csv)


def test_each_worker_loads_the_data_once(cluster, job, tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("x,y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(40)))
    dataset = {
        "source": {"type": "csv", "path": str(file), "target": "y"},
        "split": {"validation": 0.25},
    }
    jobs = [job(index, seed=0, dataset=dataset) for index in range(6)]
    cluster.prepare(jobs[0].config)
    file.unlink()  # whoever reads it again fails
    assert [event.status for event in ended(events_of(cluster, jobs)).values()] == ["finished"] * 6


def test_storage_that_workers_do_not_share_is_told(cluster, job, tmp_path, monkeypatch):
    other = Job(0, job().config, str(tmp_path / "other"), "000")
    monkeypatch.setattr(
        dask_worker, "TOKEN", ".nowhere"
    )  # here only, so that workers look for another file
    cluster.submit(other)
    with pytest.raises(
        RunError, match=r"does not see this folder.*storage that all its machines share"
    ):
        cluster.next_event(60.0)
    while not isinstance(cluster._events.get(timeout=60.0), tuple):
        pass
    cluster._under_way.clear()


def test_a_worker_that_came_later_and_shares_no_storage_is_told(cluster, job, tmp_path):
    assert ended(events_of(cluster, [job(0)]))[0].status == "finished"
    (tmp_path / "sweep" / ".shared").unlink()  # what such a worker sees
    cluster.submit(job(1))
    with pytest.raises(RunError, match="does not see this folder"):
        cluster.next_event(60.0)
    cluster._under_way.clear()


@pytest.mark.parametrize("address", ["", ":8786", "host:port", "host:0", "host:70000"])
def test_an_address_that_is_none_is_told_at_once(address):
    with pytest.raises(ConfigError, match="expected dask:HOST:PORT"):
        executor_for(f"dask:{address}")


def test_an_address_at_which_nothing_answers_is_told_within_its_time(monkeypatch):
    monkeypatch.setattr(dask_cluster, "ANSWER", 1.0)
    began = time.monotonic()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(
            ConfigError,
            match=r"no Dask scheduler has answered within 1 s; start one with `dask scheduler`",
        ):
            executor_for(f"dask:127.0.0.1:{silent.getsockname()[1]}")
    with pytest.raises(ConfigError, match="no Dask scheduler has answered"):
        executor_for("dask:127.0.0.1:1")
    assert time.monotonic() - began < 15.0  # twice a second, not twice the ten of a user


def test_an_address_at_which_something_else_answers_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak():
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20)
                connection.recv(1)

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(
            ConfigError,
            match=r"what answers there is no Dask scheduler|no Dask scheduler has answered",
        ):
            executor_for(f"dask:127.0.0.1:{server.getsockname()[1]}")
        thread.join()


def test_without_the_package_the_command_that_installs_it_is_told(monkeypatch):
    for name in (
        "nettrain.search.executors.dask.executor",
        "nettrain.search.executors.dask.cluster",
        "nettrain.search.executors.dask.worker",
    ):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r'pip install "nettrain\[distributed\]"'):
        executor_for("dask")


def test_versions_that_differ_are_noted(cluster, monkeypatch):
    here = dask_worker.about()
    monkeypatch.setattr(cluster._cluster, "notes", [])
    cluster._cluster._compare()
    assert cluster._cluster.notes == []
    monkeypatch.setattr(dask_worker, "about", lambda: here | {"numpy": "1.0"})
    answers = {"tcp://a:1": here, "tcp://b:2": ModuleNotFoundError("nettrain")}
    monkeypatch.setattr(cluster._client, "run", lambda function, **kwargs: answers)
    with pytest.raises(ConfigError, match=r"tcp://b:2 cannot run nettrain .*pip install"):
        cluster._cluster._compare()
    assert [f"numpy {here['numpy']} (here 1.0)" in note for note in cluster._cluster.notes] == [
        True
    ]


def test_a_worker_of_several_threads_is_noted(cluster, monkeypatch):
    monkeypatch.setattr(cluster._cluster, "notes", [])
    monkeypatch.setattr(
        cluster._cluster,
        "workers",
        lambda: {"tcp://a:1": {"nthreads": 1}, "tcp://b:2": {"nthreads": 4}},
    )
    cluster._cluster._compare()
    (note,) = cluster._cluster.notes
    assert (
        note.startswith("the worker tcp://b:2 has 4 threads, and makes one run at a time")
        and "--nthreads 1 --nworkers 4" in note
    )


@pytest.mark.slow
def test_a_local_cluster_leaves_no_process(job, children, gone):
    with executor_for("dask", 2) as executor:
        executor.submit(job(0, training={"epochs": 100 * LONG, "batch_size": 8}))
        assert isinstance(executor.next_event(60.0), Reported)
        assert len(children()) >= 2
    gone(children())


def table(found):
    rows = [
        (trial.index, trial.parameters, trial.metric, trial.status, trial.best_epochs)
        for trial in found.trials
    ]
    return rows, found.best.index, found.test


def test_a_sweep_has_the_table_of_this_process(cluster, tmp_path):
    spec = yaml.safe_load(SWEEP) | {"trials": 6}
    spec["base"]["training"]["epochs"] = 4
    there = sweep(spec, output_directory=tmp_path / "there", executor=cluster)
    here = sweep(spec, output_directory=tmp_path / "here", executor="serial")
    assert table(there) == table(here)


def test_folds_and_ensembles_are_those_of_this_process_and_tell_what_is_to_be_known_of_the_workers(
    cluster, tmp_path, monkeypatch, seen
):
    monkeypatch.setattr(cluster, "notes", ["a worker has another version"])
    base = yaml.safe_load(SWEEP)["base"] | {"name": "xor"}
    base["training"]["epochs"] = 3
    observer = seen()
    with executor_for("serial") as serial:
        folds, members = [], []
        for executor, folder in ((cluster, tmp_path / "there"), (serial, tmp_path / "here")):
            found = cross_validate(
                load(base), folds=2, executor=executor, output_directory=folder, observer=observer
            )
            folds.append(found.mean)
            config = load_ensemble(base | {"ensemble": {"method": "bagging", "members": 2}})
            members.append(
                ensemble(
                    config, executor=executor, output_directory=folder, observer=observer
                ).metrics
            )
    assert folds[0] == folds[1] and members[0] == members[1]
    assert observer.notes == ["a worker has another version"] * 2


@pytest.fixture
def dask_at(tmp_path, monkeypatch):
    """A scheduler, and workers on demand; whoever asks them waits until they have begun."""
    monkeypatch.setattr(dask_cluster, "ANSWER", 120.0)
    started = []

    def start(*command):
        with open(tmp_path / f"log-{len(started)}", "w") as log:
            # A group of its own, so that what it starts can be ended with it.
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *command],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started.append(process)
        return process

    told = tmp_path / "scheduler.json"
    scheduler = start(
        "scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
        "--scheduler-file",
        told,
    )
    while not (told.exists() and told.read_text().endswith("}")):
        assert scheduler.poll() is None, (tmp_path / "log-0").read_text()
        time.sleep(0.05)
    address = json.loads(told.read_text())["address"].removeprefix("tcp://")
    common = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path))
    yield address, lambda *more: start("worker", address, *common, *more), scheduler
    for process in reversed(started):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_two_workers_of_a_scheduler_give_the_results_of_this_process_and_a_killed_one_costs_its_run_only(
    dask_at, job
):
    address, worker, _ = dask_at
    workers = [worker("--no-nanny"), worker("--no-nanny")]
    jobs = [
        job(index, training={"epochs": LONG // 3 if index < 2 else 100, "batch_size": 8})
        for index in range(8)
    ]
    killed, places = [], {}

    def answer(event):
        if isinstance(event, Reported):
            at = executor._under_way[event.index].worker
            places.setdefault(event.index, []).append(at)
            if event.index == 1 and event.epoch > 100 and not killed:
                pids = executor._client.run(os.getpid)
                killed.append(at)
                os.kill(pids[at], signal.SIGKILL)

    with executor_for(f"dask:{address}") as executor:
        deadline = time.monotonic() + 60.0
        while executor.slots < 2:
            assert executor.next_event(0.5) is None and time.monotonic() < deadline
        there = events_of(executor, jobs, answer)
        assert executor.slots == 1
    with executor_for("local", 2) as executor:
        here = events_of(executor, jobs)
    assert [told(event) for _, event in sorted(ended(there).items())] == [
        told(event) for _, event in sorted(ended(here).items())
    ]
    assert [event.status for event in ended(there).values()] == ["finished"] * 8
    again = [index for index, used in places.items() if len(set(used)) > 1]
    assert killed and again == [1]
    assert sum(process.poll() is not None for process in workers) == 1


@pytest.mark.slow
def test_a_sweep_on_two_workers_of_a_scheduler_has_the_table_of_the_local_one(dask_at, tmp_path):
    address, worker, _ = dask_at
    worker("--no-nanny")
    worker("--no-nanny")
    spec = yaml.safe_load(SWEEP) | {"trials": 30}
    spec["base"]["training"]["epochs"] = 20
    there = sweep(spec, output_directory=tmp_path / "there", executor=f"dask:{address}")
    here = sweep(spec, output_directory=tmp_path / "here", executor="local", workers=2)
    assert table(there) == table(here) and len(there.trials) == 30
    assert there.notes == here.notes
    assert not list((tmp_path / "there").rglob(".shared*"))


@pytest.mark.slow
def test_a_run_whose_worker_is_killed_each_time_ends_as_killed(dask_at, job):
    address, worker, _ = dask_at
    worker("--nworkers", "2")
    deaths = []

    def answer(event):
        if isinstance(event, Reported) and event.index == 0:
            at = executor._under_way[0].worker
            if at not in deaths:
                deaths.append(at)
                for pid in executor._client.run(
                    os.getpid, workers=[at], on_error="ignore"
                ).values():
                    os.kill(pid, signal.SIGKILL)

    with executor_for(f"dask:{address}") as executor:
        events = events_of(
            executor, [job(0, training={"epochs": 100 * LONG, "batch_size": 8}), job(1)], answer
        )
    assert ended(events)[1].status == "finished"
    assert (ended(events)[0].status, len(deaths)) == ("killed", 4)
    assert "its worker died 4 times" in ended(events)[0].message


@pytest.mark.slow
def test_workers_let_go_of_the_runs_of_a_search_that_ended_or_died(
    dask_at, job, tmp_path, monkeypatch
):
    monkeypatch.setattr(dask_executor, "GRACE", 120.0)  # more than it takes where they do
    address, worker, _ = dask_at
    worker("--no-nanny")
    endless = job(0, training={"epochs": 1000 * LONG, "batch_size": 8})
    with executor_for(f"dask:{address}") as executor:
        executor.submit(endless)
        assert isinstance(executor.next_event(60.0), Reported)
        began = time.monotonic()
    assert time.monotonic() - began < 60.0
    script = tmp_path / "search.py"
    script.write_text(
        "import json, sys\nfrom nettrain.search.executors.base import Job\nfrom nettrain.search.executors.registry import executor_for\n"
        "executor = executor_for(sys.argv[1])\nexecutor.submit(Job(**json.loads(sys.argv[2])))\n"
        "print(executor.next_event(60.0), flush=True)\nwhile True: executor.next_event(1.0)\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script), f"dask:{address}", json.dumps(asdict(endless))],
        stdout=subprocess.PIPE,
    ) as search:
        assert b"Reported" in search.stdout.readline()
        search.kill()
    with executor_for(f"dask:{address}") as executor:
        events = events_of(executor, [job(1)])
    assert ended(events)[1].status == "finished"


@pytest.mark.slow
def test_a_scheduler_that_is_gone_and_stays_away_ends_the_search(dask_at, job, monkeypatch):
    monkeypatch.setattr(dask_cluster, "RETURN", 5.0)
    address, worker, scheduler = dask_at
    monkeypatch.setattr(dask_cluster, "ANSWER", 5.0)
    worker("--no-nanny")
    with executor_for(f"dask:{address}") as executor:
        executor.submit(job(0, training={"epochs": 100 * LONG, "batch_size": 8}))
        assert isinstance(executor.next_event(60.0), Reported)
        scheduler.kill()
        began = time.monotonic()
        with pytest.raises(
            RunError, match=r"the scheduler at .* is gone; what has finished is kept"
        ):
            while time.monotonic() < began + 120.0:
                executor.next_event(1.0)
    assert time.monotonic() - began < 120.0


@pytest.mark.slow
def test_a_scheduler_that_comes_back_costs_the_runs_under_way_only(dask_at, job):
    address, worker, scheduler = dask_at
    jobs = [
        job(index, training={"epochs": 3 + LONG * (index == 1), "batch_size": 8})
        for index in range(4)
    ]
    started = [worker("--no-nanny")]

    def answer(event):
        if isinstance(event, Reported) and event.index == 1 and len(started) == 1:
            scheduler.kill()
            scheduler.wait()
            host, port = address.split(":")
            command = ["scheduler", "--host", host, "--port", port, "--no-dashboard"]
            started.append(
                subprocess.Popen(
                    [sys.executable, "-m", "dask", *command], stderr=subprocess.DEVNULL
                )
            )
            started.append(worker("--no-nanny"))

    try:
        with executor_for(f"dask:{address}") as executor:
            there = events_of(executor, jobs, answer)
    finally:
        if len(started) > 1:
            started[1].kill()
            started[1].wait()
    with executor_for("serial") as executor:
        here = events_of(executor, jobs)
    assert [told(event) for _, event in sorted(ended(there).items())] == [
        told(event) for _, event in sorted(ended(here).items())
    ]


@pytest.fixture
def jobqueue():
    """dask-jobqueue, if it is there; it takes SIGINT when it is imported."""
    before = signal.getsignal(signal.SIGINT)
    pytest.importorskip("dask_jobqueue")
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("jobqueue")
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # pipes of dask-jobqueue's
def test_jobs_of_a_batch_system_are_workers(job):
    settings = {
        "cores": 1,
        "memory": "1GB",
        "processes": 1,
        "interface": None,
        "log-directory": None,
    }
    settings = {"jobqueue.local": dask.config.get("jobqueue.local") | settings}
    with dask.config.set(settings), executor_for("dask:local", 1) as executor:
        events = events_of(executor, [job(0), job(1)])
    assert [event.status for event in ended(events).values()] == ["finished"] * 2


QUEUES = {
    "dask:slurm": (4, "sbatch is not on this machine: start the search where jobs are submitted"),
    "dask:pbs": (None, "how many runs at the same time is for you to say: --workers N"),
    "dask:local": (
        1,
        r".*cores and memory.*; set it under jobqueue.local in ~/.config/dask/jobqueue.yaml",
    ),
}


@pytest.mark.usefixtures("jobqueue")
@pytest.mark.parametrize("name", QUEUES)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_batch_system_that_cannot_be_used_is_told(name, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    workers, message = QUEUES[name]
    with pytest.raises(ConfigError, match=f"executor {name}: {message}"):
        executor_for(name, workers)


@pytest.mark.usefixtures("jobqueue")
def test_a_batch_system_leaves_the_interrupt_to_nettrain(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "dask_jobqueue"]:
        monkeypatch.delitem(sys.modules, name)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ConfigError, match="condor_submit is not on this machine"):
        queued("htcondor", 1)
    assert signal.getsignal(signal.SIGINT) is before


def test_without_dask_jobqueue_the_command_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(
        ConfigError, match="dask-jobqueue is not installed; pip install dask-jobqueue"
    ):
        executor_for("dask:slurm", 4)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_sweep_on_a_cluster_of_its_own_ends_with_it(tmp_path, children, gone, number, code):
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    program = "from nettrain.cli.main import run; run()"
    command = [
        sys.executable,
        "-c",
        program,
        "sweep",
        "sweep.yaml",
        "--executor",
        "dask",
        "--workers",
        "2",
    ]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        while b"trial 1 " not in (line := process.stderr.readline()):
            assert line, "it ended before its second trial"
        below = children(process.pid)
        assert len(below) >= 2
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does: to the workers too
        else:
            process.kill()
        said = process.stderr.read().decode()
    assert process.returncode == code
    if number == signal.SIGINT:
        assert (
            said.strip().splitlines()[-1].startswith("interrupted; to resume: ")
            and "Traceback" not in said
        )
    gone(below)


def test_the_blas_of_other_packages_is_not_compared(monkeypatch, tmp_path):
    """SciPy and scikit-learn bring an OpenBLAS of their own; no product of nettrain uses it."""
    alone = dask_worker.about()["BLAS"]
    assert alone.count("openblas") <= 1
    other = {
        "user_api": "blas",
        "internal_api": "openblas",
        "version": "0.0.1",
        "architecture": "Old",
        "filepath": "/opt/site-packages/scipy.libs/libscipy_openblas.so",
    }
    libraries = dask_worker.threadpool_info()
    monkeypatch.setattr(dask_worker, "threadpool_info", lambda: [other, *libraries])
    assert dask_worker.about()["BLAS"] == alone
    (tmp_path / "numpy").symlink_to(Path(dask_worker.numpy.__file__).parent)
    monkeypatch.setattr(dask_worker.numpy, "__file__", str(tmp_path / "numpy" / "__init__.py"))
    assert dask_worker.about()["BLAS"] == alone
