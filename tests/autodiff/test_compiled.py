"""Compiled forms against their operations: float32 within rounding on awkward shapes, NaN and infinity, rows in any number, no memory."""

import os
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.autodiff.compiled import compiled_form
from nettrain.autodiff.ops import (
    depthwise,
    dropout,
    global_pooling,
    group_normalization,
    matmul,
    max_pooling,
    moments,
    normalization,
    normalization_block,
    pooling,
    reduction,
    row_normalization,
    selection,
    smooth,
)
from nettrain.autodiff.ops.affine import Affine
from nettrain.autodiff.ops.cross_entropy import SoftmaxCrossEntropy
from nettrain.autodiff.ops.feature_product import FeatureProduct
from nettrain.autodiff.ops.parametric_activation import ParametricActivation
from nettrain.autodiff.ops.periodic import Periodic
from nettrain.autodiff.ops.piecewise_linear import PiecewiseLinear
from nettrain.autodiff.ops.scale import Scale
from nettrain.autodiff.primitive import make_calls
from nettrain.autodiff.tensor import float_type
from nettrain.optim import adam
from nettrain.streams import StepStream, generator

pytestmark = pytest.mark.compiled

# sizes of 1, of less than a vector, of a vector and one more, of more than a block of rows
SHAPES = [(1, 1), (1, 17), (3, 7), (33, 16), (300, 5), (129, 33)]


def numbers(name, *sizes, low=-2.0, high=2.0):
    return generator(0, name, *sizes).uniform(low, high, sizes).astype(np.float32)


def affine(n, o):
    return [numbers("x", n, 6), numbers("w", 6, o), numbers("b", o)]


def members(n, o):
    return [numbers("x", n, 2, 6), numbers("w", 2, 6, o), numbers("b", 2, o)]


def scaled(n, c):
    return [numbers("x", n, 3, c), numbers("s", 3, c)]


def channels(n, c):
    return [numbers("x", n, c), numbers("gamma", c, low=0.5), numbers("beta", c)]


def normalized(n, c):
    x, gamma, beta = channels(n, c)
    return [x, np.stack([numbers("m", c), numbers("v", c, low=0.5)]), gamma, beta]


def one(n, c):
    return [numbers("x", n, c)]


def bins(n, o):
    """Rows in, before and behind 5 bins, the last of which the second feature has not."""
    lower = np.array([np.linspace(-1, 1, 5), [-1, -0.5, 0, 0.5, 0]], np.float32)
    slope = np.array([[2] * 5, [2, 2, 2, 1, 0]], np.float32)
    line = [numbers("u", 2, o), numbers("c", 2, o)]
    return [numbers("x", n, 2, 1), lower, slope, *line, numbers("w", 2, 5, o)]


def waves(n, o):
    return [
        *[numbers("x", n, 2, 1), numbers("q", 2, 6), numbers("r", 2, 6)],
        *[numbers("w", 2, 6, o), numbers("b", 2, o)],
    ]


def images(n, c):
    return [numbers("x", 2, n + 1, 4, c)]


def filters(n, c, k=1):
    return [*images(n, c), numbers("w", 3, 2, 1, c * k), numbers("b", c * k)]


