"""Operations of images beside PyTorch eager: forward and backward, each on one thread, alternating.

    python tests/benchmarks/operations.py [NAME ...] [--rounds 9] [--kernels numba|numpy]
        a table: milliseconds of nettrain and PyTorch, and how many times as long PyTorch takes with images stored channels first and
        channels last (median, lowest and highest of the rounds)

All float32, 64 images of 32 x 32 x 32, gradients of the images and of the weights. Times are those of the processor, so that other programs
on the machine count little; an operation runs in a plan, as in training.
"""

import environment  # noqa: F401, I001

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from nettrain.autodiff import functions as f
from nettrain.autodiff.ops.global_pooling import GlobalAveragePool
from nettrain.autodiff.ops.max_pooling import MaxPool
from nettrain.autodiff.ops.moments import Moments
from nettrain.autodiff.ops.normalization import Normalize
from nettrain.autodiff.ops.pooling import AveragePool
from nettrain.autodiff.ops.group_normalization import NormalizeGroups
from nettrain.autodiff.plan.memory import Arena
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.tensor import Tensor, apply
from nettrain.training.engine.blas import one_blas_thread

N, SIZE, C = 64, 32, 32
SAME = ((1, 1), (1, 1))
Network = Callable[..., Tensor]


def batch_norm(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    return apply(Normalize(1e-5), x, apply(Moments(), x), gamma, beta)


# The shapes of the weights, the function of images and weights, and PyTorch's.
OPERATIONS: dict[str, tuple[list[tuple[int, ...]], Network, nn.Module]] = {
    "depthwise 3 x 3": (
        [(3, 3, 1, C), (C,)],
        lambda x, w, b: f.convolution(x, w, b, padding=SAME, groups=C),
        nn.Conv2d(C, C, 3, padding=1, groups=C),
    ),
    "depthwise 3 x 3, stride 2": (
        [(3, 3, 1, C), (C,)],
        lambda x, w, b: f.convolution(x, w, b, (2, 2), ((0, 1), (0, 1)), groups=C),
        nn.Conv2d(C, C, 3, stride=2, padding=1, groups=C),
    ),
    "depthwise 5 x 5": (
        [(5, 5, 1, C), (C,)],
        lambda x, w, b: f.convolution(x, w, b, padding=((2, 2), (2, 2)), groups=C),
        nn.Conv2d(C, C, 5, padding=2, groups=C),
    ),
    "average pool 2 x 2": ([], lambda x: apply(AveragePool(), x), nn.AvgPool2d(2)),
    "average pool 3 x 3, stride 2": (
        [],
        lambda x: apply(AveragePool((3, 3), (2, 2), SAME), x),
        nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    ),
    "global average pool": (
        [],
        lambda x: apply(GlobalAveragePool(), x),
        nn.AdaptiveAvgPool2d(1),
    ),
    "max pool 2 x 2": ([], lambda x: apply(MaxPool(), x), nn.MaxPool2d(2)),
    "max pool 3 x 3, stride 2": (
        [],
        lambda x: apply(MaxPool((3, 3), (2, 2), SAME), x),
        nn.MaxPool2d(3, 2, 1),
    ),
    "group norm of 8": (
        [(C,), (C,)],
        lambda x, gamma, beta: apply(NormalizeGroups(8, 1e-5), x, gamma, beta),
        nn.GroupNorm(8, C),
    ),
    "batch norm": ([(C,), (C,)], batch_norm, nn.BatchNorm2d(C)),
    "batch norm, relu": (
        [(C,), (C,)],
        lambda *x: f.relu(batch_norm(*x)),
        nn.Sequential(nn.BatchNorm2d(C), nn.ReLU()),
    ),
    "convolution 3 x 3": (
        [(3, 3, C, C), (C,)],
        lambda x, w, b: f.convolution(x, w, b, padding=SAME),
        nn.Conv2d(C, C, 3, padding=1),
    ),
    "convolution, tanh, max pool": (
        [(3, 3, C, C), (C,)],
        lambda x, w, b: apply(MaxPool(), f.tanh(f.convolution(x, w, b, padding=SAME))),
        nn.Sequential(nn.Conv2d(C, C, 3, padding=1), nn.Tanh(), nn.MaxPool2d(2)),
    ),
    "convolution, tanh, average pool": (
        [(3, 3, C, C), (C,)],
        lambda x, w, b: apply(AveragePool(), f.tanh(f.convolution(x, w, b, padding=SAME))),
        nn.Sequential(nn.Conv2d(C, C, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2)),
    ),
    "tanh, max pool": (
        [],
        lambda x: apply(MaxPool(), f.tanh(x)),
        nn.Sequential(nn.Tanh(), nn.MaxPool2d(2)),
    ),
}


def of_nettrain(shapes: list[tuple[int, ...]], function: Network, compiled: bool) -> Callable:
    """Both passes of a plan."""
    draw = np.random.Generator(np.random.PCG64(0))
    inputs = [
        Tensor(draw.standard_normal(shape, dtype=np.float32), requires_grad=True)
        for shape in [(N, SIZE, SIZE, C), *shapes]
    ]
    y = function(*inputs)
    dy = draw.standard_normal(y.shape, dtype=np.float32)
    slots = {x: np.empty_like(x.value) for x in inputs}
    plan = Plan(y, slots, dy=dy, arena=Arena(), compiled=compiled)

    def run() -> None:
        plan.forward()
        plan.backward()

    return run


def of_pytorch(module: nn.Module, layout: torch.memory_format) -> Callable:
    """Both passes, eager."""
    module = module.to(memory_format=layout)
    x = torch.randn(N, C, SIZE, SIZE).to(memory_format=layout).requires_grad_()
    dy = torch.randn_like(module(x))

    def run() -> None:
        x.grad = None
        module.zero_grad()
        module(x).backward(dy)

    return run


def seconds(run: Callable) -> float:
    """The processor's time of a call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="parts of names; default: all")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--kernels", choices=["numba", "numpy"], default="numba")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{'forward and backward':34}{'nettrain':>11}{'PyTorch':>11}   PyTorch's time in nettrain's"
    )
    with one_blas_thread():
        for name, (shapes, function, module) in OPERATIONS.items():
            if given.names and not any(part in name for part in given.names):
                continue
            programs = [
                of_nettrain(shapes, function, given.kernels == "numba"),
                of_pytorch(module, torch.contiguous_format),
                of_pytorch(module, torch.channels_last),
            ]
            for run in programs:
                run()
            times = np.array([[seconds(run) for run in programs] for _ in range(given.rounds)])
            own, first, _ = np.median(times, axis=0) * 1e3
            ratios = [
                f"{statistics.median(r):6.2f} ({min(r):.2f} to {max(r):.2f})"
                for r in (times[:, 1:] / times[:, :1]).T
            ]
            print(f"{name:34}{own:8.3f} ms{first:8.3f} ms   {', '.join(ratios)}", flush=True)


if __name__ == "__main__":
    main()
