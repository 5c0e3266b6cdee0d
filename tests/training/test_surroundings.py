"""`train` inside an event loop, in several threads, and the settings of the process that it leaves as they were."""

import asyncio
import signal
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import nettrain

X = np.random.Generator(np.random.PCG64(0)).normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)
CONFIG = {"model": {"type": "mlp", "hidden": [8]}, "training": {"epochs": 3}}
DIVERGES = CONFIG | {
    "loss": "mse",
    "optimizer": {"type": "sgd", "lr": 1e9},
    "training": {"epochs": 20},
}


def fits(folder, **keys):
    return nettrain.train(CONFIG, (X, Y), output_directory=folder, **keys)


def diverges(folder):
    with pytest.raises(nettrain.Diverged):
        nettrain.train(DIVERGES, (X, Y), output_directory=folder)


def is_refused(folder):
    with pytest.raises(nettrain.DataError):
        nettrain.train(CONFIG, (X, Y[:3]), output_directory=folder)


def is_broken_by_a_callback(folder):
    class Breaks(nettrain.Callback):
        def epoch_end(self, run, row):
            raise KeyError("of the user")

    with pytest.raises(KeyError):
        fits(folder, callbacks=[Breaks()])


def settings():
    """What a training could leave changed in its process."""
    return {
        "signal handlers": [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)],
        "warnings filters": list(warnings.filters),
        "error state": np.geterr(),
        "error callback": np.geterrcall(),
        "BLAS threads": [
            (one["filepath"], one["num_threads"])
            for one in threadpool_info()
            if one["user_api"] == "blas"
        ],
        "threads": {one.name for one in threading.enumerate()},
    }


@pytest.mark.parametrize("run", [fits, diverges, is_refused, is_broken_by_a_callback])
def test_the_settings_of_the_process_are_left_as_they_were(run, tmp_path):
    def handler(number, frame):
        raise AssertionError("no signal was sent")

    former = signal.signal(signal.SIGTERM, handler)
    try:
        with threadpool_limits(2, "blas"), np.errstate(under="raise", over="print"):
            before = settings()
            run(tmp_path)
            assert settings() == before
    finally:
        signal.signal(signal.SIGTERM, former)


def test_train_works_inside_a_running_event_loop(tmp_path):
    async def main():
        inside = fits(tmp_path)
        aside = await asyncio.gather(*[asyncio.to_thread(fits, tmp_path) for _ in range(2)])
        return [inside, *aside]

    results = asyncio.run(main())
    assert all(result.metrics == results[0].metrics for result in results)
    assert len({result.run_directory for result in results}) == 3


def test_trainings_in_several_threads_give_the_results_of_one_and_restore_what_all_found(tmp_path):
    alone = fits(tmp_path)
    with threadpool_limits(2, "blas"):
        before = settings()
        with ThreadPoolExecutor(4) as pool:
            started = [pool.submit(fits, tmp_path) for _ in range(8)]
            started += [pool.submit(diverges, tmp_path) for _ in range(2)]
            results = [one.result() for one in started]
        assert settings() == before
    assert all(result.metrics == alone.metrics for result in results[:8])
    assert len({result.run_directory for result in results[:8]}) == 8
