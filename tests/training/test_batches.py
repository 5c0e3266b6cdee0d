"""The rows of a step in buffers that stay: types, weights, mixed rows, and rows that are read elsewhere."""

import numpy as np
import pytest

from nettrain.autodiff.tensor import Tensor
from nettrain.data.augmentation import Mix
from nettrain.data.part import Part
from nettrain.nn.loss import Loss
from nettrain.training.engine.batch import Batch

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10)
WEIGHTS = np.arange(10) / 4
ROWS = np.array([7, 0, 3])
MIX = Mix(partner=np.array([2, 0, 1]), share=0.75)


class Augmenter:
    """Adds 100 to all images, and mixes rows if told so."""

    def __init__(self, mix=None):
        self.mix, self.mixes, self.seen = mix, mix is not None, []

    def __call__(self, x, step, micro_batch):
        self.seen.append((step, micro_batch))
        x += 100
        return self.mix


def batch_of(weights=None, augmenter=None, read=None, y=Y):
    batch = Batch(Part(X, y, weights=weights), 4, np.dtype(np.float32), augmenter, read)
    for array in (batch.x, batch.y, batch.w, batch.per_weight, *(batch.partners or ())):
        if array is not None:
            array.fill(99)
    return batch


@pytest.mark.parametrize("y", [Y, np.ones((10, 3), np.float32)])
def test_buffers_have_the_types_of_run_and_targets(y):
    batch = batch_of(WEIGHTS, Augmenter(MIX), y=y)
    assert len(batch) == 4 and batch.x.shape == (4, 2) and batch.y.shape == (4, *y.shape[1:])
    assert batch.y.dtype == batch.partners.y.dtype == y.dtype
    for array in (batch.x, batch.w, batch.per_weight, batch.partners.w):
        assert array.dtype == np.float32
    assert batch.w.shape == batch.partners.w.shape == (4,) and batch.per_weight.shape == ()
    plain = batch_of(y=y)
    assert plain.w is plain.partners is None
    with pytest.raises(ValueError, match="without targets"):
        Batch(Part(X), 4, np.dtype(np.float32))


@pytest.mark.parametrize(("weights", "w", "per_weight", "weight"), [
    (None, None, 99, 3.0),
    (WEIGHTS, [1.75, 0, 0.75], 0.4, 2.5),
    (0 * WEIGHTS, [0, 0, 0], 0, 0.0),
])  # fmt: skip
def test_the_first_rows_of_the_buffers_are_filled(weights, w, per_weight, weight):
    batch = batch_of(weights)
    batch.gather(ROWS)
    np.testing.assert_array_equal(batch.x, [*X[ROWS], [99, 99]])
    np.testing.assert_array_equal(batch.y, [*ROWS, 99])
    assert (None if w is None else batch.w[:3].tolist()) == w
    assert batch.per_weight == np.float32(per_weight)
    found = batch.weight(ROWS)
    assert found == weight and type(found) is float


def test_augmentations_change_what_was_gathered_in_its_place_in_the_run():
    augmenter = Augmenter()
    batch = batch_of(augmenter=augmenter)
    batch.gather(ROWS, 5, 2)
    batch.gather(ROWS)
    np.testing.assert_array_equal(batch.x, [*X[ROWS] + 100, [99, 99]])
    assert augmenter.seen == [(5, 2), (0, 0)] and batch.w is batch.partners is None


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_mixed_rows_have_two_targets_that_share_the_weight(weights):
    batch = batch_of(weights, Augmenter(MIX))
    batch.gather(ROWS)
    own = np.ones(10) if weights is None else weights
    np.testing.assert_array_equal(batch.w[:3], 0.75 * own[ROWS])
    np.testing.assert_array_equal(batch.partners.y, [3, 7, 0, 99])
    np.testing.assert_array_equal(batch.partners.w, [*(0.25 * own[[3, 7, 0]]), 99])
    assert batch.per_weight == np.float32(1 / own[ROWS].sum())


def test_only_the_wanted_rows_are_read_unless_images_are_changed():
    for augmenter, filled in ((None, [99, 0, 99, 99]), (Augmenter(), [7, 0, 3, 99])):
        batch = batch_of(WEIGHTS, augmenter, read=lambda n: slice(n - 2, n - 1))
        batch.gather(ROWS)
        assert batch.y.tolist() == filled
        rows = np.where(batch.y == 99, 99, 2 * batch.y + (0 if augmenter is None else 100))
        np.testing.assert_array_equal(batch.x[:, 0], rows)
        np.testing.assert_array_equal(batch.w[:3], WEIGHTS[ROWS])


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("mix", [None, MIX])
def test_a_row_adds_its_weighted_loss_and_that_of_its_partner(weights, mix):
    loss, outputs = Loss.parse("cross_entropy"), np.sin(np.arange(30.0)).reshape(3, 10)
    batch = batch_of(weights, Augmenter(mix))
    batch.gather(ROWS)
    part = slice(1, 3)
    found = batch.losses(loss, Tensor(outputs[part], requires_grad=True), part)
    each = np.log(np.exp(outputs).sum(1, keepdims=True)) - outputs
    own = np.ones(10) if weights is None else weights
    share = 1.0 if mix is None else 0.75
    expected = share * own[ROWS] * each[range(3), ROWS]
    partners = ROWS[MIX.partner]
    expected += (1 - share) * own[partners] * each[range(3), partners]
    np.testing.assert_allclose(found.value, expected[part], rtol=1e-6)
    fed = [x for x in (batch.w, batch.y, *(batch.partners or ())) if x is not None]
    for array in fed:  # a plan reads them anew
        assert any(np.shares_memory(array, x) for x in leaves(found))


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_where_nothing_is_mixed_for_once_a_row_adds_its_own_loss_alone(weights):
    loss, outputs = Loss.parse("cross_entropy"), np.sin(np.arange(30.0)).reshape(3, 10)
    mixing, plain = batch_of(weights, Augmenter(MIX)), batch_of(weights, Augmenter())
    mixing.gather(ROWS)
    mixing.augmenter.mix = None
    for batch in (mixing, plain):
        batch.gather(ROWS[::-1])
    found, expected = (
        batch.losses(loss, Tensor(outputs), slice(0, 3)).value for batch in (mixing, plain)
    )
    np.testing.assert_array_equal(found, expected)


def leaves(y):
    """The arrays of the traced tensors from which one was computed."""
    waiting, found = [y], []
    while waiting:
        x = waiting.pop()
        if x.node is not None:
            waiting.extend(x.node.inputs)
        elif x.traced:
            found.append(x.value)
    return found


def test_a_batch_takes_over_the_rows_of_another():
    source, target = (batch_of(WEIGHTS, Augmenter(MIX)) for _ in range(2))
    source.gather(ROWS)
    target.copy_from(source, 3)
    pairs = [(getattr(target, name), getattr(source, name)) for name in ("x", "y", "w")]
    for here, there in (*pairs, *zip(target.partners, source.partners, strict=True)):
        np.testing.assert_array_equal(here[:3], there[:3])
        assert (here[3:] == 99).all()
    assert target.per_weight == source.per_weight
    plain, other = batch_of(), batch_of()
    plain.gather(ROWS)
    other.copy_from(plain, 2)
    np.testing.assert_array_equal(other.y, [7, 0, 99, 99])
