"""What the packages of the papers make of the columns of a table, for tests/data.

Made with scikit-learn 1.9, rtdl_num_embeddings 0.0.12 and pytabkit 1.7.3 on PyTorch 2.13, in
float64; run it where these are installed: `python tests/golden/table_transforms.py`. The tests read
the file only.
"""

from pathlib import Path

import numpy as np
import torch
from pytabkit.models.data.data import DictDataset, TensorInfo
from pytabkit.models.nn_models.pipeline import RobustScaleFactory
from rtdl_num_embeddings import PiecewiseLinearEncoding, compute_bins
from sklearn.preprocessing import RobustScaler, TargetEncoder

BINS, FOLDS = 8, 4


def numbers():
    """Columns of unequal scale, one with heavy tails, one mostly 0, one constant."""
    chance = np.random.Generator(np.random.PCG64(11))
    x = chance.normal(size=(200, 5)) * [1, 30, 0.01, 1, 1] + [0, 500, 0, 0, 0]
    x[:, 2] = np.exp(300 * x[:, 2])
    x[:, 3] = np.where(chance.random(200) < 0.92, 0, x[:, 3] * 50)
    x[:, 4] = 3
    return x.astype(np.float32).astype(np.float64)  # as scikit-learn's trees see them


def robust(x):
    """The factors of RealMLP's preprocessing on centred columns, and scikit-learn's numbers."""
    centred = torch.tensor(x - np.median(x, axis=0))
    dataset = DictDataset({"x_cont": centred}, {"x_cont": TensorInfo(feat_shape=[x.shape[1]])})
    scale = RobustScaleFactory()._fit(dataset)
    realmlp = (centred * scale.scale).numpy()
    return {"realmlp": realmlp, "scikit_learn": RobustScaler().fit_transform(x)}


def piecewise(x, y, classes):
    """Encodings of columns without ties: bins at quantiles, and at the splits of trees."""
    x = torch.tensor(x[:, :3])
    options = {"min_samples_leaf": 10}
    tree = {"verbose": False, "tree_kwargs": options}
    bins = {
        "quantiles": compute_bins(x, BINS),
        "tree": compute_bins(x, BINS, y=torch.tensor(y), regression=True, **tree),
        "class_tree": compute_bins(x, BINS, y=torch.tensor(classes), regression=False, **tree),
    }
    found = {}
    for name, knots in bins.items():
        found[name] = PiecewiseLinearEncoding(knots)(x).numpy()
        found |= {f"{name}_{i}": column.numpy() for i, column in enumerate(knots)}
    return found


def encodings(city, targets, fold):
    """Of all rows by all rows, and of each fold by the others."""
    found = {}
    for name, (y, kind) in targets.items():
        for smooth in ("auto", 5.0):
            encoder = TargetEncoder(target_type=kind, smooth=smooth)
            found[f"{name}_{smooth}"] = encoder.fit(city, y).transform(city)
            held_out = np.zeros_like(found[f"{name}_{smooth}"])
            for one in range(FOLDS):
                others = encoder.fit(city[fold != one], y[fold != one])
                held_out[fold == one] = others.transform(city[fold == one])
            found[f"{name}_{smooth}_held_out"] = held_out
    return found


def main():
    torch.set_default_dtype(torch.float64)
    chance = np.random.Generator(np.random.PCG64(12))
    x = numbers()
    y = np.sin(x[:, 0]) + (x[:, 1] > 510) + 0.1 * chance.normal(size=len(x))
    classes = np.digitize(y, [-0.2, 0.6])
    city = chance.choice(np.array(["a", "b", "c", "d"]), len(x), p=[0.5, 0.3, 0.19, 0.01])[:, None]
    fold = chance.permutation(len(x)) % FOLDS
    targets = {
        "numbers": (y, "continuous"),
        "binary": ((classes == 1).astype(int), "binary"),
        "classes": (classes, "multiclass"),
    }
    np.savez_compressed(
        Path(__file__).with_suffix(".npz"),
        x=x,
        y=y,
        classes=classes,
        city=city[:, 0],
        fold=fold,
        **{f"robust_{name}": value for name, value in robust(x).items()},
        **{f"piecewise_{name}": value for name, value in piecewise(x, y, classes).items()},
        **{f"target_{name}": value for name, value in encodings(city, targets, fold).items()},
    )


if __name__ == "__main__":
    main()
