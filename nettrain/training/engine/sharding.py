"""Into how many shards the rows of a batch are divided: a function of the model and the batch alone, so that the bits are too."""

from collections.abc import Sequence

from nettrain.autodiff.ops.matmul import columns
from nettrain.nn.bound_layer import BoundLayer

WORK = 30e6  # FLOPs of a step from which two threads gain more than handing over costs (0.1 ms on one core)
ROWS = 64  # of a shard: products of fewer rows leave much of a core idle
IMAGES = (
    16  # of a shard where convolutions do most: an image has a row of their products for each pixel
)
LARGE = 4e6  # bytes of a gradient that leaves the cache: shards of 16 images then take 15 % more time than those of 32
MOST = 8
EXTRA_BYTES = 256e6  # what the gradients of the further shards may take
MOSTLY = 0.9


def tiles_of(layer: BoundLayer) -> int:
    """Into how many tiles the products of a layer are divided; 1 for all but wide ones."""
    matrices = [p.shape for p in layer.parameters.values() if len(p.shape) == 2]
    return max((len(columns(*shape) or [slice(None)]) for shape in matrices), default=1)


def shards_for(layers: Sequence[BoundLayer], batch_size: int, item_size: int) -> int:
    """1 for small work and for layers that do not say that rows may be divided; otherwise as many as there is work for.

    1 too where nearly all work is in wide layers: their products are divided in tiles, which takes no gradient more a shard.
    """
    if not all(p.layer.shardable(p.input_shape) for p in layers):
        return 1
    flops = {p.name: p.layer.flops(p.input_shape) for p in layers}
    tiled = sum(flops[p.name] for p in layers if tiles_of(p) > 1)
    if tiled > MOSTLY * sum(flops.values()):
        return 1
    work = 3 * batch_size * sum(flops.values())
    gradient = item_size * sum(p.size for p in layers)
    of_images = sum(flops[p.name] for p in layers if len(p.input_shape) == 3)
    rows = (
        ROWS if 2 * of_images < sum(flops.values()) else IMAGES if gradient < LARGE else 2 * IMAGES
    )
    return int(
        max(1, min(work // WORK, batch_size // rows, MOST, 1 + EXTRA_BYTES // max(gradient, 1)))
    )
