"""One BLAS thread while anybody trains, and afterwards as many as before: also where threads overlap."""

import sys
import threading
from types import ModuleType

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from nettrain.training.engine import blas
from nettrain.training.engine.blas import one_blas_thread


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        if blas_threads() != {2}:
            pytest.skip("this BLAS has one thread only")
        yield


def test_a_thread_that_ends_leaves_the_setting_to_those_that_go_on(two_threads):
    first_is_inside, second_is_inside, first_has_left = (threading.Event() for _ in range(3))
    seen = []

    def first():
        with one_blas_thread():
            first_is_inside.set()
            second_is_inside.wait(60)
        first_has_left.set()

    def second():
        first_is_inside.wait(60)
        with one_blas_thread():
            second_is_inside.set()
            first_has_left.wait(60)
            seen.append(blas_threads())

    threads = [threading.Thread(target=target) for target in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [{1}]
    assert blas_threads() == {2}


def test_the_setting_is_restored_after_an_error_and_after_nesting(two_threads):
    with pytest.raises(ValueError), one_blas_thread(), one_blas_thread():
        raise ValueError
    assert blas_threads() == {2}


class Library:
    """A BLAS that counts its threads, and nothing else."""

    def __init__(self, layer, threads):
        self.threading_layer, self.threads = layer, threads

    def get_num_threads(self):
        return self.threads

    def set_num_threads(self, threads):
        self.threads = threads


def test_a_library_on_openmp_is_restored_by_each_that_leaves_and_others_by_the_last(monkeypatch):
    libraries = [Library("openmp", 3), Library("pthreads", 5), Library("unknown", 7)]
    del libraries[2].threading_layer  # threadpoolctl does not know it of every library
    monkeypatch.setattr(blas, "_blas_libraries", lambda modules: libraries)
    with one_blas_thread():
        libraries[0].threads = 2  # as another thread of this process sees it
        with one_blas_thread():
            assert [library.threads for library in libraries] == [1, 1, 1]
        assert [library.threads for library in libraries] == [2, 1, 1]
    assert [library.threads for library in libraries] == [3, 5, 7]


@pytest.mark.parametrize("layer", ["openmp", "pthreads"])
def test_the_thread_that_controls_a_library_lets_go_before_and_after(monkeypatch, layer):
    """threadpoolctl 3.7 ignores a setting by another thread than the one that set it first."""

    class Controlled(Library):
        calls = []

        def clear_controlling_thread(self, *, force):
            self.calls.append(force)

        def set_num_threads(self, threads):
            self.calls.append(threads)

    monkeypatch.setattr(blas, "_blas_libraries", lambda modules: [Controlled(layer, 3)])
    with one_blas_thread():
        assert Controlled.calls == [True, 1, True]
    assert Controlled.calls == [True, 1, True, True, 3, True]


def test_libraries_are_searched_once_and_again_after_an_import(monkeypatch):
    searches = []
    search = blas.ThreadpoolController
    monkeypatch.setattr(blas, "ThreadpoolController", lambda: searches.append(1) or search())
    blas._blas_libraries.cache_clear()
    for _ in range(3):
        with one_blas_thread():
            pass
    assert len(searches) == 1
    monkeypatch.setitem(sys.modules, "imported_just_now", ModuleType("imported_just_now"))
    with one_blas_thread():
        pass
    assert len(searches) == 2
