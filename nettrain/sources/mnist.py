"""MNIST."""

from dataclasses import dataclass

from nettrain.data.dataset import Dataset
from nettrain.data.readers.named_set import NamedSet, packed_files
from nettrain.data.source import Source
from nettrain.sources._idx_set import load_idx_set

SET = NamedSet(
    "mnist",
    packed_files(
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        {
            "train-images-idx3-ubyte": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte": "md5:d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte": "md5:9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte": "md5:ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    source="github.com/pytorch/vision, torchvision/datasets/mnist.py",
)


@dataclass(frozen=True, kw_only=True)
class Mnist(Source):
    """MNIST: 28 x 28 grey pixels of a handwritten digit -> the digit.

    60,000 images (28, 28, 1) uint8 to train, and 10,000 that are the predefined test part.
    LeCun, Cortes & Burges 1998. Four IDX files in $NETTRAIN_DATA/mnist, or in the user's cache
    folder, downloaded where they are absent.
    """

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows, the predefined test part last."""
        return load_idx_set(SET)
