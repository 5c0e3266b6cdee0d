"""Compiled forms: which operation has one and what it keeps, and how loops get their arrays."""

import numpy as np
import pytest

from nettrain.autodiff import compiled
from nettrain.autodiff.compiled import (
    all_slots,
    call,
    compiled_form,
    compiled_forms,
    compiles,
    contiguous,
    flat_calls,
    rows,
    wide,
)
from nettrain.autodiff.ops.selection import Clip


class Loop:
    """Stands for a compiled loop: its machine code is known by the arguments that it was asked for."""

    def entry(self, *args):
        return ("code for", *args)


@pytest.fixture
def forms(monkeypatch):
    monkeypatch.setattr(compiled, "_forms", {})


def test_a_compiled_form_keeps_what_the_operation_was_given(forms):
    assert compiled_forms() == {}
    clip = Clip(-1.0, 2.0)
    assert compiled_form(clip) is clip

    @compiles(Clip)
    class CompiledClip(Clip):
        pass

    assert compiled_forms() == {Clip: CompiledClip}
    form = compiled_form(clip)
    assert type(form) is CompiledClip and vars(form) == vars(clip) and form is not clip
    assert compiled_form(form) is form
    compiled_forms().clear()  # a copy
    assert type(compiled_form(clip)) is CompiledClip


BASE = np.arange(20.0).reshape(4, 5)
CONTIGUOUS = {
    "a matrix": BASE,
    "a number": np.array(1.0),
    "rows": BASE[1:3],
    "a row": BASE[1],
    "none": None,
}
STRIDED = {
    "columns": BASE[:, 1:3], "every other column": BASE[:, ::2], "transposed": BASE.T, "a column": BASE[:, 1],
    "reversed": BASE[::-1], "three axes": BASE.reshape(4, 5, 1).repeat(2, 2)[:, :3], "repeated": np.broadcast_to(BASE[0], (4, 5)),
    "overlapping": np.lib.stride_tricks.sliding_window_view(np.arange(6.0), 3),
}  # fmt: skip


def test_what_is_contiguous_is_told():
    assert {name for name, x in (CONTIGUOUS | STRIDED).items() if contiguous(x)} == set(CONTIGUOUS)
    assert contiguous() and contiguous(BASE, None, BASE[0])
    assert not contiguous(BASE, BASE.T) and not contiguous(BASE.T, None)


@pytest.mark.parametrize("name", [*list(CONTIGUOUS)[:-1], *list(STRIDED)[1:]])
def test_only_neighbouring_columns_of_a_matrix_are_widened(name):
    x = (CONTIGUOUS | STRIDED)[name]
    assert wide(x) is x


@pytest.mark.parametrize("columns", [slice(0, 2), slice(0, 4), slice(1, 3)])
def test_columns_of_a_matrix_become_the_beginning_of_whole_rows(columns):
    whole = np.zeros((5, 5))  # one row more: the last row of the view reaches into it
    whole[:4] = BASE
    x = whole[:4, columns]
    found = wide(x)
    assert found.shape == (4, 5) and found.flags.c_contiguous and np.shares_memory(found, x)
    np.testing.assert_array_equal(found[:, : x.shape[1]], x)


def test_slots_that_are_not_wanted_get_an_array_of_their_own():
    slot, x, y = np.empty(3), np.ones((2, 3), np.float32).T, np.ones(3)
    first, second = all_slots([None, slot], [x, y])
    assert second is slot and (first.shape, first.dtype) == (x.shape, x.dtype)
    assert first.flags.c_contiguous
    assert not np.shares_memory(first, x)


def test_a_call_has_the_code_for_its_arguments():
    assert call(Loop(), 1, 2) == (("code for", 1, 2), (1, 2), {})


def test_flat_calls_take_the_arrays_as_vectors_and_only_contiguous_ones():
    [(code, args, named)] = flat_calls(Loop(), (BASE, BASE[1]), 7, 8)
    assert code[1:] == args and args[2:] == (7, 8) and named == {}
    for found, x in zip(args[:2], (BASE, BASE[1]), strict=True):
        assert found.shape == (x.size,) and np.shares_memory(found, x)
    assert flat_calls(Loop(), (BASE, BASE.T)) == []


@pytest.mark.parametrize("shape", [(6,), (2, 3), (4, 2, 3), (1, 1)])
def test_rows_keep_the_last_axis(shape):
    x = np.arange(float(np.prod(shape))).reshape(shape)
    found = rows(x)
    assert found.shape == (x.size // shape[-1], shape[-1]) and np.shares_memory(found, x)
    np.testing.assert_array_equal(found.ravel(), x.ravel())
