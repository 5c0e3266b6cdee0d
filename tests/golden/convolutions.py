"""Makes convolutions.npz: convolutions of PyTorch in float64, forward and backward, by our shapes: images channels last, w (kh, kw, c, o).

Run it with an interpreter that has torch 2.13.0: `python tests/golden/convolutions.py`. The tests only read convolutions.npz.

Arrays of a case: `same with a stride/x`, /w, /b, /y, /dy, /dx, /dw, /db; of a separable convolution /depthwise and /pointwise for /w.
"""

import platform
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
GENERATOR = np.random.default_rng(11)


def conv(x, w, b, around=(0, 0, 0, 0), **options):
    """around: zeros at the left, right, top, bottom."""
    found = F.conv2d(F.pad(x.movedim(-1, 1), around), w.permute(3, 2, 0, 1), b, **options)
    return found.movedim(1, -1)


def separable(x, depthwise, pointwise, b, **options):
    return conv(conv(x, depthwise, None, groups=x.shape[-1], **options), pointwise, b)


def case(function, x, b, **weights):
    shapes = {"x": x} | weights | {"b": b}
    leaves = {
        name: torch.tensor(GENERATOR.normal(size=shape), requires_grad=True)
        for name, shape in shapes.items()
    }
    y = function(*leaves.values())
    dy = GENERATOR.normal(size=y.shape)
    y.backward(torch.tensor(dy))
    found = {name: leaf.detach().numpy() for name, leaf in leaves.items()} | {
        "y": y.detach().numpy(),
        "dy": dy,
    }
    return found | {f"d{name}": leaf.grad.numpy() for name, leaf in leaves.items()}


CASES = {
    "3 x 3": case(conv, (5, 9, 8, 3), (4,), w=(3, 3, 3, 4)),
    "same": case(lambda x, w, b: conv(x, w, b, (1, 2, 1, 1)), (3, 6, 7, 2), (5,), w=(3, 4, 2, 5)),
    "same with a stride": case(
        lambda x, w, b: conv(x, w, b, (0, 1, 1, 2), stride=(3, 2)),
        (3, 8, 8, 3),
        (2,),
        w=(5, 3, 3, 2),
    ),
    "dilation": case(
        lambda x, w, b: conv(x, w, b, (1, 1, 2, 2), dilation=(2, 3)),
        (2, 9, 8, 3),
        (4,),
        w=(3, 2, 3, 4),
    ),
    "groups": case(
        lambda x, w, b: conv(x, w, b, (1, 1, 1, 1), stride=2, groups=3),
        (2, 7, 6, 6),
        (9,),
        w=(3, 3, 2, 9),
    ),
    "pixels": case(conv, (3, 4, 5, 7), (2,), w=(1, 1, 7, 2)),
    "depthwise": case(
        lambda x, w, b: conv(x, w, b, (1, 1, 1, 1), stride=(1, 2), groups=4),
        (3, 5, 6, 4),
        (8,),
        w=(3, 3, 1, 8),
    ),
    "separable": case(
        lambda x, d, p, b: separable(x, d, p, b),
        (2, 6, 5, 3),
        (5,),
        depthwise=(3, 2, 1, 6),
        pointwise=(1, 1, 6, 5),
    ),
}
np.savez_compressed(
    Path(__file__).with_suffix(".npz"),
    made_by=f"tests/golden/convolutions.py, PyTorch {torch.__version__}, NumPy {np.__version__}, Python {platform.python_version()}",
    **{f"{name}/{key}": array for name, arrays in CASES.items() for key, array in arrays.items()},
)
