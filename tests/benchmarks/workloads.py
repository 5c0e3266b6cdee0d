"""The workloads that nettrain and its peers are timed on: the same numbers as in workloads/*.yaml, and the rows. Needs NumPy only."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Workload:
    """A network with relu between its layers, cross-entropy at its end.

    sizes         of the dense layers: inputs, hidden layers, classes
    image         height, width, channels of a row, where convolutions stand before the dense layers
    convolutions  filters of 3 x 3 convolutions in blocks, a block ending with a 2 x 2 max pool
    same          padding, and batch normalization before each relu; else neither
    widths        filters of the stages of a ResNet, in place of these convolutions (He et al. 2016, section 4.2, option B)
    blocks        residual blocks in each stage
    table         the model of nettrain whose defaults it has, in place of hidden layers, relu and Adam: a network for tables
    """

    rows: int
    sizes: tuple[int, ...]
    batch_size: int
    epochs: int  # that are timed, after one to warm up
    optimizer: str = "adam"
    lr: float = 1e-3
    image: tuple[int, int, int] | None = None
    convolutions: tuple[tuple[int, ...], ...] = ()
    same: bool = False
    widths: tuple[int, ...] = ()
    blocks: int = 0
    table: str | None = None

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """x (n, i) or (n, h, w, c) from 0 to 1, classes (n,)."""
        draw = np.random.Generator(np.random.PCG64(0))
        return draw.random(
            (self.rows, *(self.image or self.sizes[:1])), dtype=np.float32
        ), draw.integers(0, self.sizes[-1], self.rows)

    @property
    def steps(self) -> int:
        """Full batches in an epoch."""
        return self.rows // self.batch_size


MOMENTUM = 0.9
WORKLOADS = {
    "mlp": Workload(60000, (784, 512, 512, 10), 128, 3),
    "mlp_sgd": Workload(60000, (784, 512, 512, 10), 128, 3, "momentum", 0.01),
    "small": Workload(1797, (64, 64, 32, 10), 32, 30),
    "wide": Workload(10240, (784, 4096, 4096, 10), 512, 2),
    "cnn": Workload(
        6400, (12 * 12 * 64, 128, 10), 64, 3, image=(28, 28, 1), convolutions=((32, 64),)
    ),
    "cifar": Workload(
        3200,
        (8 * 8 * 64, 128, 10),
        64,
        3,
        image=(32, 32, 3),
        convolutions=((32, 32), (64, 64)),
        same=True,
    ),
    "resnet": Workload(640, (64, 10), 64, 3, image=(32, 32, 3), widths=(16, 32, 64), blocks=3),
    "realmlp": Workload(12384, (16, 2), 256, 3, table="realmlp"),
    "tabm": Workload(12384, (16, 2), 256, 1, table="tabm"),
    "tabular": Workload(12384, (16, 2), 128, 3, table="tabular"),
}
