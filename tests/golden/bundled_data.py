"""Makes nettrain/sources/bundled from scikit-learn's copies: `python tests/golden/bundled_data.py`, with scikit-learn installed."""

import csv
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits, load_iris

BUNDLED = Path(__file__).parents[2] / "nettrain" / "sources" / "bundled"


def main() -> None:
    digits = load_digits()
    np.savez_compressed(
        BUNDLED / "digits.npz",
        images=digits.images.astype(np.uint8),
        labels=digits.target.astype(np.uint8),
    )
    iris = load_iris()
    with (BUNDLED / "iris.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["sepal_length", "sepal_width", "petal_length", "petal_width", "species"])
        for row, code in zip(iris.data, iris.target, strict=True):
            writer.writerow([*(f"{value:.1f}" for value in row), iris.target_names[code]])


if __name__ == "__main__":
    main()
