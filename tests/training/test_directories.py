"""Directories of runs: what is part of one, free names, locks, and which directories are removed."""

import errno
import os

import pytest

from nettrain.errors import RunError
from nettrain.locks import directory_lock
from nettrain.training.artifacts import directory
from nettrain.training.artifacts.directory import (
    Layout,
    is_locked,
    locked,
    new_directory,
    remove_directory,
    written_by_nettrain,
)

BOX = Layout("a box", ("*.txt", "list.json"), {"in*": Layout("an inner box", ("*.bin",))})


def make(folder, names):
    """Files by their names, folders where a name ends in a slash; `a -> b` is a link."""
    folder.mkdir(exist_ok=True)
    for name in names:
        path, _, target = name.partition(" -> ")
        if target:
            (folder / path).symlink_to(target)
        elif path.endswith("/"):
            (folder / path).mkdir(parents=True)
        else:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(name)
    return folder


def content(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize(("names", "foreign"), [
    ([], []),
    (["a.txt", "list.json", "inner/a.bin", "in/"], []),
    ([".a.txt.4711.tmp", "inner/.a.bin.12.tmp"], []),
    (["b.md", "a.txt", "a.bin"], ["a.bin", "b.md"]),
    (["inner/a.txt", "inner/deep/a.bin", "other/a.txt"], ["inner/a.txt", "inner/deep", "other"]),
    (["a.txt -> b.txt", "inner -> /", "b.txt"], ["a.txt", "inner"]),
])  # fmt: skip
def test_what_is_no_part_of_a_layout_is_foreign(tmp_path, names, foreign):
    box = make(tmp_path / "box", names)
    assert [str(path.relative_to(box)) for path in BOX.foreign(box)] == foreign


def test_a_layout_without_files_and_folders_is_empty(tmp_path):
    box = make(tmp_path / "box", ["a.txt", "inner/"])
    assert list(Layout("nothing").foreign(box)) == [box / "a.txt", box / "inner"]
    assert list(Layout("nothing").directories(box)) == [box]


def test_a_directory_and_those_of_its_layout_have_locks_of_their_own(tmp_path):
    box = make(tmp_path / "box", ["inner/", "in/", "index.txt", "other/in/", "in2/deep/"])
    assert list(BOX.directories(box)) == [box, box / "in", box / "in2", box / "inner"]


@pytest.mark.parametrize("parent", [".", "new", "new/deeper"])
def test_a_name_that_is_taken_gets_the_next_number(tmp_path, parent):
    made = [new_directory(tmp_path / parent, "a", exact=False) for _ in range(3)]
    assert made == [tmp_path / parent / name for name in ("a", "a-2", "a-3")]
    assert content(tmp_path / parent) == ["a", "a-2", "a-3"]
    with pytest.raises(RunError, match=r"a-2: exists already; choose another --run-name$"):
        new_directory(tmp_path / parent, "a-2", exact=True)


def test_where_no_directory_can_be_made_it_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError) as error:
        new_directory(tmp_path / "file", "a", exact=False)
    assert str(error.value).startswith(f"{tmp_path / 'file' / 'a'}: cannot be written")


