"""Shards of a batch, here and among processes: their rows, the order of their sum, and how many there are."""

from types import SimpleNamespace

import numpy as np
import pytest
from thread_group import in_processes

from nettrain.training.distributed.group import OneProcess
from nettrain.training.engine import distributed_partition as module
from nettrain.training.engine import kernels
from nettrain.training.engine.distributed_partition import DistributedPartition
from nettrain.training.engine.partition import Partition
from nettrain.training.engine.sharding import shards_for, tiles_of
from nettrain.training.engine.tree_sum import Addition, additions


@pytest.mark.parametrize(("shards", "n", "stops"), [
    (1, 5, [5]), (3, 6, [2, 4, 6]), (3, 7, [3, 5, 7]), (3, 8, [3, 6, 8]), (5, 2, [1, 2]), (4, 4, [1, 2, 3, 4]),
])  # fmt: skip
def test_the_first_shards_have_one_row_more(shards, n, stops):
    partition = Partition(shards)
    assert partition.parts(n) == [slice(*ends) for ends in zip([0, *stops], stops, strict=False)]
    assert partition.count(n) == len(stops) and partition.width == partition.shards == shards


def test_one_process_computes_all_shards_and_adds_all_up():
    partition, arrays = Partition(3), [np.ones(2), np.zeros(2)]
    assert partition.computed(2) == range(2) and partition.rows is None
    assert partition.additions(3) == additions(3) and partition.gather(2, arrays) is arrays
    losses = partition.losses(2, [np.array(1.5), np.float32(2)])
    assert losses == [1.5, 2] and {type(loss) for loss in losses} == {float}
    assert partition.add_up(2, arrays) is None and arrays[0].tolist() == [1, 1]
    assert partition.all_here and DistributedPartition(2, OneProcess()).all_here
    assert in_processes(2, lambda group: DistributedPartition(2, group).all_here) == [False] * 2


@pytest.mark.parametrize(("count", "expected"), [
    (0, []), (1, []), (2, [(0, 1, 2)]), (3, [(0, 1, 2), (0, 2, 3)]),
    (5, [(0, 1, 2), (2, 3, 4), (0, 2, 4), (0, 4, 5)]),
    (7, [(0, 1, 2), (2, 3, 4), (4, 5, 6), (0, 2, 4), (4, 6, 7), (0, 4, 7)]),
    (8, [(0, 1, 2), (2, 3, 4), (4, 5, 6), (6, 7, 8), (0, 2, 4), (4, 6, 8), (0, 4, 8)]),
])  # fmt: skip
def test_neighbours_are_added_then_neighbouring_pairs(count, expected):
    assert [tuple(one) for one in additions(count)] == expected


def test_the_shards_of_an_addition_may_stand_elsewhere():
    assert Addition(4, 5, 6).shifted(-4) == (0, 1, 2)


@pytest.mark.parametrize(("count", "size"), [(1, 1), (5, 2), (8, 2), (7, 3), (8, 4), (2, 3)])
def test_a_process_makes_every_addition_of_its_shards_alone(count, size):
    divided = module.shares(count, size)
    for own, alone in zip(divided.contributed, divided.alone, strict=True):
        within = [one for one in additions(count) if {*range(one.into, one.end)} <= {*own}]
        assert [*alone] == within


def summed(gradients):
    """The sum in the order of the tree."""
    terms = [gradient.copy() for gradient in gradients]
    for one in additions(len(terms)):
        terms[one.into] += terms[one.other]
    return terms[0]


def _slice(rank, size):
    """The elements of 11 that one of the processes adds up."""
    return 11 * (rank + 1) // size - 11 * rank // size


@pytest.mark.parametrize(("count", "size"), [(1, 1), (5, 1), (5, 2), (5, 3), (2, 3), (1, 2), (8, 3), (7, 4)])  # fmt: skip
def test_processes_add_up_in_the_order_of_the_tree_whatever_their_number(count, size):
    numbers = np.random.Generator(np.random.PCG64(count))
    steps = [numbers.normal(size=(count, 11)).astype(np.float32) for _ in range(2)]

    def run(group):
        partition, found = DistributedPartition(count, group), []
        own = partition.computed(count)
        assert len(own) == partition.width
        for gradients in steps:  # the second in the buffers of the first
            mine = [gradients[shard].copy() for shard in own]
            for one in partition.additions(count):
                mine[one.into - own.start] += mine[one.other - own.start]
            partition.add_up(count, mine)
            found.append(mine[0])
        # of each gradient that is left all slices but the own one, and the sum's own slice to all
        left, slice_ = len(module.shares(count, size).left[group.rank]), _slice(group.rank, size)
        assert partition.sent == 2 * 4 * (left * (11 - slice_) + slice_ * (size - 1))
        return found

    for found in in_processes(size, run):
        for gradients, total in zip(steps, found, strict=True):
            assert total.tobytes() == summed(gradients).tobytes()


