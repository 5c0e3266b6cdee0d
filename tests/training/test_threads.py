"""The number of BLAS threads changes no bit of a run."""

import os
import subprocess
import sys
import threading
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from nettrain.errors import ConfigError
from nettrain.training.engine import threads

TRAIN = """
import sys
import numpy as np
import nettrain
from threadpoolctl import threadpool_info
print(max((library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"), default=0))
from nettrain import streams
x = streams.generator(0, "x").normal(size=(600, 784))
config = {"dtype": "float32", "dataset": {"source": "memory", "split": {"validation": 0.25}}, "model": {"type": "mlp", "hidden": [256]},
          "training": {"epochs": 2, "batch_size": 128}}
nettrain.train(config, (x, (x[:, 0] > 0) * 1), output_directory=sys.argv[1])
print(max((library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"), default=0))
"""


def test_runs_with_one_and_two_threads_have_the_same_bits(tmp_path, figures):
    threads = {}
    for count in ("1", "2"):
        allowed = {
            "OPENBLAS_NUM_THREADS": count,
            "OMP_NUM_THREADS": count,
            "MKL_NUM_THREADS": count,
            "BLIS_NUM_THREADS": count,
        }
        done = subprocess.run(
            [sys.executable, "-c", TRAIN, tmp_path / count],
            env=os.environ | allowed,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        before, after = done.stdout.split()
        assert before == after  # what a program around nettrain had set is as it was
        threads[count] = before
    assert figures(tmp_path / "1" / "run") == figures(tmp_path / "2" / "run")


def test_where_the_system_allows_no_more_threads_fewer_do_all_tasks(monkeypatch):
    started = []

    def start(thread, real=threads.Thread.start):
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        real(thread)

    monkeypatch.setattr(threads.Thread, "start", start)
    done = []
    with threads.ThreadPool(5) as pool:
        pool.run([lambda i=i: done.append(i) for i in range(7)])
        assert pool.threads == 3
    assert sorted(done) == list(range(7))


@pytest.fixture
def machine(monkeypatch):
    """One on which this process may use 6 of 8 processors."""
    own = {0: {1, 2, 3, 5, 6, 7}}  # process 0 is the one that asks
    monkeypatch.setattr(threads.os, "sched_getaffinity", own.__getitem__, raising=False)
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 8)
    monkeypatch.setattr(threads.socket, "gethostname", lambda: "here")


def group(*places):
    """Stands for processes, the first of which is this one."""
    return SimpleNamespace(size=len(places), gather_values=lambda own: [own, *places[1:]])


HERE, THERE, OTHERS = ["here", [1, 2, 3, 5, 6, 7]], ["there", [1, 2, 3, 5, 6, 7]], ["here", [0, 4]]


@pytest.mark.parametrize(("asked", "processes", "expected"), [
    (None, None, 6), (None, group(HERE), 6), (None, group(HERE, HERE), 3), (None, group(HERE, THERE, OTHERS), 6),
    (None, group(*[HERE] * 4), 1), (None, group(*[HERE] * 7), 1),
    (1, None, 1), (9, group(HERE, HERE), 9), (1024, None, 1024),
])  # fmt: skip
def test_as_many_threads_as_asked_for_or_as_processors_are_free(
    machine, asked, processes, expected
):
    assert threads.usable_threads(asked, processes) == expected


def test_where_the_system_does_not_say_which_processors_are_free_all_are(machine, monkeypatch):
    monkeypatch.delattr(threads.os, "sched_getaffinity")
    assert threads.cores() == 8
    monkeypatch.setattr(threads.os, "cpu_count", lambda: None)
    assert threads.cores() == 1


@pytest.mark.parametrize("count", [0, 1025, 2.0, True, "2"])
def test_a_number_of_threads_that_is_none_is_refused(count):
    with pytest.raises(ConfigError, match="threads: expected a whole number from 1 to 1024"):
        threads.usable_threads(count)


@pytest.mark.parametrize(("count", "tasks", "shares"), [
    (1, 3, [[0, 1, 2]]), (2, 5, [[0, 2, 4], [1, 3]]), (3, 2, [[0], [1]]), (3, 7, [[0, 3, 6], [1, 4], [2, 5]]), (2, 0, []),
])  # fmt: skip
def test_each_thread_gets_every_nth_task_in_order_and_the_pool_ends_them(count, tasks, shares):
    done, before = {}, threading.active_count()
    with threads.ThreadPool(count) as pool:
        assert pool.threads == count and threading.active_count() == before + count - 1
        assert all(one.daemon for one in threading.enumerate() if one.name.endswith("(_work)"))
        helpers = [one for one in threading.enumerate() if one.name.endswith("(_work)")]
        for _ in range(2):
            done.clear()
            pool.run([
                lambda i=i: done.setdefault(threading.get_ident(), []).append(i)
                for i in range(tasks)
            ])  # fmt: skip
            assert sorted(done.values()) == shares
            assert done.get(threading.get_ident(), []) == (shares[0] if shares else [])
    for one in helpers:
        one.join(20)
        assert not one.is_alive()


def test_a_thread_ignores_what_the_training_loop_ignores_and_nothing_else():
    def overflow():
        with np.errstate():  # as the thread has it
            found.append({name: np.geterr()[name] for name in ("over", "invalid", "divide")})

    found = []
    with warnings.catch_warnings(), threads.ThreadPool(2) as pool:
        pool.run([lambda: None, overflow])
    assert found == [{"over": "ignore", "invalid": "ignore", "divide": "ignore"}]


def test_what_fails_in_any_thread_is_raised_once_all_are_done():
    def fail():
        raise ZeroDivisionError("planted")

    done = []
    with threads.ThreadPool(3) as pool:
        for failing in range(4):
            tasks = [lambda: done.append(1)] * 4
            tasks[failing] = fail
            with pytest.raises(ZeroDivisionError, match="planted"):
                pool.run(tasks)
        pool.run([lambda: done.append(2)] * 3)
    assert done[-3:] == [2, 2, 2]


@pytest.mark.parametrize(("allowed", "useful", "started"), [(4, 2, 2), (2, 4, 2), (1, 5, 1)])
def test_a_runner_has_threads_inside_alone_and_no_more_than_are_useful(allowed, useful, started):
    runner, names = threads.TaskRunner(), []
    tasks = [lambda: names.append(threading.current_thread())] * 4
    runner.run(tasks)
    assert runner.threads == 1 and {*names} == {threading.current_thread()}
    for error in (None, KeyError):
        names.clear()
        try:
            with runner.on_threads(allowed, useful):
                assert runner.threads == allowed
                runner.run(tasks)
                if error:
                    raise error
        except KeyError:
            pass
        assert len({*names}) == started
        names.clear()
        runner.run(tasks)
        assert {*names} == {threading.current_thread()}
