"""Files are opened with care: nothing waits for ever, nothing unpacks without a bound."""

import errno
import gzip
import io
import os
import zlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

import nettrain
from nettrain import files
from nettrain.cli.main import app
from nettrain.errors import CheckpointError, ConfigError, DataError
from nettrain.files import (
    LIMIT_KEY,
    available_memory,
    cannot_read,
    check_memory,
    check_unpacked,
    open_regular,
    open_unpacked,
    read_bytes,
    read_text,
    unpacked_limit,
)
from nettrain.training.artifacts.checkpoint import Checkpoint


def bomb(path: Path, size: int) -> Path:
    """A gzip file of `size` zeros, written in a moment."""
    packer = zlib.compressobj(9, wbits=31)
    with path.open("wb") as file:
        for _ in range(size // 2**20):
            file.write(packer.compress(bytes(2**20)))
        file.write(packer.flush())
    return path


@pytest.mark.parametrize("read", [open_regular, open_unpacked, read_bytes, read_text])
@pytest.mark.parametrize("kind", ["FIFO", "device", "directory"])
def test_only_regular_files_are_opened(read: object, kind: str, tmp_path: Path) -> None:
    path = {"FIFO": tmp_path / "pipe", "device": Path("/dev/zero"), "directory": tmp_path}[kind]
    if kind == "FIFO":
        os.mkfifo(path)
    with pytest.raises(OSError, match=kind) as caught:
        read(path)
    assert str(path) in str(cannot_read(path, caught.value))


@pytest.mark.parametrize("read", [read_bytes, read_text])
def test_a_disk_that_fails_while_a_file_is_read_is_told_with_the_file(
    read: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's error of reading or closing names none."""
    (tmp_path / "rows").write_text("1")

    class Failing(io.FileIO):
        def close(self) -> None:
            super().close()
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(files, "open_regular", Failing)
    with pytest.raises(OSError, match="rows") as caught:
        read(tmp_path / "rows")
    assert caught.value.filename == str(tmp_path / "rows")


def test_gzip_is_unpacked_and_anything_else_read_as_it_is(tmp_path: Path) -> None:
    content = b"a,b\n" * 100_000
    for name, data in (("plain", content), ("packed", gzip.compress(content)), ("none", b"")):
        (tmp_path / name).write_bytes(data)
        with open_unpacked(tmp_path / name) as file:
            assert file.read() == (content if data else b"")
        with open_unpacked(tmp_path / name) as file:
            assert sum(1 for _ in file) == (100_000 if data else 0)


def test_a_small_file_does_not_unpack_to_a_huge_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bomb(tmp_path / "bomb.gz", 4 * 2**20)
    monkeypatch.setenv(LIMIT_KEY, "3M")
    with open_unpacked(path) as file, pytest.raises(DataError, match=f"{LIMIT_KEY}=1G"):
        file.read()
    monkeypatch.setenv(LIMIT_KEY, "5MB")
    with open_unpacked(path) as file:
        assert len(file.read()) == 4 * 2**20


def test_what_is_far_beyond_the_limit_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bomb(tmp_path / "bomb.gz", 64 * 2**20)
    monkeypatch.setenv(LIMIT_KEY, "3M")
    with pytest.raises(DataError, match=r"unpack to 6\d(\.\d)? MB, more than the limit of 3 MB"):
        open_unpacked(path)
    path.write_bytes(gzip.compress(b"")[:10])  # cut short: told when it is read
    with open_unpacked(path) as file, pytest.raises(EOFError):
        file.read()


def test_the_limit_grows_with_the_file_and_never_exceeds_the_free_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(LIMIT_KEY, raising=False)
    monkeypatch.setattr("nettrain.files.available_memory", lambda: 10**11)
    assert unpacked_limit(6 * 10**6) == 10**9 and unpacked_limit(10**8) == 10**10
    assert unpacked_limit(10**10) == 5 * 10**10
    monkeypatch.setenv(LIMIT_KEY, "lots")
    with pytest.raises(DataError, match="expected a number of bytes, such as 8G, got 'lots'"):
        unpacked_limit(1)


def test_more_than_the_free_memory_is_refused_before_it_is_taken() -> None:
    check_memory("x.npy", 1000)
    with pytest.raises(DataError, match=r"x\.npy: takes .* in memory, and .* are free"):
        check_memory("x.npy", 2 * available_memory() + 10**9)


def test_where_memory_bounds_what_a_file_unpacks_to_no_limit_is_to_be_raised(monkeypatch):
    monkeypatch.setattr("nettrain.files.available_memory", lambda: 4 * 10**6)
    with pytest.raises(DataError) as error:
        check_unpacked("x.npz", 10**6, 3 * 10**6)
    assert "half of the memory that is free, 4 MB" in str(error.value)
    assert "NETTRAIN_MAX_UNPACKED" not in str(error.value)


@pytest.mark.parametrize("command", ["fit", "check", "eval", "predict"])
def test_a_fifo_in_place_of_any_file_is_a_message(command: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    arguments = [command, str(pipe), *(["x.csv"] if command == "predict" else [])]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2 and "FIFO" in result.output


@pytest.mark.parametrize("kind", ["FIFO", "device"])
def test_checkpoints_and_plugins_are_regular_files(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "special"
    if kind == "FIFO":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(CheckpointError, match=f"special: cannot be read: Is a {kind}"):
        Checkpoint.read(path)
    config = {"dataset": {"source": "xor"}, "model": "mlp", "plugins": [str(path)]}
    with pytest.raises(ConfigError, match=f"cannot be read: is a {kind.lower()}"):
        nettrain.train(config, output_directory=tmp_path, allow_plugins=True)