AROUND = ((1, 1), (0, 1))
TABLE = {
    "affine": (lambda: Affine(), affine),
    "affine, relu": (lambda: Affine(selection.Relu()), affine),
    "affine, sigmoid": (lambda: Affine(smooth.Sigmoid()), affine),
    "affine, tanh": (lambda: Affine(smooth.Tanh()), affine),
    "affine, members": (lambda: Affine(None, FeatureProduct()), members),
    "affine, members, relu": (lambda: Affine(selection.Relu(), FeatureProduct()), members),
    "affine, factors, sigmoid": (
        lambda: Affine(smooth.Sigmoid(), Scale()),
        lambda n, c: [*scaled(n, c), numbers("b", 3, c)],
    ),
    "cross-entropy": (
        lambda: SoftmaxCrossEntropy(),
        lambda n, k: [numbers("z", n, k, low=-20, high=20), np.arange(n) % k],
    ),
    "average pool": (lambda: pooling.AveragePool(), images),
    "average pool, overlapping": (lambda: pooling.AveragePool((3, 2), (2, 1), AROUND), images),
    "depthwise": (lambda: depthwise.Depthwise(padding=AROUND), filters),
    "depthwise with a stride, dilated": (
        lambda: depthwise.Depthwise((2, 3), ((2, 2), (0, 1)), (2, 1)),
        lambda n, c: filters(n, c, 2),
    ),
    "dropout": (lambda: dropout.Dropout(0.3, StepStream(0, "dropout").seek(5)), one),
    "dropout, scheduled": (
        lambda: dropout.Dropout(lambda: 0.3, StepStream(0, "dropout").seek(5)),
        one,
    ),
    "elu": (lambda: smooth.Elu(1.0, 1.0), lambda n, c: [numbers("x", n, c, low=-100, high=100)]),
    "mish": (lambda: smooth.Mish(), lambda n, c: [numbers("x", n, c, low=-100, high=100)]),
    "global average pool": (lambda: global_pooling.GlobalAveragePool(), images),
    "group norm": (
        lambda: group_normalization.NormalizeGroups(2, 1e-3),
        lambda n, c: [*images(n, 2 * c), numbers("gamma", 2 * c), numbers("beta", 2 * c)],
    ),
    "max pool": (lambda: max_pooling.MaxPool(), images),
    "max pool, overlapping": (lambda: max_pooling.MaxPool((3, 2), (2, 1), AROUND), images),
    "moments": (lambda: moments.Moments(), lambda n, c: [numbers("x", n, c) + 3]),
    "normalize": (lambda: normalization.Normalize(1e-5), normalized),
    "normalize, relu": (
        lambda: normalization_block.NormalizationBlock(
            normalization.Normalize(1e-5), selection.Relu()
        ),
        normalized,
    ),
    "normalize rows": (lambda: row_normalization.NormalizeRows(1e-3), channels),
    "parametric mish": (lambda: ParametricActivation(smooth.Mish()), scaled),
    "parametric relu": (lambda: ParametricActivation(selection.Relu()), scaled),
    "parametric tanh": (
        lambda: ParametricActivation(smooth.Tanh()),
        lambda n, c: [numbers("x", n, c), numbers("a", c)],
    ),
    "periodic": (lambda: Periodic(2 * np.pi), waves),
    "piecewise linear": (lambda: PiecewiseLinear(), bins),
    "scale": (lambda: Scale(), scaled),
    "scale, one row for all": (
        lambda: Scale(),
        lambda n, c: [numbers("x", n, 2, c), numbers("s", c)],
    ),
    "sum": (lambda: reduction.Sum(), one),
    "relu": (lambda: selection.Relu(), one),
    "leaky relu": (lambda: selection.LeakyRelu(0.1), one),
    "selu": (lambda: smooth.Elu(1.6732632423543772, 1.0507009873554805), one),
    "sigmoid": (lambda: smooth.Sigmoid(), lambda n, c: [numbers("x", n, c, low=-100, high=100)]),
    "silu": (lambda: smooth.Silu(), lambda n, c: [numbers("x", n, c, low=-100, high=100)]),
    "tanh": (lambda: smooth.Tanh(), one),
}
# The inputs that get no gradient, where the loops have none for them; and those that are never NaN.
NO_GRADIENT = {"periodic": [0], "piecewise linear": [0, 1, 2]}
CONSTANT = {"piecewise linear": [1, 2]}
each = pytest.mark.parametrize("name", TABLE)


