"""Blocks of parameters: a division of the vector, whose gradient is completed block by block without a bit changed by who does what when."""

import numpy as np
import pytest

from nettrain import streams
from nettrain.autodiff.ops import matmul
from nettrain.config.run_config import Regularization
from nettrain.data.part import Part
from nettrain.layers.activation import Activation as ActivationLayer
from nettrain.layers.dense import Dense
from nettrain.nn.activation import Activation
from nettrain.nn.initializer import Initializer
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.nn.parameter import Parameter
from nettrain.nn.vector import ParameterVector
from nettrain.optim import Optimizer
from nettrain.training.engine.blocks import BLOCK, blocks, large_matrices
from nettrain.training.engine.partition import Partition
from nettrain.training.engine.step import Step
from nettrain.training.engine.threads import ThreadPool, in_turn, run_serially
from nettrain.training.engine.update import Update

ZEROS = Initializer.parse("zeros")


def vector_of(shapes, **options):
    return ParameterVector(
        {name: Parameter(shape, ZEROS, **options.get(name, {})) for name, shape in shapes.items()},
        np.dtype("float32"),
    )


VECTORS = {
    "a small network": {"w": (4, 3), "b": (3,)},
    "large matrices": {"a": (784, 512), "b": (512,), "c": (512, 512), "d": (512, 10)},
    "few rows of a large matrix": {"a": (40, 60_000), "b": (3, 50_000)},
    "what is divided in tiles": {"a": (4096, 1024), "b": (300, 300)},
    "what is no matrix": {"a": (3, 3, 300, 300), "b": (70_000,)},
}


@pytest.mark.parametrize("shapes", VECTORS.values(), ids=VECTORS)
def test_blocks_are_all_trained_parameters_once_and_those_of_a_matrix_whole_rows(shapes):
    options = {"b": {"rate": 0.5}, "d": {"trainable": False}}
    vector = vector_of(shapes, **options)
    found = blocks(vector)
    assert [block.part.start for block in found] == [0, *[block.part.stop for block in found[:-1]]]
    assert found[-1].part.stop == vector.trainable.stop
    rates = np.ones(len(vector))
    rates[vector.places["b"]] = 0.5
    for block in found:
        assert set(rates[block.part]) == {block.rate}
        assert (
            block.part.stop - block.part.start <= BLOCK
            or block.rows.stop - block.rows.start <= matmul.HEIGHT
        )
        if block.matrix is None:
            assert block.rows == slice(0, 0)
        else:
            rows, width = shapes[block.matrix]
            place = vector.places[block.matrix]
            assert block.part == slice(
                place.start + block.rows.start * width, place.start + block.rows.stop * width
            )
            assert block.rows.start % matmul.HEIGHT == 0
            assert block.rows.stop == rows or block.rows.stop % matmul.HEIGHT == 0
    of_matrices = {block.matrix for block in found} - {None}
    assert of_matrices == set(large_matrices(vector))


@pytest.mark.parametrize(("shapes", "expected"), [
    (VECTORS["large matrices"], ["a", "c"]),
    ({"a": (256, 256), "b": (256, 255)}, ["a"]),  # 65,536 elements and fewer
    (VECTORS["what is divided in tiles"], ["b"]),
    (VECTORS["what is no matrix"], []),
])  # fmt: skip
def test_large_matrices_are_those_whose_product_is_worth_dividing(shapes, expected):
    assert list(large_matrices(vector_of(shapes))) == expected
    frozen = {name: {"trainable": False} for name in shapes}
    assert large_matrices(vector_of(shapes, **frozen)) == {}


def trained(shards=2, run_tasks=run_serially, clip_norm=None, batch_size=24, rows=40, **options):
    """The losses and the weights after some steps, and whether blocks were completed in updates."""
    relu = ActivationLayer(function=Activation.parse("relu"))
    network = Network([Dense(units=72), relu, Dense(units=48), relu, Dense(units=3)], (40,), seed=3)
    generator = streams.generator(0, "x")
    x = generator.normal(size=(rows, 40)).astype(np.float32)
    y = generator.integers(0, 3, rows)
    update = Update(
        network.vector,
        Optimizer.parse("adam"),
        Regularization(l2=1e-3),
        clip_norm,
        groups=3,
        run_tasks=run_tasks,
    )
    step = Step(
        network, Loss.parse("cross_entropy"), update, Part(x, y), 3, batch_size,
        partition=Partition(shards), run_tasks=run_tasks, **options,
    )  # fmt: skip
    pending, losses = [], []
    apply = step._apply

    def watched(lr, complete=None):
        pending.append(complete is not None)
        apply(lr, complete)

    step._apply = watched
    for start in range(0, rows, batch_size):
        losses.append(step(np.arange(start, min(start + batch_size, rows)), 0.01))
    return losses, network.vector.values.copy(), pending


@pytest.fixture
def small_blocks(monkeypatch):
    """What is large here: the first two matrices, in three blocks each at least."""
    monkeypatch.setattr(matmul, "LARGE", 2000)
    monkeypatch.setattr(matmul, "BAND", 1200)


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.compiled)])
@pytest.mark.parametrize("shards", [1, 2, 3])
def test_who_completes_a_block_and_when_changes_no_bit(shards, compiled, small_blocks):
    expected = trained(shards, replay=False)
    assert expected[2] == [False, False]
    with ThreadPool(2) as pool:
        runs = [
            trained(shards, compiled=compiled),
            trained(shards, pool.run, threads=lambda: 2, compiled=compiled),
            trained(shards, lambda tasks: run_serially(tasks[::-1]), compiled=compiled),
        ]
    for losses, weights, pending in runs:
        assert all(pending)
        np.testing.assert_allclose(losses, expected[0], rtol=1e-6)
        np.testing.assert_array_equal(weights, runs[0][1])
        if not compiled:
            np.testing.assert_array_equal(weights, expected[1])


def test_a_gradient_that_must_be_known_as_a_whole_is_completed_before_the_update(small_blocks):
    """Not clipped at all and clipped to a length that no gradient has: the same bits."""
    free, clipped = trained(), trained(clip_norm=1e6)
    assert all(free[2]) and not any(clipped[2])
    np.testing.assert_array_equal(free[1], clipped[1])
    accumulated = trained(batch_size=16, rows=32)
    assert accumulated[2] == [True, True]


def test_products_by_rows_are_the_gradient_of_the_undivided_run(small_blocks, monkeypatch):
    divided = trained(1)
    monkeypatch.setattr(matmul, "LARGE", 10**9)
    whole = trained(1)
    assert divided[2] == [True, True] and whole[2] == [False, False]
    np.testing.assert_allclose(divided[1], whole[1], rtol=1e-5, atol=1e-7)


def test_factors_larger_than_the_matrix_are_not_kept(small_blocks):
    """Of a batch of 64 rows they have 64 (40 + 72) elements, the matrix 2,880."""
    assert trained(1, batch_size=64, rows=64)[2] == [False]
    assert trained(1, batch_size=24, rows=24)[2] == [True]


def test_tasks_take_the_next_item_until_none_is_left():
    done = []
    tasks = in_turn(lambda item, place: done.append((place, item)), range(5), "ab")
    assert len(tasks) == 2
    tasks[1]()
    tasks[0]()
    assert done == [("b", item) for item in range(5)]


def test_two_threads_share_items_out():
    taken = []
    with ThreadPool(2) as pool:
        pool.run(in_turn(lambda item, place: taken.append(item), range(100), range(2)))
    assert sorted(taken) == list(range(100))
