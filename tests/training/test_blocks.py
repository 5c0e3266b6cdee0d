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
from nettrain.training.engine import completion as completion_module
from nettrain.training.engine.blocks import BLOCK, Block, blocks, large_matrices
from nettrain.training.engine.completion import Completion
from nettrain.training.engine.partition import Partition
from nettrain.training.engine.step import Step
from nettrain.training.engine.threads import ThreadPool, in_turn, run_serially
from nettrain.training.engine.tree_sum import Addition
from nettrain.training.engine.update import Update

ZEROS = Initializer.parse("zeros")


def vector_of(shapes, **options):
    return ParameterVector(
        {name: Parameter(shape, ZEROS, **options.get(name, {})) for name, shape in shapes.items()},
        np.dtype("float32"),
    )


VECTORS = {
    "a small network": {"w": (4, 3), "b": (3,)},
    "a large matrix behind others": {"b": (5,), "a": (40, 3), "c": (512, 512), "e": (3,)},
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
    later = vector_of({"a": (512, 512), "b": (512, 512)}, a={"decayed": False})
    assert list(large_matrices(later).items()) == [*sorted(later.places.items(), reverse=True)]
    frozen = {name: {"trainable": False} for name in shapes}
    assert large_matrices(vector_of(shapes, **frozen)) == {}


@pytest.mark.parametrize("shards", [1, 2])
def test_a_block_is_completed_with_the_products_left_and_the_sums_that_are_asked_for(shards):
    numbers = streams.generator(0, "completion")
    a, b = numbers.normal(size=(2, 4, 6)), numbers.normal(size=(2, 6, 5))
    gradients = numbers.normal(size=(shards, 30))
    expected = gradients.copy()
    expected[0, 5:15] = (a[0, 1:3] @ b[0]).ravel()  # of the other shard this product is not left
    sums = [Addition(0, 1, 2)] if shards == 2 else []
    if shards == 2:
        expected[0, 5:25] += expected[1, 5:25]
    products = [{"w": (a[0], b[0]), "v": (a[1], b[1])}, {}][:shards]
    completion = Completion([*gradients], products, sums)
    rows = Block(slice(5, 15), 1.0, "w", slice(1, 3))
    for _ in range(2):  # what is done again is done as before
        before = gradients.copy()
        completion(rows)
        np.testing.assert_allclose(gradients[0, 5:15], expected[0, 5:15], rtol=1e-12)
        before[0, 5:15] = gradients[0, 5:15]
        np.testing.assert_array_equal(gradients, before)
    completion(Block(slice(15, 25), 1.0, "not left", slice(0, 2)))
    np.testing.assert_array_equal(gradients[0, 15:25], expected[0, 15:25])
    completion(Block(slice(25, 30), 1.0))
    if shards == 1:
        np.testing.assert_array_equal(gradients[0, 25:], expected[0, 25:])


def test_calls_that_complete_a_block_are_made_once(monkeypatch):
    made = []
    call = completion_module.product_call
    monkeypatch.setattr(
        completion_module, "product_call", lambda *given: made.append(1) or call(*given)
    )
    completion = Completion([np.zeros(8)], [{"w": (np.ones((2, 3)), np.ones((3, 4)))}], [])
    for _ in range(3):
        completion(Block(slice(0, 4), 1.0, "w", slice(0, 1)))
        completion(Block(slice(4, 8), 1.0, "w", slice(1, 2)))
    assert len(made) == 2


@pytest.mark.parametrize(("products", "sums", "expected"), [
    ([{}, {}], [], False), ([{}, {"w": ()}], [], True), ([{}, {}], [Addition(0, 1, 2)], True), ([], [], False),
])  # fmt: skip
def test_there_is_something_to_complete_where_a_product_is_left_or_shards_are_added(
    products, sums, expected
):
    assert bool(Completion([], products, sums)) is expected


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
    monkeypatch.setattr("nettrain.training.engine.blocks.LARGE", 2000)
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
    monkeypatch.setattr("nettrain.training.engine.blocks.LARGE", 10**9)
    monkeypatch.setattr(matmul, "BAND", 10**9)
    whole = trained(1)
    assert divided[2] == [True, True] and whole[2] == [False, False]
    np.testing.assert_allclose(divided[1], whole[1], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("shards", [1, 2])
def test_unless_asked_otherwise_a_computation_completes_the_gradient(shards, small_blocks):
    network = Network([Dense(units=72), Dense(units=3)], (40,))
    x = np.sin(np.arange(960, dtype=np.float32)).reshape(24, 40)
    part = Part(x, np.arange(24) % 3)
    update = Update(network.vector, Optimizer.parse("sgd"), Regularization())
    loss, gradient, found = Loss.parse("cross_entropy"), network.vector.gradient, []
    for replay in (True, False):
        step = Step(network, loss, update, part, 3, 24, partition=Partition(shards), replay=replay)
        gradient.fill(np.nan)
        step.batch.gather(np.arange(24))
        step.computation(24, step=0)
        assert step.computation.pending is None
        found.append(gradient.tobytes())
    assert np.isfinite(gradient).all() and found[0] == found[1]


@pytest.mark.parametrize(("threads", "tasks"), [(1, 1), (2, 2), (50, 7)])
def test_a_gradient_is_completed_by_as_many_tasks_as_there_are_threads_and_blocks(
    threads, tasks, small_blocks
):
    seen = []

    def run_tasks(given):
        seen.append(len(given))
        run_serially(given)

    trained(1, run_tasks, clip_norm=1.0, rows=24, threads=lambda: threads)
    assert seen == [tasks, 3]  # the update has three


def test_factors_larger_than_the_matrix_are_not_kept(small_blocks):
    """Of a batch of 36 rows they have 36 (72 + 72) elements, as many as the matrix."""
    network = Network([Dense(units=72), Dense(units=3)], (72,))
    part = Part(np.ones((37, 72), np.float32), np.arange(37) % 3)
    update = Update(network.vector, Optimizer.parse("sgd"), Regularization())
    step = Step(network, Loss.parse("cross_entropy"), update, part, 3, 37)
    for rows, kept in ((37, False), (36, True), (24, True)):
        step.batch.gather(np.arange(rows))
        step.computation(rows, step=0, complete=False)
        assert (step.computation.pending is not None) is kept


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
