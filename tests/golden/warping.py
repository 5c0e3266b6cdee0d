"""Makes warping.npz: images turned and enlarged by PyTorch, float64. Made with PyTorch 2.13.0, NumPy 2.4.6.

Run it in an environment with PyTorch: `python tests/golden/warping.py`. The tests read the file only.

`x` (n, h, w, c); `angles` in degrees, counter-clockwise, and `factors` (n,) of enlargement; `rotate.FILL` and `scale.FILL` what becomes of
each image by its own angle or factor, as torch's affine_grid and grid_sample have it: bilinear, pixels at the corners of their grid.
"""

from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import affine_grid, grid_sample

FILLS = {"black": "zeros", "edge": "border", "reflect": "reflection"}
random = np.random.Generator(np.random.PCG64(5))
x = random.uniform(0, 255, (6, 8, 5, 2))
angles = np.array([0.0, 90.0, -37.0, 180.0, 12.5, -120.0])
factors = np.array([1.0, 2.0, 0.5, 0.8, 1.3, 3.1])


def sampled(matrices: np.ndarray, fill: str) -> np.ndarray:
    """Each image read at A (p - m) + m, A of (column, row) in pixels."""
    h, w = x.shape[1:3]
    half = np.array([(w - 1) / 2, (h - 1) / 2])  # torch counts from -1 to 1 in each direction
    theta = np.concatenate(
        [
            matrices * half[np.newaxis, np.newaxis] / half[np.newaxis, :, np.newaxis],
            np.zeros((len(x), 2, 1)),
        ],
        axis=2,
    )
    images = torch.tensor(x).permute(0, 3, 1, 2)
    grid = affine_grid(torch.tensor(theta), list(images.shape), align_corners=True)
    return (
        grid_sample(images, grid, mode="bilinear", padding_mode=FILLS[fill], align_corners=True)
        .permute(0, 2, 3, 1)
        .numpy()
    )


arrays = {"x": x, "angles": angles, "factors": factors}
for fill in FILLS:
    turn = np.radians(angles)
    # An image is turned counter-clockwise where it is read clockwise; rows count downwards.
    rotation = np.stack([np.cos(turn), -np.sin(turn), np.sin(turn), np.cos(turn)], axis=1).reshape(
        -1, 2, 2
    )
    arrays[f"rotate.{fill}"] = sampled(rotation, fill)
    arrays[f"scale.{fill}"] = sampled(np.eye(2) / factors[:, np.newaxis, np.newaxis], fill)

if __name__ == "__main__":
    print(torch.__version__, np.__version__)
    np.savez(Path(__file__).with_suffix(".npz"), **arrays)