def run(primitive, inputs, dy=None, without=()):
    """The value and all gradients but some, in buffers that hold NaN before."""
    shapes = [x.shape for x in inputs]
    out = np.full(primitive.infer(*shapes), np.nan, float_type(inputs))
    kinds = primitive.scratch(*shapes).items()
    scratch = {
        key: np.full(shape, np.nan if dtype is None else 0, dtype or out.dtype)
        for key, (shape, dtype) in kinds
    }
    grads = [
        np.full_like(x, np.nan) if x.dtype.kind == "f" and i not in without else None
        for i, x in enumerate(inputs)
    ]
    if dy is None:
        dy = np.cos(np.arange(out.size, dtype=out.dtype)).reshape(out.shape)
    with np.errstate(all="ignore"):
        make_calls(primitive.forward_calls(out, *inputs, **scratch))
        make_calls(primitive.backward_calls(grads, dy, out, *inputs, **scratch))
    return [out, *(grad for grad in grads if grad is not None)]


@each
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_it_is_numpys_within_the_rounding_of_float32(name, shape):
    make, inputs = TABLE[name]
    without = NO_GRADIENT.get(name, ())
    wide = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in inputs(*shape)]
    if name.startswith("dropout"):
        wide = inputs(*shape)  # float32 takes other draws
    exact, plain, loops = (
        run(primitive, given, without=without)
        for primitive, given in (
            (make(), wide),
            (make(), inputs(*shape)),
            (compiled_form(make()), inputs(*shape)),
        )
    )
    for found, other, right in zip(loops, plain, exact, strict=True):
        assert found.dtype == np.float32
        most = np.abs(right).max()
        assert np.abs(found - right).max() <= max(2 * np.abs(other - right).max(), 4e-6 * most)


@each
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (33, 17)], ids=str)
@pytest.mark.parametrize("place", [0, -1])
def test_what_is_not_finite_comes_out_where_it_comes_out_of_numpy(name, value, shape, place):
    make, inputs = TABLE[name]
    without = NO_GRADIENT.get(name, ())
    for which, x in enumerate(inputs(*shape)):
        if x.dtype.kind != "f" or which in CONSTANT.get(name, ()):
            continue
        given = inputs(*shape)
        given[which].flat[place] = value
        for found, expected in zip(
            run(compiled_form(make()), given, without=without),
            run(make(), given, without=without),
            strict=True,
        ):
            np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
            assert np.isnan(found[np.isnan(expected)]).all()
    given = inputs(*shape)
    dy = np.ones(make().infer(*[x.shape for x in given]), np.float32)
    dy.flat[place] = value
    for found, expected in zip(
        run(compiled_form(make()), given, dy, without), run(make(), given, dy, without), strict=True
    ):
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))


@each
def test_a_run_of_its_calls_takes_no_memory(name):
    make, inputs = TABLE[name]
    given = inputs(200, 100)
    primitive = compiled_form(make())
    shapes = [x.shape for x in given]
    out = np.empty(primitive.infer(*shapes), np.float32)
    scratch = {
        key: np.empty(shape, dtype or np.float32)
        for key, (shape, dtype) in primitive.scratch(*shapes).items()
    }
    grads = [
        np.empty_like(x) if x.dtype.kind == "f" and i not in NO_GRADIENT.get(name, ()) else None
        for i, x in enumerate(given)
    ]
    calls = primitive.forward_calls(out, *given, **scratch)
    calls += primitive.backward_calls(grads, np.ones_like(out), out, *given, **scratch)
    peaks = []
    for _ in range(3):  # other threads of the test run take memory too, now and then
        tracemalloc.start()
        make_calls(calls)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    buffer = 8 * np.getbufsize() if np.lib.NumpyVersion(np.__version__) < "2.3.0" else 0
    assert min(peaks) < 8192 + buffer  # which NumPy before 2.3 takes to reduce a short axis


