"""A finished run is freed at once, with its rows and buffers: it does not wait for the garbage collector.

The collector counts objects, not bytes: it may come when the rows of dozens of runs have piled up.
"""

import gc
import threading
import weakref

import numpy as np
import pytest

import nettrain
from nettrain.training.callbacks import Callback

IMAGES = {
    "model": {"type": "cnn", "blocks": [{"filters": 2, "batch_norm": True, "pool": 2, "dropout": 0.2}]},
    "dataset": {"augmentation": [{"type": "shift", "pixels": 1}], "transforms": [{"type": "scale", "divide_by": 255}]},
    "training": {"shards": 2, "accumulate": 2},
}  # fmt: skip
CONFIGS = {
    "plain": {},
    "average, schedule, early stopping": {
        "training": {"ema": 0.9, "clip_norm": 1.0},
        "schedule": {"type": "plateau"},
        "early_stopping": {"patience": 2},
        "diagnostics": True,
    },
    "shown": {"model": {"type": "sequential", "layers": [{"type": "probe"}, {"type": "dense"}]}},
    "lbfgs": {"optimizer": {"type": "lbfgs"}, "training": {"batch_size": None}},
    "adam": {"optimizer": {"type": "adam", "lr": 0.01}, "regularization": {"l2": 0.01}},
    "images": IMAGES,
}


class Watch(Callback):
    def begin(self, run):
        self.objects = [
            weakref.ref(one)
            for one in (run, run.network, run.step, run.update, run.prepared, run.parts["train"].x)
        ]


@pytest.mark.parametrize("kernels", ["numpy", pytest.param("numba", marks=pytest.mark.compiled)])
@pytest.mark.parametrize("name", CONFIGS)
def test_a_finished_run_is_freed_without_the_garbage_collector(tmp_path, name, kernels):
    training = {"epochs": 2, "batch_size": 8, "kernels": kernels}
    config = {"model": {"type": "mlp", "hidden": [3]}} | CONFIGS[name]
    config["training"] = training | config.get("training", {})
    x = np.random.default_rng(0).normal(
        size=(30, *((6, 6, 1) if config["model"]["type"] == "cnn" else (2,)))
    )
    watch, threads = Watch(), set(threading.enumerate())
    gc.collect()
    gc.disable()
    try:
        nettrain.train(config, (x, np.arange(30) % 2), output_directory=tmp_path, callbacks=[watch])
        for thread in set(threading.enumerate()) - threads:
            thread.join()  # it holds its last task until it has ended
        left = [type(one()).__name__ for one in watch.objects if one() is not None]
    finally:
        gc.enable()
    assert left == []