def test_a_directory_that_is_all_ours_is_removed_alone(tmp_path):
    make(tmp_path, ["box/a.txt", "box/inner/a.bin", "box/inner/.a.bin.1.tmp", "a.txt"])
    remove_directory(tmp_path / "box", BOX)
    assert content(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(("names", "listed"), [
    (["b.md", "inner/x"], "b.md, inner/x; move"),
    ([f"{number}.md" for number in range(5)], "0.md, 1.md, 2.md, 3.md, 4.md; move"),
    ([f"{number}.md" for number in range(6)], "0.md, 1.md, 2.md, 3.md, 4.md and 1 more; move"),
])  # fmt: skip
def test_foreign_files_are_named_and_nothing_is_removed(tmp_path, names, listed):
    box = make(tmp_path / "box", [*names, "a.txt"])
    before = content(box)
    with pytest.raises(RunError) as error:
        remove_directory(box, BOX)
    assert str(error.value).startswith(f"{box}: is not a box alone") and listed in str(error.value)
    assert content(box) == before


@pytest.mark.parametrize(("names", "is_removed"), [
    ([], True),
    (["inner/", "in2/"], True),
    (["inner/.a.bin.1.tmp"], True),
    (["a.txt"], False),
    (["inner/a.bin", ".a.txt.1.tmp"], False),
])  # fmt: skip
def test_without_the_marks_of_nettrain_a_directory_is_removed_if_it_holds_no_file(
    tmp_path, names, is_removed
):
    asked = []
    layout = Layout("a box", BOX.files, BOX.folders, is_ours=asked.append)
    box = make(tmp_path / "box", names)
    if is_removed:
        remove_directory(box, layout)
    else:
        with pytest.raises(RunError, match="is not a box of nettrain, so it is not replaced"):
            remove_directory(box, layout)
    assert box.exists() is not is_removed and asked == [box]


@pytest.mark.parametrize("names", [["box -> other", "other/"], ["box"], []])
def test_what_is_no_directory_is_not_removed(tmp_path, names):
    before = content(make(tmp_path, names))
    with pytest.raises(RunError, match=r"box: is not a box, so it is not replaced; choose"):
        remove_directory(tmp_path / "box", BOX)
    assert content(tmp_path) == before


def test_a_directory_in_which_a_process_works_is_not_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(directory, "PAUSE", 0)
    box = make(tmp_path / "box", ["inner/a.bin"])
    for held in (box, box / "inner"):
        with (
            directory_lock(held),
            pytest.raises(RunError, match=f"{held}: another process is training into it"),
        ):
            remove_directory(box, BOX)
    assert content(box) == ["inner", "inner/a.bin"]


def test_marks_are_removed_last_and_in_their_order(tmp_path, monkeypatch):
    layout = Layout("a box", ("*",), {"inner": BOX.folders["in*"]}, marks=("b", "a", "none"))
    box = make(tmp_path / "box", ["a", "b", "c", "d", "inner/a.bin"])
    removed, real = [], os.unlink

    def unlink(path, **options):
        removed.append(os.path.basename(path))
        real(path, **options)

    monkeypatch.setattr(os, "unlink", unlink)
    remove_directory(box, layout)
    assert not box.exists()
    assert sorted(removed[:-3]) == ["a.bin", "c", "d"] and removed[-3:] == ["b", "a", "none"]


def raised(number, before=None):
    """A call that fails, perhaps while another error is dealt with."""

    def fail(path):
        try:
            if before is not None:
                raise before
        finally:
            raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(("rmtree", "told"), [
    (raised(errno.EIO), errno.EIO),
    (raised(errno.EBADF), errno.EBADF),
    (raised(errno.EBADF, OSError(errno.EIO, os.strerror(errno.EIO))), errno.EIO),
    (raised(errno.EBADF, KeyError()), errno.EBADF),
    (raised(errno.ENOSPC, OSError(errno.EIO, os.strerror(errno.EIO))), errno.ENOSPC),
])  # fmt: skip
def test_what_keeps_a_directory_from_being_removed_is_told(tmp_path, monkeypatch, rmtree, told):
    box = make(tmp_path / "box", ["inner/"])
    with monkeypatch.context() as patch:
        patch.setattr(directory.shutil, "rmtree", rmtree)
        with pytest.raises(RunError) as error:
            remove_directory(box, BOX)
    assert str(error.value).startswith(f"{box}: cannot be written: ")
    assert error.value.__cause__.errno == told


@pytest.fixture
def pauses(monkeypatch):
    """The pauses between attempts; a function in `then` is called in the n-th."""
    done, then = [], {}

    def sleep(seconds):
        done.append(seconds)
        then.get(len(done), lambda: None)()

    monkeypatch.setattr(directory.time, "sleep", sleep)
    return done, then


@pytest.mark.parametrize("freed", [1, 4, None])
def test_a_lock_is_asked_for_five_times_within_a_moment(tmp_path, pauses, freed):
    done, then = pauses
    descriptor = os.open(tmp_path, os.O_RDONLY)
    lock = directory_lock(tmp_path)
    lock.__enter__()
    if freed:
        then[freed] = lambda: lock.__exit__(None, None, None)
        with locked(tmp_path):
            assert is_locked(tmp_path)
    else:
        with pytest.raises(RunError, match="another process is training into it"), locked(tmp_path):
            pass
        lock.__exit__(None, None, None)
    os.close(descriptor)
    assert done == [0.01] * (freed or 4) and not is_locked(tmp_path)


def test_two_may_ask_at_once_whether_a_directory_is_locked(tmp_path):
    with directory_lock(tmp_path, shared=True):
        assert not is_locked(tmp_path)
    with directory_lock(tmp_path):
        assert is_locked(tmp_path)


def test_a_link_to_a_file_keeps_nobody_from_a_directory_but_one_to_a_directory_does(tmp_path):
    box = make(tmp_path / "box", ["a -> a.txt", "a.txt", "gone -> nowhere", "inner/"])
    with locked(box):
        pass
    make(box, ["z -> inner"])
    with pytest.raises(RunError, match=r"z: is a link to a directory"), locked(box):
        pass


@pytest.mark.parametrize(("text", "is_ours"), [
    ('{"versions": {"nettrain": "1.0"}}', True),
    ('{"versions": {"nettrain": 1}}', False),
    ('{"versions": {"numpy": "1.0"}}', False),
    ('{"versions": "nettrain"}', False),
    ("{", False),
    (None, False),
])  # fmt: skip
def test_the_mark_of_a_run_is_the_version_in_its_environment(tmp_path, text, is_ours):
    if text is not None:
        (tmp_path / "environment.json").write_text(text)
    assert written_by_nettrain(tmp_path) is is_ours
