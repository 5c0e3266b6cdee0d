"""Recordings notice that Python looks at a traced value, and in which layer it first does."""

import operator

import numpy as np
import pytest

from nettrain.autodiff.tensor import Tensor, now
from nettrain.autodiff.trace import Recording, current, recording

TRACED = Tensor([[2.0]], requires_grad=True) * 2
FED = Tensor([[4.0]], feed=True)
LOOKS = {
    "numpy": Tensor.numpy, "item": Tensor.item, "float": float, "bool": bool, "read": Tensor.read,
    "less": lambda x: x < 1, "less or equal": lambda x: x <= 1, "greater": lambda x: x > 1, "greater or equal": lambda x: x >= 1,
    "in a comparison": lambda x: Tensor(1.0) < x, "a mask": lambda x: Tensor([1.0])[Tensor(x.value[0] > 9, feed=True)],
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_at_a_traced_value_is_noticed(name):
    for x in (TRACED, FED):
        with recording() as noticed:
            LOOKS[name](x)
        assert noticed.data_dependent


@pytest.mark.parametrize("look", [*list(LOOKS.values())[:-1], lambda x: x * 2, len, repr, operator.attrgetter("shape")])  # fmt: skip
def test_a_look_at_a_constant_or_at_a_shape_is_none(look):
    with recording() as noticed:
        look(Tensor([[4.0]]))
        len(TRACED), repr(TRACED), TRACED.shape, TRACED.ndim, TRACED.dtype
    assert not noticed.data_dependent


def test_the_layer_that_looked_first_is_kept():
    one = Recording()
    assert (one.layer, one.data_dependent, one.data_dependent_in, one.spans) == ("", False, "", [])
    for layer in ("first", "second"):
        one.layer = layer
        one.mark_data_dependent()
    assert one.data_dependent is True and one.data_dependent_in == "first"


def test_a_recording_ends_with_its_block_and_the_one_around_it_goes_on():
    assert current() is None
    with recording() as outer:
        assert current() is outer
        with pytest.raises(KeyError), recording() as inner:
            assert current() is inner
            raise KeyError
        assert current() is outer
    assert current() is None


def test_later_nodes_are_older_in_no_respect():
    before = now()
    first = TRACED * 2
    between = now()
    second = first * 2
    assert before < first.node.age < between < second.node.age < now()
    assert first.node.origin == first.node.age
    assert second.node.inputs[0] is first
    np.testing.assert_array_equal(second.node.out, second.value)