@pytest.mark.parametrize(
    "activation",
    [None, selection.Relu(), smooth.Sigmoid(), smooth.Tanh()],
    ids=lambda found: type(found).__name__,
)
def test_tiles_of_columns_compute_what_the_whole_does_and_touch_no_other_columns(
    activation, monkeypatch
):
    inputs = [numbers("x", 33, 40), numbers("w", 40, 100), numbers("b", 100)]
    whole = run(compiled_form(Affine(activation)), inputs)
    monkeypatch.setattr(matmul, "WIDE", 1000)
    monkeypatch.setattr(matmul, "TILE", 32)
    primitive = compiled_form(Affine(activation))
    assert len(primitive.forward_tiles(np.empty((33, 100), np.float32), *inputs)[0]) == 4
    for found, expected in zip(run(primitive, inputs), whole, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    out = np.full((33, 100), np.nan, np.float32)
    for function, args, named in primitive.forward_tiles(out, *inputs)[0][1]:
        function(*args, **named)
    assert (
        np.flatnonzero(np.isfinite(out).all(0)).tolist() == list(range(32, 64))
        and np.isnan(out[:, :32]).all()
    )
    assert np.isnan(out[:, 64:]).all()


def test_classes_that_there_are_not_touch_no_foreign_memory():
    z, y = numbers("z", 4, 3), np.array([0, 3, -1, 10**9])
    found, *_ = run(compiled_form(SoftmaxCrossEntropy()), [z, y])
    expected, *_ = run(compiled_form(SoftmaxCrossEntropy()), [z, np.array([0, 2, 0, 2])])
    np.testing.assert_array_equal(found, expected)


def test_an_operation_made_from_one_with_a_compiled_form_is_not_taken_for_it():
    class Mine(selection.Relu):
        """Someone's own."""

    mine = Mine()
    assert compiled_form(mine) is mine


SCRIPT = """
import numpy as np
from nettrain.autodiff.compiled import compiled_form
from nettrain.autodiff.ops.reduction import Sum
from nettrain.autodiff.primitive import make_calls
out = np.zeros(1)
make_calls(compiled_form(Sum()).forward_calls(out, np.ones((1, 3))))
assert out[0] == 3
"""


def with_a_copy(tmp_path, **variables):
    """Run SCRIPT with a copy of the package in which nothing can be written; the copy's folder."""
    pytest.importorskip("numba")
    shutil.copytree(
        Path(nettrain.__file__).parent,
        tmp_path / "nettrain",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for folder in [
        tmp_path / "nettrain",
        *(path for path in (tmp_path / "nettrain").rglob("*") if path.is_dir()),
    ]:
        (folder / "__pycache__").touch()  # not even by root: a file stands where the folder would
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA")}
    environment |= {"PYTHONPATH": str(tmp_path)} | variables
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_where_the_package_cannot_be_written_the_loops_are_kept_in_the_users_cache(tmp_path):
    with_a_copy(tmp_path, HOME=str(tmp_path / "home"), XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert list((tmp_path / "cache").rglob("*.nbi"))


def test_where_nothing_can_be_written_they_are_compiled_anew(tmp_path):
    (tmp_path / "home").touch()
    with_a_copy(tmp_path, HOME=str(tmp_path / "home"), XDG_CACHE_HOME=str(tmp_path / "home"))


def test_they_can_be_run_as_python_functions(tmp_path):
    with_a_copy(tmp_path, HOME=str(tmp_path / "home"), NUMBA_DISABLE_JIT="1")
    assert not list(tmp_path.rglob("*.nbi"))


def test_numba_cache_dir_says_where_they_are_kept(tmp_path):
    with_a_copy(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "loops"))
    assert list((tmp_path / "loops").rglob("*.nbi"))


def test_kept_machine_code_is_loaded_without_what_the_compiler_imports(monkeypatch):
    numba = pytest.importorskip("numba")
    loop = adam._adam_loop
    arrays = [np.zeros(2, np.float32) for _ in range(4)]
    loop(*arrays, 0.1, 0.9, 0.999, 1.0, 1.0)  # compiled, and kept
    compiled = loop.compiled
    context = compiled.targetctx
    monkeypatch.setattr(context, "refresh", lambda: pytest.fail("what compiles was imported"))
    kinds = tuple(numba.typeof(x) for x in (*arrays, 0.1, 0.9, 0.999, 1.0, 1.0))
    found = compiled._cache.load_overload(kinds, context)
    assert found.signature.args == kinds
