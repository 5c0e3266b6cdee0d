"""The number of BLAS threads changes no bit of a run."""

import os
import subprocess
import sys

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
