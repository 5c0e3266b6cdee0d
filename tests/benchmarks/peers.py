"""Milliseconds a training step of other libraries, as tests/benchmarks/step.py measures nettrain's.

    python tests/benchmarks/peers.py PEER WORKLOAD [--threads N]      one JSON line {"peer", "workload", "ms_per_step", "median", "cpu_ms", "peak_rss_mb"}
    python tests/benchmarks/peers.py --installed WORKLOAD             the peers that this Python has for it, as a JSON list

PEER      torch (eager, fused optimizer), sklearn (MLPClassifier), jax (one jitted call a step), jaxscan (one an epoch)
WORKLOAD  mlp, mlp_sgd, small, wide; of torch alone cnn, cifar, resnet (tests/benchmarks/workloads.py)

All float32, softmax cross-entropy, rows shuffled every epoch; a step = gather the batch, forward, backward, update. Needs nothing of
nettrain, so the peers may live in an environment of their own.
"""

import environment  # noqa: F401, I001

import argparse
import json
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np

import table_peers
from environment import resident_peak
from workloads import MOMENTUM, WORKLOADS, Workload

Epoch = Callable[[], object]


def torch_epoch(work: Workload, threads: int | None) -> Epoch:
    """PyTorch, eager."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    if threads:
        torch.set_num_threads(threads)
    layers: list[Any] = torch_resnet(work) if work.widths else []
    channels = work.image[2] if work.image else 0
    for block in work.convolutions:
        for filters in block:
            layers.append(nn.Conv2d(channels, filters, 3, padding="same" if work.same else "valid"))
            layers += [nn.BatchNorm2d(filters), nn.ReLU()] if work.same else [nn.ReLU()]
            channels = filters
        layers.append(nn.MaxPool2d(2))
    layers.append(nn.Flatten())
    for inputs, outputs in pairwise(work.sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    if work.optimizer == "adam":
        optimizer: torch.optim.Optimizer = torch.optim.Adam(
            model.parameters(), lr=work.lr, fused=True
        )
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=work.lr, momentum=MOMENTUM, fused=True)
    x, y = map(torch.from_numpy, work.data())
    if work.image:
        x = x.movedim(-1, 1).contiguous()

    def epoch() -> None:
        order = torch.randperm(len(x))
        for i in range(work.steps):
            rows = order[i * work.batch_size : (i + 1) * work.batch_size]
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()

    return epoch


def torch_resnet(work: Workload) -> list[Any]:
    """The layers of a ResNet up to its global average pool."""
    from torch import nn

    def conv(i: int, o: int, size: int, stride: int = 1) -> list[nn.Module]:
        padding = size // 2
        return [nn.Conv2d(i, o, size, stride, padding, bias=False), nn.BatchNorm2d(o)]

    class Block(nn.Module):
        def __init__(self, i: int, o: int, stride: int) -> None:
            super().__init__()
            self.f = nn.Sequential(*conv(i, o, 3, stride), nn.ReLU(inplace=True), *conv(o, o, 3))
            self.shortcut = nn.Sequential(*([] if i == o else conv(i, o, 1, stride)))
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x: Any) -> Any:
            return self.relu(self.f(x) + self.shortcut(x))

    channels = work.widths[0]
    layers = [*conv(work.image[2] if work.image else 0, channels, 3), nn.ReLU(inplace=True)]
    for stage, width in enumerate(work.widths):
        for number in range(work.blocks):
            layers.append(Block(channels, width, 2 if stage and not number else 1))
            channels = width
    return [*layers, nn.AdaptiveAvgPool2d(1)]


def sklearn_epoch(work: Workload, threads: int | None) -> Epoch:
    """scikit-learn's own network."""
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    warnings.simplefilter("ignore")  # that one epoch does not converge
    solver = (
        {"solver": "adam"}
        if work.optimizer == "adam"
        else {"solver": "sgd", "momentum": MOMENTUM, "nesterovs_momentum": False}
    )
    network = MLPClassifier(
        work.sizes[1:-1],
        batch_size=work.batch_size,
        learning_rate_init=work.lr,
        alpha=0.0,
        max_iter=1,
        warm_start=True,
        **solver,
    )
    x, y = work.data()
    if threads:
        threadpool_limits(threads)
    return lambda: network.fit(x, y)


