"""Files are whole or as they were: a disk that fails, fills up or refuses costs nothing that was there."""

import errno
import json
import os
import stat
import subprocess
import sys

import pytest

import nettrain
from nettrain.errors import DataError, RunError
from nettrain.locks import directory_lock
from nettrain.search.layouts import LAYOUTS
from nettrain.training.artifacts import directory, files
from nettrain.training.artifacts.directory import locked, remove_directory
from nettrain.training.artifacts.files import (
    append_line,
    disk_errors,
    final_name,
    finite,
    open_for_appending,
    remove_temporaries,
    write_atomically,
    write_chunks_atomically,
    write_json,
)


@pytest.fixture
def full(monkeypatch):
    """From now on forcing a file to the disk fails as on a full one, or with another error."""

    def fail(number=errno.ENOSPC, call="fsync"):
        def refuse(*_, **__):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(files.os, call, refuse)

    return fail


def test_a_file_is_written_and_replaced(tmp_path):
    for content in (b"one", b"another one"):
        write_atomically(tmp_path / "a", content)
        assert (tmp_path / "a").read_bytes() == content
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_the_old_file_and_no_other(tmp_path, full, call):
    write_atomically(tmp_path / "a", b"old")
    full(call=call)
    with pytest.raises(RunError):
        write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize(("number", "said"), [
    (errno.ENOSPC, "cannot be written: the disk is full: free some space"),
    (errno.EDQUOT, "cannot be written: the disk quota is used up: free some space"),
    (errno.EACCES, "no permission to write there: choose another folder with --output-directory"),
    (errno.EROFS, "the file system is read-only: choose another folder with --output-directory"),
    (errno.EIO, os.strerror(errno.EIO)),
])  # fmt: skip
def test_what_the_disk_refuses_is_told_with_a_remedy(tmp_path, number, said):
    with pytest.raises(RunError) as error, disk_errors(tmp_path / "a"):
        raise OSError(number, os.strerror(number))
    assert str(error.value).startswith(f"{tmp_path / 'a'}: ") and said in str(error.value)
    with pytest.raises(RunError, match=r"a: cannot be written: odd$"), disk_errors(tmp_path / "a"):
        raise OSError("odd")


def test_nothing_is_written_through_a_link(tmp_path):
    mine = tmp_path / "mine"
    mine.write_bytes(b"precious")
    run = tmp_path / "run"
    run.mkdir()
    (run / f".a.{os.getpid()}.tmp").symlink_to(mine)
    (run / "a").symlink_to(mine)
    write_atomically(run / "a", b"new")
    assert mine.read_bytes() == b"precious" and (run / "a").read_bytes() == b"new"
    (run / "rows.jsonl").symlink_to(mine)
    with pytest.raises(RunError, match="is a link, and is not written through"):
        append_line(run / "rows.jsonl", "{}")
    (run / "checkpoints").symlink_to(tmp_path)
    with pytest.raises(RunError, match="checkpoints: is a link to a directory"), locked(run):
        pass


def test_a_file_is_whole_on_the_disk_before_it_takes_its_name_and_then_its_folder_is(
    tmp_path, monkeypatch
):
    calls, real = [], os.replace

    def forced(descriptor):
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        calls.append(os.fstat(descriptor).st_size if is_file else os.fstat(descriptor).st_ino)

    def replace(source, target):
        calls.append((os.path.basename(source), os.path.basename(target)))
        real(source, target)

    monkeypatch.setattr(files.os, "fsync", forced)
    monkeypatch.setattr(files.os, "replace", replace)
    before = len(os.listdir("/dev/fd"))
    write_chunks_atomically(tmp_path / "a", (bytes(100) for _ in range(3)))
    assert calls == [300, (f".a.{os.getpid()}.tmp", "a"), tmp_path.stat().st_ino]
    assert len(os.listdir("/dev/fd")) == before


def test_what_ends_the_making_of_the_bytes_leaves_the_old_file_and_no_other(tmp_path):
    def chunks():
        yield b"new"
        raise KeyboardInterrupt

    write_atomically(tmp_path / "a", b"old")
    with pytest.raises(KeyboardInterrupt):
        write_chunks_atomically(tmp_path / "a", chunks())
    assert (tmp_path / "a").read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]