@pytest.mark.parametrize(("count", "size"), [(1, 1), (5, 2), (2, 3), (7, 3)])
def test_what_each_process_has_is_gathered_in_all(count, size):
    arrays = np.arange(count * 6, dtype=np.float32).reshape(count, 2, 3)
    asked = [[None, 15], [None, None]]

    def run(group):
        partition, found = DistributedPartition(count, group), []
        assert (partition.signal, partition.seconds, partition.sent) == (0, 0.0, 0)
        own = partition.computed(count)
        gathered = partition.gather(count, [arrays[shard] for shard in own])
        np.testing.assert_array_equal(gathered, arrays)
        assert {array.dtype for array in gathered} == {arrays.dtype}
        for signals in asked:
            group.signalled = lambda signals=signals: signals[group.rank == size - 1]
            totals = [np.array(float(shard)) for shard in own]
            assert partition.losses(count, totals) == list(map(float, range(count)))
            found.append(partition.signal)
        return found

    assert in_processes(size, run) == [[15, 0]] * size


@pytest.mark.parametrize(("shards", "size", "n", "rows", "computed"), [
    (5, 2, 10, [(0, 4), (4, 10)], [(0, 2), (2, 5)]),
    (5, 2, 12, [(0, 6), (6, 12)], [(0, 2), (2, 5)]),
    (2, 3, 4, [(0, 2), (0, 2), (2, 4)], [(0, 1), (0, 1), (1, 2)]),
    (4, 2, 1, [(0, 1), (0, 1)], [(0, 1), (0, 1)]),
    (2, 5, 4, [(0, 2), (0, 2), (0, 2), (2, 4), (2, 4)], [(0, 1), (0, 1), (0, 1), (1, 2), (1, 2)]),
])  # fmt: skip
def test_a_process_reads_the_rows_of_its_shards_alone(shards, size, n, rows, computed):
    def run(group):
        partition = DistributedPartition(shards, group)
        of_rows, own = partition.rows(n), partition.computed(partition.count(n))
        return (of_rows.start, of_rows.stop), (own.start, own.stop)

    assert in_processes(size, run) == list(zip(rows, computed, strict=True))


def test_what_is_sent_and_how_long_it_takes_is_counted(monkeypatch):
    def run(group):
        partition = DistributedPartition(2, group)
        partition.add_up(2, [np.ones(10, np.float32)])  # half of it to the other, half of the sum
        sent = partition.sent
        partition.gather(2, [np.ones(3, np.float32)])
        return sent, partition.sent

    assert in_processes(2, run) == [(20 + 20, 40 + 12)] * 2
    ticks = iter(range(100))
    monkeypatch.setattr(module.time, "perf_counter", lambda: float(next(ticks)))
    alone = DistributedPartition(1, OneProcess())
    for _ in range(3):
        alone.gather(1, [np.ones(3)])
    assert alone.seconds == 3.0


def layer(flops=0, size=0, shape=(10,), matrices=(), shardable=True, out=(1,)):
    """Stands for a bound layer."""
    parameters = {str(i): SimpleNamespace(shape=one) for i, one in enumerate(matrices)}

    def of(value):
        def asked(given):
            assert given == shape
            return value

        return asked

    asked = SimpleNamespace(shardable=of(shardable), flops=of(flops))
    return SimpleNamespace(
        name=str(flops), layer=asked, input_shape=shape, parameters=parameters, size=size, output_shape=out
    )  # fmt: skip


WIDE = (784, 4096)
MUCH = 10**9
IMAGE, MEMBERS = (8, 8, 3), (4, 10)


