"""Fashion-MNIST."""

from dataclasses import dataclass

from nettrain.data.dataset import Dataset
from nettrain.data.readers.named_set import NamedSet, packed_files
from nettrain.data.source import Source
from nettrain.sources._idx_set import load_idx_set

SET = NamedSet(
    "fashion_mnist",
    packed_files(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        {
            "train-images-idx3-ubyte": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte": "md5:25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte": "md5:bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte": "md5:bb300cfdad3c16e7a12a480ee83cd310",
        },
    ),
    source="github.com/zalandoresearch/fashion-mnist, README.md",
    folder="fashion-mnist",
)
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@dataclass(frozen=True, kw_only=True)
class FashionMnist(Source):
    """Fashion-MNIST: 28 x 28 grey pixels of a piece of clothing -> what it is.

    60,000 images (28, 28, 1) uint8 to train, and 10,000 that are the predefined test part; ten
    classes. Xiao, Rasul & Vollgraf 2017 (MIT licence). Four IDX files in
    $NETTRAIN_DATA/fashion-mnist, or in the user's cache folder, downloaded where they are
    absent.
    """

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows, the predefined test part last."""
        return load_idx_set(SET, CLASSES)