def test_a_file_that_cannot_be_made_is_told_with_the_reason(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files, "open_new", refuse)
    with pytest.raises(RunError) as error:
        write_atomically(tmp_path / "a", b"new")
    assert str(error.value).startswith(f"{tmp_path / 'a'}: cannot be written: no permission")


def test_a_rename_that_is_refused_is_not_tried_again_but_on_windows(tmp_path, monkeypatch):
    def refuse(source, target):
        raise PermissionError(errno.EACCES, "Permission denied")

    pauses = []
    monkeypatch.setattr(files.os, "replace", refuse)
    monkeypatch.setattr(files.time, "sleep", pauses.append)
    with pytest.raises(RunError, match="no permission to write there"):
        write_atomically(tmp_path / "a", b"new")
    assert pauses == ([0.01, 0.1, 0.5] if files.WINDOWS else []) and os.listdir(tmp_path) == []


@pytest.mark.parametrize(("name", "final"), [
    (".config.yaml.4711.tmp", "config.yaml"),
    (".a.1.tmp", "a"),
    (".1.tmp", ".1.tmp"),
    ("config.yaml", "config.yaml"),
    ("a.config.yaml.4711.tmp", "a.config.yaml.4711.tmp"),
    (".config.yaml.4711.temp", ".config.yaml.4711.temp"),
    (".config.yaml.x.tmp", ".config.yaml.x.tmp"),
])  # fmt: skip
def test_a_temporary_name_tells_that_of_the_file(name, final):
    assert final_name(name) == final


def test_temporary_files_are_removed_and_no_others(tmp_path):
    remove_temporaries(tmp_path / "none")
    for name in (".a.yaml.1.tmp", ".b.22.tmp", "a.yaml", ".mine.tmp"):
        (tmp_path / name).write_text("")
    remove_temporaries(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".mine.tmp", "a.yaml"]


def test_a_temporary_file_that_is_gone_is_fine_and_a_folder_that_fails_is_named(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(files.os, "listdir", lambda folder: [".a.1.tmp"])
    remove_temporaries(tmp_path)

    def fail(folder):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files.os, "listdir", fail)
    with pytest.raises(RunError) as error:
        remove_temporaries(tmp_path)
    assert str(error.value).startswith(f"{tmp_path}: cannot be written")


def test_a_file_is_appended_to_without_following_links_or_waiting_for_readers(
    tmp_path, monkeypatch
):
    given, real = [], os.open

    def opened(path, flags, mode=0o777):
        given.append(flags)
        return real(path, flags, mode)

    monkeypatch.setattr(files.os, "open", opened)
    umask = os.umask(0)
    try:
        for text in (b"one", b"two"):
            with open_for_appending(tmp_path / "a") as file:
                file.write(text)
    finally:
        os.umask(umask)
    assert (tmp_path / "a").read_bytes() == b"onetwo"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666
    wanted = os.O_NOFOLLOW | os.O_NONBLOCK
    assert [flags & wanted for flags in given] == [wanted] * 2
    for name in ("O_NOFOLLOW", "O_NONBLOCK"):  # Windows has neither
        monkeypatch.delattr(files.os, name)
    append_line(tmp_path / "a", "")
    assert (tmp_path / "a").read_bytes() == b"onetwo\n" and given[2] & wanted == 0


def test_a_line_may_hold_half_a_character_and_a_line_that_cannot_be_written_names_its_file(
    tmp_path,
):
    append_line(tmp_path / "a", "\ud800ä")
    assert (tmp_path / "a").read_bytes() == "\\ud800ä\n".encode()
    with pytest.raises(RunError) as error:
        append_line(tmp_path, "x")
    assert str(error.value).startswith(f"{tmp_path}: cannot be written: Is a directory")


def test_a_lock_whose_release_fails_is_released(tmp_path, monkeypatch):
    real = os.close

    def fails(descriptor):
        real(descriptor)  # as Linux does, whatever it answers
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch, directory_lock(tmp_path):
        patch.setattr(os, "close", fails)
    with directory_lock(tmp_path):
        pass


