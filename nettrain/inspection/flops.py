"""FLOPs of the products of each layer, and the peak of the machine in a large product."""

import time
from dataclasses import dataclass

import numpy as np
from threadpoolctl import ThreadpoolController

from nettrain.nn.network import Network
from nettrain.streams import generator
from nettrain.training.engine.threads import cores

SIZE, TRIES = 2048, 8


@dataclass(frozen=True)
class Flops:
    """FLOPs per row in products (multiplications and additions), in the two passes."""

    forward: int
    backward: int


def layer_flops(network: Network) -> dict[str, Flops]:
    """The FLOPs of each layer, by name.

    In the backward pass a layer makes its products again for its weights if they are trained, and
    for its input if a layer before it is trained. The gradient of the first input, which no step
    computes, is not counted.
    """
    found: dict[str, Flops] = {}
    before = False
    for bound in network.layers:
        forward = bound.layer.flops(bound.input_shape)
        trained = any(parameter.trainable for parameter in bound.parameters.values())
        found[bound.name] = Flops(forward, forward * (trained + before))
        before = before or trained
    return found


def sgemm_peak(threads: int) -> float:
    """GFLOP/s of the best of several 2048 x 2048 float32 products.

    Args:
        threads: BLAS threads; no more are used than there are cores.
    """
    a = generator(0, "peak").random((SIZE, SIZE), dtype=np.float32)
    out = np.empty_like(a)
    best = np.inf
    with ThreadpoolController().limit(limits=min(threads, cores()), user_api="blas"):
        for _ in range(TRIES):
            start = time.perf_counter()
            np.matmul(a, a, out=out)
            best = min(best, time.perf_counter() - start)
    return 2 * SIZE**3 / best / 1e9