@pytest.mark.parametrize(("layers", "batch_size", "item_size", "expected"), [
    ([layer(20_000)], 1000, 4, 2),
    ([layer(19_999)], 1000, 4, 1),
    ([layer(30_000), layer(20_000)], 1000, 4, 5),
    ([layer(100)], 10, 4, 1),
    ([layer(MUCH)], 127, 4, 1),  # 64 rows a shard
    ([layer(MUCH)], 128, 4, 2),
    ([layer(MUCH)], 10_000, 4, 8),
    ([layer(MUCH, shardable=False)], 10_000, 4, 1),
    ([layer(MUCH), layer(5, shardable=False)], 10_000, 4, 1),
    ([layer(MUCH, 64_000_000)], 10_000, 4, 2),  # 256 MB of gradient
    ([layer(MUCH, 64_000_001)], 10_000, 4, 1),
    ([layer(MUCH, 256_000_001)], 10_000, 1, 1),
    ([layer(MUCH, 8_000_000), layer(5, 8_000_000)], 10_000, 4, 5),
    ([layer(MUCH, 8_000_000)], 10_000, 8, 5),
    ([layer(MUCH, shape=IMAGE)], 31, 4, 1),  # 16 images a shard
    ([layer(MUCH, 999_999, shape=IMAGE)], 32, 4, 2),
    ([layer(MUCH, 1_000_000, shape=IMAGE)], 63, 4, 1),  # of 4 MB and more 32
    ([layer(MUCH, 1_000_000, shape=IMAGE)], 64, 4, 2),
    ([layer(MUCH, shape=IMAGE), layer(MUCH + 2)], 32, 4, 1),  # less than half of the work
    ([layer(MUCH, shape=IMAGE), layer(MUCH - 2)], 32, 4, 2),
    ([layer(MUCH, shape=IMAGE), layer(MUCH - 1), layer(1)], 32, 4, 2),  # half of it
    ([layer(MUCH, 10, shape=MEMBERS)], 32, 4, 2),
    ([layer(MUCH, MUCH // 4, shape=MEMBERS)], 64, 0, 1),  # weights that each member has itself
    ([layer(MUCH, MUCH // 4 - 1, shape=MEMBERS)], 32, 0, 2),
    ([layer(MUCH, 10, shape=MEMBERS), layer(MUCH + 2)], 32, 4, 1),
    ([layer(MUCH, matrices=[WIDE])], 10_000, 4, 1),
    ([layer(MUCH, matrices=[(4000, 1024)])], 10_000, 4, 1),  # in two tiles
    ([layer(9 * MUCH, matrices=[WIDE]), layer(MUCH)], 10_000, 4, 8),  # nine tenths in tiles
    ([layer(9 * MUCH, matrices=[WIDE]), layer(MUCH - 10)], 10_000, 4, 1),
])  # fmt: skip
def test_there_are_as_many_shards_as_there_is_work_for(layers, batch_size, item_size, expected):
    found = shards_for(layers, batch_size, item_size)
    assert found == expected and type(found) is int


def test_only_wide_matrices_have_tiles():
    assert tiles_of(layer()) == tiles_of(layer(matrices=[(10, 10), (4096,)])) == 1
    assert tiles_of(layer(matrices=[(10, 10), WIDE, (7,)])) == tiles_of(layer(matrices=[WIDE])) > 1


@pytest.mark.parametrize(("layers", "steps", "shares", "expected"), [
    ([], 19_990, False, "numpy"),
    ([], 20_000, False, "numpy"),
    ([], 20_010, False, "numba"),  # a second in steps of 50 us
    ([], 1_999, True, "numpy"),
    ([], 2_001, True, "numba"),
    ([layer(size=25_000, out=(2, 500)), layer(size=50_000, out=(4000,))], 9_990, False, "numpy"),
    ([layer(size=25_000, out=(2, 500)), layer(size=50_000, out=(4000,))], 10_010, False, "numba"),
])  # fmt: skip
def test_compiled_loops_are_taken_where_they_save_more_than_they_take_to_load(
    monkeypatch, layers, steps, shares, expected
):
    monkeypatch.setattr(kernels, "numba_is_there", lambda: True)
    assert kernels.kernels_for(layers, 10, steps, shares_process=shares) == expected
    monkeypatch.setattr(kernels, "numba_is_there", lambda: False)
    assert kernels.kernels_for(layers, 10, steps, shares_process=shares) == "numpy"
