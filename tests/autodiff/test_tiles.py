"""Products of wide layers in tiles: the same numbers whole or divided, the same bits whoever makes which tile."""

import itertools

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.backward import backward, nodes_above
from nettrain.autodiff.compiled import compiled_form
from nettrain.autodiff.ops import matmul
from nettrain.autodiff.ops.affine import Affine
from nettrain.autodiff.ops.matmul import Matmul, bands, columns
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.plan.memory import Arena
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.plan.shards import Shards
from nettrain.autodiff.primitive import make_calls
from nettrain.autodiff.tensor import Tensor
from nettrain.jit import Loop

SHAPES = [(40, 48), (48, 40), (7, 130), (130, 7), (33, 65)]


@pytest.fixture
def narrow(monkeypatch):
    """What is wide here."""
    monkeypatch.setattr(matmul, "WIDE", 500)
    monkeypatch.setattr(matmul, "TILE", 20)


def arrays(*shapes):
    generator = np.random.Generator(np.random.PCG64(3))
    return [generator.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize(
    "primitive", [Matmul(), Affine(), Affine(Relu())], ids=["matmul", "affine", "affine and relu"]
)
def test_the_gradient_of_a_weight_is_the_product_of_its_factors(primitive):
    x, w, b, dy = arrays((9, 5), (5, 4), (4,), (9, 4))
    inputs = (x, w) if isinstance(primitive, Matmul) else (x, w, b)
    out, dw = np.empty_like(dy), np.empty_like(w)
    sizes = primitive.scratch(*[x.shape for x in inputs]).items()
    scratch = {name: np.full(size, np.nan) for name, (size, _) in sizes}
    primitive.forward(out, *inputs, **scratch)
    primitive.backward([None, dw, None][: len(inputs)], dy, out, *inputs, **scratch)
    left, right = primitive.factors(dy, *inputs, **scratch)
    np.testing.assert_array_equal(left @ right, dw)


def test_a_gradient_that_is_divided_in_tiles_or_of_many_matrices_has_no_factors(narrow):
    x, w, dy = arrays((9, 40), (40, 48), (9, 48))
    assert columns(*w.shape) and Matmul().factors(dy, x, w) is None
    a, b, dc = arrays((2, 3, 5), (2, 5, 4), (2, 3, 4))
    assert Matmul().factors(dc, a, b) is None


@pytest.mark.parametrize("o", [513, 1000, 1024, 4096, 5001])
def test_tiles_cover_every_column_once_and_evenly(o):
    tiles = columns(5000, o)
    assert np.concatenate([np.arange(o)[t] for t in tiles]).tolist() == list(range(o))
    sizes = [t.stop - t.start for t in tiles]
    assert max(sizes) <= 512 and max(sizes) - min(sizes[:-1] or sizes) == 0


@pytest.mark.parametrize(("i", "o"), [(784, 512), (512, 512), (100_000, 512), (2000, 1000)])
def test_what_is_not_wide_or_has_few_columns_is_left_whole(i, o):
    assert columns(i, o) is None


@pytest.mark.parametrize(
    "wanted", [w for w in itertools.product([True, False], repeat=3) if any(w)]
)
@pytest.mark.parametrize(
    "primitive", [Matmul(), Affine(), Affine(Relu())], ids=["matmul", "affine", "affine and relu"]
)
@pytest.mark.parametrize("shape", SHAPES)
def test_tiles_compute_what_the_whole_does(shape, primitive, wanted, monkeypatch):
    i, o = shape
    inputs = arrays((9, i), shape, (o,))[: 2 if isinstance(primitive, Matmul) else 3]
    if not any(wanted[: len(inputs)]):
        return
    (dy,) = arrays((9, o))

    def run():
        out = np.full((9, o), np.nan)
        scratch = {
            name: np.full(size, np.nan)
            for name, (size, _) in primitive.scratch(*[x.shape for x in inputs]).items()
        }
        primitive.forward(out, *inputs, **scratch)
        grads = [
            np.full(x.shape, np.nan) if want else None
            for x, want in zip(inputs, wanted, strict=False)
        ]
        primitive.backward(grads, dy, out, *inputs, **scratch)
        return [out, *[g for g in grads if g is not None]]

    whole = run()
    monkeypatch.setattr(matmul, "WIDE", 500)
    monkeypatch.setattr(matmul, "TILE", 20)
    for found, expected in zip(run(), whole, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


PRODUCTS = {"matmul": Matmul(), "affine": Affine(), "affine and relu": Affine(Relu()), "compiled": compiled_form(Affine(Relu()))}  # fmt: skip


def wide_product(primitive):
    """Its arguments forward and backward, and its scratch, of a product that is wide here."""
    inputs = arrays((9, 40), (40, 48), (48,))[: 2 if isinstance(primitive, Matmul) else 3]
    out, (dy,) = np.full((9, 48), np.nan), arrays((9, 48))
    grads = [np.full(x.shape, np.nan) for x in inputs]
    sizes = primitive.scratch(*[x.shape for x in inputs])
    scratch = {name: np.full(size, np.nan) for name, (size, _) in sizes.items()}
    return (out, *inputs), (grads, dy, out, *inputs), scratch


@pytest.mark.parametrize("primitive", PRODUCTS.values(), ids=PRODUCTS)
def test_each_tile_writes_columns_of_its_own(primitive, narrow, monkeypatch):
    """So threads may make them at once. Loops are given whole rows, of which they touch these columns."""
    monkeypatch.setattr(Loop, "entry", lambda loop, *args: loop.function)
    forward, backward, scratch = wide_product(primitive)
    out, grads = forward[0], backward[0]
    (queues,) = primitive.forward_tiles(*forward, **scratch)
    for queue, tile in zip(queues, columns(40, 48), strict=True):
        make_calls(queue)
        assert np.flatnonzero(~np.isnan(out).all(0)).tolist() == list(range(tile.stop))
        for function, args, _ in queue:
            if function.__name__.endswith("_loop"):
                assert all(x.flags.c_contiguous for x in args)
    found = []
    for queue in itertools.chain.from_iterable(primitive.backward_tiles(*backward, **scratch)):
        before = [np.isnan(dx) for dx in grads]
        make_calls(queue)
        changed = [old & ~np.isnan(dx) for old, dx in zip(before, grads, strict=True)]
        found.append([int(each.any(0).sum()) if each.ndim > 1 else int(each.sum()) for each in changed])  # fmt: skip
    own, all_of = ([[32, 0], [8, 0]], [[0, 16], [0, 16], [0, 16]])
    if isinstance(primitive, Affine):
        own, all_of = [[*each, 0] for each in own], [[*each, each[1]] for each in all_of]
    assert sorted(found) == sorted(own + all_of)


@pytest.mark.parametrize("primitive", PRODUCTS.values(), ids=PRODUCTS)
def test_an_eager_product_is_made_in_the_tiles_of_a_plan(primitive, narrow, monkeypatch):
    """BLAS may round a tile in another way than the whole."""
    forward, backward, scratch = wide_product(primitive)
    monkeypatch.setattr(Matmul, "forward_tiles", lambda *_, **scratch: [])
    monkeypatch.setattr(Affine, "forward_tiles", lambda *_, **scratch: [])
    monkeypatch.setattr(Matmul, "backward_tiles", lambda *_, **scratch: [])
    monkeypatch.setattr(Affine, "backward_tiles", lambda *_, **scratch: [])
    primitive.forward(*forward, **scratch)
    primitive.backward(*backward, **scratch)
    assert all(np.isnan(x).all() for x in (forward[0], *backward[0]))


def test_the_gradient_of_a_product_in_tiles_has_no_factors(narrow):
    for primitive in (Matmul(), Affine()):
        forward, (_, dy, *_), scratch = wide_product(primitive)
        assert primitive.factors(dy, *forward[1:], **scratch) is None


def in_turn(tasks):
    for task in tasks:
        task()


def backwards(tasks):
    for task in reversed(tasks):
        task()


@pytest.mark.parametrize("run_tasks", [in_turn, backwards])
@pytest.mark.parametrize("rows", [(12,), (7, 5)])
def test_a_replay_in_tiles_has_the_bits_of_an_eager_run_whoever_makes_which(
    rows, run_tasks, narrow
):
    w, b, v, c = (
        Tensor(a.astype(np.float32), requires_grad=True)
        for a in arrays((50, 60), (60,), (60, 50), (50,))
    )
    parameters = [w, b, v, c]
    (x,) = arrays((sum(rows), 50))
    x = x.astype(np.float32)
    starts = np.cumsum([0, *rows])
    parts = [slice(start, stop) for start, stop in itertools.pairwise(starts)]

    def loss(part, feed):
        hidden = F.relu(Tensor(x[part], feed=feed) @ w + b)
        y = F.tanh(hidden @ v + c) @ w
        return (y * y).sum()

    slots = [{p: np.full_like(p.value, np.nan) for p in parameters} for _ in parts]
    losses = [loss(part, True) for part in parts]
    plans = [Plan(y, into=slot, arena=Arena()) for y, slot in zip(losses, slots, strict=True)]
    assert max(len(phase) for phase in plans[0].forwards) == 2
    assert max(len(phase) for phase in plans[0].backwards) == 4
    x[...] *= 2
    shards = Shards(plans, run_tasks)
    assert not shards.undivided
    shards.forward()
    shards.backward()
    for part, y, slot in zip(parts, losses, slots, strict=True):
        eager = loss(part, False)
        assert y.value == eager.value
        expected = backward(eager)
        for p in parameters:
            np.testing.assert_array_equal(slot[p], expected[p])


@pytest.mark.parametrize(("n", "i", "o", "faster"), [
    (16, 128, 128, True), (16, 128, 127, False), (32, 128, 128, True), (32, 127, 129, False),
    (64, 256, 256, True), (64, 255, 256, False), (128, 512, 512, True), (128, 511, 512, False),
    (64, 2500, 1000, False),  # divided in tiles
])  # fmt: skip
def test_dx_of_few_rows_and_a_large_matrix_is_computed_transposed(n, i, o, faster):
    assert (Matmul().scratch((n, i), (i, o)) == {"da_t": ((i, n), None)}) == faster
    assert ("da_t" in Affine(Relu()).scratch((n, i), (i, o), (o,))) == faster


@pytest.mark.parametrize("primitive", [Matmul(), Affine()], ids=["matmul", "affine"])
def test_dx_computed_transposed_is_the_product(primitive):
    n, i, o = 16, 130, 128
    x, w, b, dy = arrays((n, i), (i, o), (o,), (n, o))
    inputs = (x, w) if isinstance(primitive, Matmul) else (x, w, b)
    for wanted in ((True, True), (True, False), (False, True)):
        scratch = {name: np.full(shape, np.nan) for name, (shape, _) in primitive.scratch(*[a.shape for a in inputs]).items()}  # fmt: skip
        dx, dw = np.full((n, i), np.nan), np.full((i, o), np.nan)
        slots = [dx if wanted[0] else None, dw if wanted[1] else None, None][: len(inputs)]
        primitive.backward(slots, dy, dy, *inputs, **scratch)
        if wanted[0]:
            np.testing.assert_allclose(dx, dy @ w.T, rtol=1e-12, atol=1e-12)
            np.testing.assert_array_equal(scratch["da_t"], dx.T)
        if wanted[1]:
            np.testing.assert_allclose(dw, x.T @ dy, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("i", "o", "heights"), [
    (784, 512, [208, 208, 208, 160]), (512, 512, [256, 256]), (300, 300, [300]),
    (9216, 128, [1024] * 9), (131_072, 1, [131_072]), (43_691, 3, [21_856, 21_835]), (20, 100_000, [16, 4]), (5000, 1024, [5000]), (64, 64, [64]), (0, 5, [0]),
])  # fmt: skip
def test_bands_are_all_rows_in_order(i, o, heights):
    found = bands(i, o)
    assert [band.stop - band.start for band in found] == heights
    assert [row for band in found for row in range(i)[band]] == list(range(i))


def test_the_gradient_of_a_matrix_of_many_bands_is_the_product():
    x, dy = arrays((3, 784), (3, 512))
    dw = np.full((784, 512), np.nan)
    Matmul().backward([None, dw], dy, dy, x, dw)
    np.testing.assert_allclose(dw, x.T @ dy, rtol=1e-12, atol=1e-12)


def test_the_calls_of_tiles_have_the_origin_of_their_product(narrow):
    x, w = (Tensor(a, requires_grad=True) for a in arrays((9, 40), (40, 48)))
    y = F.tanh(x @ w)
    plan, origins = Plan(y, {w: np.empty((40, 48))}, dy=np.ones((9, 48))), []
    plan.instrument(lambda direction, calls, found: origins.extend(found) or calls)
    assert set(origins) == {node.origin for node, _ in nodes_above(y)}
