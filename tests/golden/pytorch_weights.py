"""Weights of nettrain in PyTorch: digits and LeNet-5, trained here, loaded from their safetensors file, predictions compared.

    python tests/golden/pytorch_weights.py        (in an environment with torch 2.x and nettrain; MNIST under $NETTRAIN_DATA)

Prints the largest difference of the probabilities and fails above 1e-4. .github/CONTRIBUTING.md has the table of names and layouts.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

import nettrain

MODELS = {
    "digits": (
        ["training.epochs=5"],
        nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)),
    ),
    "mnist_lenet5": (
        ["training.epochs=1", "dataset.limit=3000"],
        nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
        ),
    ),
}  # fmt: skip


def load_into(model: nn.Sequential, checkpoint: Path) -> None:
    """Copy the weights: nettrain's convolutions are (h, w, i, o), its dense weights (i, o), its images NHWC."""
    tensors = load_file(checkpoint)
    weights = [name for name in tensors if name.startswith("parameters.") and name.endswith(".w")]
    weights.sort(
        key=lambda name: (not name.startswith("parameters.conv"), name)
    )  # convolutions first
    layers = [layer for layer in model if isinstance(layer, nn.Conv2d | nn.Linear)]
    channels = 1
    for layer, name in zip(layers, weights, strict=True):
        w = tensors[name]
        if w.ndim == 4:
            w, channels = w.permute(3, 2, 0, 1), w.shape[3]  # (h, w, i, o) -> (o, i, h, w)
        else:  # (i, o) -> (o, i); rows that flattened (h, w, c) go to (c, h, w)
            w = w.reshape(-1, channels, w.shape[1]).permute(2, 1, 0).reshape(w.shape[1], -1)
            channels = 1
        layer.load_state_dict({"weight": w, "bias": tensors[name[:-1] + "b"]})


def main() -> None:
    configs = Path(__file__).parents[2] / "configs"
    for name, (sets, model) in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            result = nettrain.train(configs / f"{name}.yaml", sets=sets, output_directory=folder)
            checkpoints = Path(result.run_directory) / "checkpoints"
            best = checkpoints / "best.safetensors"  # there is none without a validation part
            load_into(model, best if best.exists() else checkpoints / "last.safetensors")
            ours = nettrain.load(result.run_directory)
            shape = (8, 8, 1) if name == "digits" else (28, 28, 1)
            largest = 16 if name == "digits" else 255
            images = (
                np.random.default_rng(0).integers(0, largest + 1, (1000, *shape)).astype(np.uint8)
            )
            scaled = torch.from_numpy(images.astype(np.float32) / largest).permute(0, 3, 1, 2)
            with torch.no_grad():
                theirs = torch.softmax(model(scaled), dim=1).numpy()
            difference = float(np.abs(theirs - ours.probabilities(images)).max())
            print(f"{name}: largest difference of 1000 rows' probabilities {difference:.2g}")
            assert difference < 1e-4


if __name__ == "__main__":
    main()