@pytest.mark.parametrize(
    ("number", "is_told"),
    [(errno.EIO, True), (errno.EACCES, True), (errno.ESTALE, True), (errno.ENOENT, False)],
)
def test_a_mark_that_cannot_be_read_is_told_and_not_taken_for_none(
    tmp_path, monkeypatch, number, is_told
):
    def refuse(path):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(directory, "read_text", refuse)
    if is_told:
        said = f"environment.json: cannot be read: {os.strerror(number).lower()}"
        with pytest.raises(DataError, match=said):
            directory.written_by_nettrain(tmp_path)
    else:
        assert not directory.written_by_nettrain(tmp_path)


def test_numbers_that_json_does_not_know_become_null(tmp_path):
    write_json(
        tmp_path / "a", {"a": [float("nan"), float("inf"), 1.5], "b": {"c": (-float("inf"), 2)}}
    )
    assert json.loads((tmp_path / "a").read_text()) == {
        "a": [None, None, 1.5],
        "b": {"c": [None, 2]},
    }
    assert finite({"a": (0.0, -1.5, True, "x", None)}) == {"a": [0.0, -1.5, True, "x", None]}
    write_json(tmp_path / "a", {"a": [1]})
    assert (tmp_path / "a").read_bytes() == b'{\n  "a": [\n    1\n  ]\n}\n'


LIMITED = """
import resource, signal, sys
from pathlib import Path
from nettrain.training.artifacts.files import write_atomically
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
write_atomically(Path(sys.argv[1]), b"new" * 1000)
"""


def test_a_file_that_the_system_cuts_off_half_way_leaves_the_old_one(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path / "a"], capture_output=True, text=True
    )
    assert "RunError" in done.stderr and "cannot be written" in done.stderr
    assert (tmp_path / "a").read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]


def test_a_disk_that_fills_up_while_training_leaves_a_run_that_can_go_on(
    toy, data, tmp_path, monkeypatch, figures, every_epoch
):
    whole = tmp_path / "whole"
    nettrain.train(toy(), data, output_directory=tmp_path, run_name="whole")
    calls = []

    def fills_up(descriptor, real=os.fsync):
        calls.append(descriptor)
        if len(calls) > 22:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", fills_up)
        with pytest.raises(RunError, match="the disk is full: free some space"):
            nettrain.train(toy(), data, output_directory=tmp_path, run_name="full")
    assert nettrain.load(tmp_path / "full").epoch
    nettrain.resume(tmp_path / "full", data)
    assert figures(tmp_path / "full") == figures(whole)


def test_an_output_directory_that_cannot_be_made_is_told(toy, data, tmp_path):
    (tmp_path / "file").write_text("here first")
    for place in ("file", "file/deeper"):
        with pytest.raises(RunError, match=r"cannot be written"):
            nettrain.train(toy(), data, output_directory=tmp_path / place)
    assert (tmp_path / "file").read_text() == "here first"


DIRECTORIES = {
    "run": ("config.yaml", "checkpoints/best.safetensors", "metrics.jsonl"),
    "sweep": ("sweep.yaml", "trials/000/config.yaml", "trials/000/environment.json", "log.txt"),
    "cv": ("cv.json", "fold-1/config.yaml", "splits/fold-1.npz", "base.yaml"),
    "ensemble": ("ensemble.json", "config.yaml", "member-1/config.yaml", "splits/a.npz"),
}


@pytest.mark.parametrize("kind", DIRECTORIES)
def test_a_removal_that_fails_half_way_can_be_repeated(tmp_path, monkeypatch, kind):
    """Whatever call fails, what is left still bears the mark of nettrain."""
    path, calls = tmp_path / "mine", []

    def failing(real, at):
        def call(*given, **options):
            calls.append(given)
            if len(calls) == at:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(*given, **options)

        return call

    for at in range(1, 100):
        for name in DIRECTORIES[kind]:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text("x")
        environment = {"versions": {"nettrain": "1"}}
        if kind == "run":
            (path / "environment.json").write_text(json.dumps(environment))
        with monkeypatch.context() as disk:
            calls.clear()
            for name in ("unlink", "rmdir", "close"):
                disk.setattr(os, name, failing(getattr(os, name), at))
            try:
                remove_directory(path, LAYOUTS[kind])
                done = True
            except RunError as error:
                done = False
                assert str(error) == f"{path}: cannot be written: {os.strerror(errno.EIO)}"
        if path.exists():
            remove_directory(path, LAYOUTS[kind])
        assert not path.exists()
        if done and len(calls) < at:
            return
    pytest.fail("it never came to an end")