def jax_step(work: Workload) -> tuple[Callable[..., Any], Any]:
    """JAX's step (weights, m, v, t, x, y) -> (weights, m, v, t), and what it starts from."""
    import jax
    import jax.numpy as jnp

    draw = np.random.Generator(np.random.PCG64(1))
    weights = [
        (jnp.asarray(draw.normal(0, i**-0.5, (i, o)).astype("f4")), jnp.zeros(o, "float32"))
        for i, o in pairwise(work.sizes)
    ]

    def loss(weights, x, y):
        for w, b in weights[:-1]:
            x = jax.nn.relu(x @ w + b)
        w, b = weights[-1]
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x @ w + b), y[:, None], 1))

    def adam(weights, m, v, t, x, y):
        g = jax.grad(loss)(weights, x, y)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        rate, second = work.lr / (1 - 0.9**t), 1 - 0.999**t
        return (
            jax.tree.map(
                lambda w, m, v: w - rate * m / (jnp.sqrt(v / second) + 1e-8), weights, m, v
            ),
            m,
            v,
            t + 1,
        )

    def momentum(weights, m, v, t, x, y):
        m = jax.tree.map(lambda m, g: MOMENTUM * m + work.lr * g, m, jax.grad(loss)(weights, x, y))
        return jax.tree.map(lambda w, m: w - m, weights, m), m, v, t

    state = (
        weights,
        jax.tree.map(jnp.zeros_like, weights),
        jax.tree.map(jnp.zeros_like, weights),
        jnp.float32(1),
    )
    return adam if work.optimizer == "adam" else momentum, state


def jax_epoch(work: Workload, threads: int | None) -> Epoch:
    """JAX, the whole step one jitted function. It takes all cores, whatever is asked for."""
    import jax

    step, state = jax_step(work)
    step = jax.jit(step, donate_argnums=(0, 1, 2))
    draw = np.random.Generator(np.random.PCG64(2))
    x, y = work.data()

    def epoch() -> None:
        nonlocal state
        order = draw.permutation(len(x))
        for i in range(work.steps):
            rows = order[i * work.batch_size : (i + 1) * work.batch_size]
            state = step(*state, x[rows], y[rows])
        jax.block_until_ready(state)

    return epoch


def jax_scan_epoch(work: Workload, threads: int | None) -> Epoch:
    """JAX, a whole epoch one jitted function, a lax.scan over its batches: nothing but the order of the rows comes from Python."""
    import jax
    import jax.numpy as jnp

    step, state = jax_step(work)
    draw = np.random.Generator(np.random.PCG64(2))
    x, y = map(jnp.asarray, work.data())

    @jax.jit
    def scan(state: Any, order: Any) -> Any:
        return jax.lax.scan(lambda state, rows: (step(*state, x[rows], y[rows]), 0), state, order)[
            0
        ]

    def epoch() -> None:
        nonlocal state
        order = draw.permutation(len(x))[: work.steps * work.batch_size]
        state = jax.block_until_ready(scan(state, order.reshape(work.steps, work.batch_size)))

    return epoch


PEERS = {
    "torch": torch_epoch,
    "sklearn": sklearn_epoch,
    "jax": jax_epoch,
    "jaxscan": jax_scan_epoch,
    "tabm": table_peers.tabm_epoch,
    "pytabkit": table_peers.realmlp_epoch,
}
PACKAGES = {"jaxscan": "jax"}  # where it is not the name
OF_IMAGES = {"torch"}
OF_TABLES = {"tabm": "tabm", "pytabkit": "realmlp"}  # the network that each has


def has(peer: str, workload: str) -> bool:
    """Whether a peer has the workload."""
    work = WORKLOADS[workload]
    if peer in OF_TABLES or work.table is not None:
        return OF_TABLES.get(peer) == work.table
    return work.image is None or peer in OF_IMAGES


def available(workload: str) -> list[str]:
    """The peers that are installed, of those that have the workload."""
    return [name for name in PEERS if has(name, workload) and find_spec(PACKAGES.get(name, name))]


def measure(peer: str, workload: str, threads: int | None) -> dict[str, object]:
    """The line that is printed."""
    work = WORKLOADS[workload]
    epoch = PEERS[peer](work, threads)
    epoch()
    times, cpu = [], time.process_time()
    for _ in range(work.epochs):
        start = time.perf_counter()
        epoch()
        times.append(1e3 * (time.perf_counter() - start) / work.steps)
    return {
        "peer": peer,
        "workload": workload,
        "ms_per_step": round(min(times), 4),
        "median": round(float(np.median(times)), 4),
        "cpu_ms": round(1e3 * (time.process_time() - cpu) / work.epochs / work.steps, 4),
        "peak_rss_mb": round(resident_peak()),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("peer", nargs="?", choices=sorted(PEERS))
    parser.add_argument("workload", nargs="?", choices=sorted(WORKLOADS))
    parser.add_argument("--threads", type=int, help="default: what the peer takes")
    parser.add_argument(
        "--installed",
        choices=sorted(WORKLOADS),
        help="print which peers there are for a workload, and stop",
    )
    given = parser.parse_args()
    if given.installed:
        print(json.dumps(available(given.installed)))
    elif given.peer is None or given.workload is None or not has(given.peer, given.workload):
        parser.error("name a PEER and a WORKLOAD that it has")
    else:
        print(json.dumps(measure(given.peer, given.workload, given.threads)), flush=True)
