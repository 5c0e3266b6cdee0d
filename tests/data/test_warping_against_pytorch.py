"""Turned and enlarged images against PyTorch's numbers in tests/golden/warping.npz."""

from pathlib import Path

import numpy as np
import pytest

from nettrain.data.augmentation import Augmentation

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "warping.npz")
FILLS = ["black", "edge", "reflect"]


class Drawn:
    """A generator that draws what it was given."""

    def __init__(self, values):
        self.values = values

    def uniform(self, low, high, size):
        assert size == len(self.values)
        return self.values


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize(("name", "drawn"), [("rotate", "angles"), ("scale", "factors")])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-8), (np.float32, 1e-4)])
def test_images_are_warped_as_by_pytorch(name, drawn, fill, dtype, tolerance):
    x, expected = GOLDEN["x"].astype(dtype), GOLDEN[f"{name}.{fill}"]
    before = x.copy()
    Augmentation.parse({"type": name, "fill": fill}).apply(x, Drawn(GOLDEN[drawn]))
    np.testing.assert_allclose(x, expected, rtol=tolerance, atol=tolerance)
    assert np.abs(x - before)[1:].mean() > 10
