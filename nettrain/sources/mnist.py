"""MNIST, found in the data folder."""
from dataclasses import dataclass, replace

from nettrain.data.dataset import Dataset
from nettrain.data.named_set import find_files
from nettrain.data.source import Source

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@dataclass(frozen=True, kw_only=True)
class Mnist(Source):
    """28 x 28 grey pixels of a handwritten digit -> the digit.

    60,000 images (28, 28, 1) uint8 to train, and 10,000 that are the official test part. LeCun, Cortes & Burges 1998. Four IDX files in
    $NETTRAIN_DATA/mnist, or in the user's cache folder. Raises DataError, naming the files and the folder, where they are absent.
    """

    def load(self, seed: int, aside: tuple[str, ...] = ()) -> Dataset:
        """All rows, the official test part last."""
        keys = ("images", "labels", "test_images", "test_labels")
        files = dict(zip(keys, map(str, find_files("mnist", FILES)), strict=True))
        return replace(Source.parse({"type": "idx", **files}).load(seed), origin="mnist")
