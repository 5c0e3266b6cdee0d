"""Makes image_resize.npz: images scaled by PyTorch's bilinear interpolation with antialiasing, as torchvision's Resize uses it.

python tests/golden/image_resize.py        (PyTorch 2.13.0)
"""

from pathlib import Path

import numpy as np
import torch

SIZES = {"smaller": (9, 5), "larger": (40, 61), "both": (12, 50), "half": (16, 12)}


def main() -> None:
    random = np.random.Generator(np.random.Philox(3))
    y, x = np.mgrid[0:32, 0:24]
    waves = 127 + 100 * np.sin(y / 3)[..., None] * np.cos(np.stack([x / 2, x / 5, x / 9], axis=-1))
    image = (waves + random.uniform(-20, 20, waves.shape)).clip(0, 255).astype(np.uint8)
    arrays = {"image": image}
    for name, size in SIZES.items():
        planes = torch.from_numpy(image.astype(np.float64)).permute(2, 0, 1)[None]
        scaled = torch.nn.functional.interpolate(
            planes, size=size, mode="bilinear", antialias=True, align_corners=False
        )
        arrays[name] = scaled[0].permute(1, 2, 0).numpy()
    np.savez_compressed(Path(__file__).with_suffix(".npz"), **arrays)


if __name__ == "__main__":
    main()
