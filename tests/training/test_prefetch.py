"""The thread that gathers ahead: it does so in the meantime, for the rows that come, and it changes no batch."""

import threading

import numpy as np
import pytest

import nettrain
from nettrain import streams
from nettrain.data.part import Part
from nettrain.training.callbacks import Callback
from nettrain.training.engine.batch import Batch
from nettrain.training.engine.prefetch import Prefetch

X = streams.generator(0, "x").normal(size=(30, 4)).astype(np.float32)
PART = Part(X, np.arange(30), weights=1.0 + np.arange(30))
ROWS = np.array([5, 1, 7])


class Noting(Batch):
    """Notes who gathers what."""

    def __init__(self, *given):
        super().__init__(*given)
        self.part = Watched(PART.x, PART.y, weights=PART.weights)


class Watched(Part):
    seen: list = []
    failing = False
    wait = None

    def gather(self, rows, x_out, y_out=None):
        Watched.seen.append((threading.current_thread().name, rows.tolist()))
        if Watched.wait is not None:
            assert Watched.wait.wait(60)
        if Watched.failing:
            raise OSError("the disk is gone")
        super().gather(rows, x_out, y_out)


@pytest.fixture
def batch():
    Watched.seen, Watched.failing, Watched.wait = [], False, None
    return Noting(PART, 8, np.dtype(np.float32))


def holds(batch, rows):
    n = len(rows)
    assert (
        np.array_equal(batch.x[:n], X[rows])
        and np.array_equal(batch.y[:n], rows)
        and np.array_equal(batch.w[:n], 1 + rows)
    )
    assert batch.per_weight == np.float32(1 / (1.0 + rows).sum())


def test_announced_rows_are_gathered_in_the_meantime_and_copied(batch):
    Watched.wait = threading.Event()
    before = batch.x.copy()
    with Prefetch(batch) as prefetch:
        prefetch.announce((ROWS, 3, 0))  # does not wait: the thread stands at the event
        Watched.wait.set()
        while not Watched.seen:
            pass
        assert np.array_equal(batch.x, before)  # what is being computed is left alone
        prefetch.gather(ROWS, 3, 0)
        holds(batch, ROWS)
    assert Watched.seen == [("prefetch", ROWS.tolist())]


class Augmenter:
    """Adds 100, and notes where in the run and by whom, and which errors of floating point are told."""

    mixes = False

    def __init__(self):
        self.seen, self.errors = [], []

    def __call__(self, x, step, micro_batch):
        self.seen.append((threading.current_thread().name, step, micro_batch))
        with np.errstate():
            self.errors.append([np.geterr()[name] for name in ("over", "invalid", "divide")])
        x += 100


def test_rows_are_changed_in_the_place_that_was_announced_and_without_warnings():
    augmenter = Augmenter()
    batch = Batch(PART, 8, np.dtype(np.float32), augmenter)
    with Prefetch(batch) as prefetch:
        assert prefetch._thread.daemon  # a program that is interrupted does not wait for it
        prefetch.announce((ROWS, 3, 1))
        prefetch.gather(ROWS, 3, 1)
        np.testing.assert_array_equal(batch.x[:3], X[ROWS] + 100)
        prefetch.announce((ROWS, 4, 0))
        prefetch.gather(ROWS, 4, 1)
        prefetch.gather(ROWS, 5)
    assert augmenter.seen == [
        ("prefetch", 3, 1), ("prefetch", 4, 0), ("MainThread", 4, 1), ("MainThread", 5, 0)
    ]  # fmt: skip
    assert augmenter.errors[0] == ["ignore"] * 3


def test_only_the_rows_that_are_wanted_here_are_gathered_ahead():
    batch = Batch(PART, 8, np.dtype(np.float32), read=lambda n: slice(n - 1, n))
    batch.x.fill(99)
    with Prefetch(batch) as prefetch:
        prefetch._staged.x.fill(98)
        prefetch.announce((ROWS, 3, 0))
        prefetch.gather(ROWS, 3, 0)
    np.testing.assert_array_equal(batch.x[2], X[ROWS[2]])
    assert (batch.x[:2] == 98).all() and (batch.x[3:] == 99).all()


@pytest.mark.parametrize(
    "wanted", [(ROWS[::-1], 3, 0), (ROWS, 4, 0), (ROWS, 3, 1), (ROWS[:2], 3, 0)], ids=str
)
def test_other_rows_than_announced_are_gathered_when_they_are_wanted(batch, wanted):
    with Prefetch(batch) as prefetch:
        prefetch.announce((ROWS, 3, 0))
        prefetch.gather(*wanted)
        holds(batch, wanted[0])
        prefetch.gather(ROWS, 3, 0)  # no longer waiting
        holds(batch, ROWS)
    assert [name for name, _ in Watched.seen] == ["prefetch", "MainThread", "MainThread"]


def test_a_failure_is_raised_where_the_rows_are_wanted_and_nowhere_else(batch):
    with Prefetch(batch) as prefetch:
        Watched.failing = True
        prefetch.announce((ROWS, 3, 0))
        with pytest.raises(OSError, match="the disk is gone"):
            prefetch.gather(ROWS, 3, 0)
        prefetch.announce((ROWS, 4, 0))
        while len(Watched.seen) < 2:
            pass
        threading.Event().wait(0.05)
        Watched.failing = False
        prefetch.gather(ROWS, 5, 0)  # what failed was never asked for
        holds(batch, ROWS)


def test_the_end_ends_the_thread_and_forgets_what_was_announced(batch):
    with pytest.raises(KeyboardInterrupt), Prefetch(batch) as prefetch:
        prefetch.announce((ROWS, 3, 0))
        raise KeyboardInterrupt
    assert not any(thread.name == "prefetch" for thread in threading.enumerate())


class Counted(Callback):
    """Counts the batches that were copied from the thread's."""

    def __init__(self):
        self.copied = 0

    def begin(self, run):
        copy_from = run.step.batch.copy_from

        def counted(other, n):
            self.copied += 1
            copy_from(other, n)

        run.step.batch.copy_from = counted


@pytest.mark.parametrize(("accumulate", "copied"), [(1, 7), (3, 7)])
def test_all_batches_of_an_epoch_but_the_first_are_gathered_ahead(tmp_path, accumulate, copied):
    x = streams.generator(0, "images").random((60, 4, 4, 1))
    counted = Counted()
    config = {
        "dataset": {"augmentation": ["flip"], "split": "none"},
        "model": {"type": "mlp", "hidden": []},
        "training": {"epochs": 2, "batch_size": 8, "accumulate": accumulate},
    }
    nettrain.train(
        config, (x, np.arange(60) % 2), output_directory=tmp_path, threads=2, callbacks=[counted]
    )
    assert counted.copied == 2 * copied  # 8 batches an epoch
