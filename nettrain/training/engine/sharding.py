"""The number of shards of a batch: a function of the model and the batch size alone.

So are the bits, whatever the number of cores.
"""

from collections.abc import Sequence

from nettrain.autodiff.ops.matmul import columns
from nettrain.nn.bound_layer import BoundLayer

# FLOPs of a step from which two threads gain more than handing over costs (0.1 ms on one core).
WORK = 30e6
ROWS = 64  # of a shard: products of fewer rows leave much of a core idle
# Of a shard where convolutions do most, or members that share weights: an image has a row of their
# products for each pixel, a row of a table for each member.
MANY = 16
# Bytes of a gradient that leaves the cache: shards of 16 images then take 15 % longer than of 32.
LARGE = 4e6
MOST = 8
EXTRA_BYTES = 256e6  # what the gradients of the further shards may take
MOSTLY = 0.9  # of the work


def tiles_of(layer: BoundLayer) -> int:
    """The number of tiles of a layer's products; 1 for all but wide layers."""
    matrices = [p.shape for p in layer.parameters.values() if len(p.shape) == 2]
    return max((len(columns(*shape) or [slice(None)]) for shape in matrices), default=1)


def shards_for(layers: Sequence[BoundLayer], batch_size: int, item_size: int) -> int:
    """The number of shards: as many as there is work for.

    1 for small work, for layers whose rows are not independent, and where nearly all work is in
    wide layers: their products are divided in tiles, which takes no further gradient per shard.
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
    of_members = sum(
        flops[p.name] for p in layers if len(p.input_shape) == 2 and flops[p.name] > 4 * p.size
    )
    of_many = max(of_images, of_members)
    rows = ROWS if 2 * of_many < sum(flops.values()) else MANY if gradient < LARGE else 2 * MANY
    return int(
        max(1, min(work / WORK, batch_size / rows, MOST, 1 + EXTRA_BYTES / max(gradient, 1)))
    )
