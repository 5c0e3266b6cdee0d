"""What Windows does otherwise, simulated: no flock, no open folders, renames that are refused, other names."""

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

import nettrain.locks as locks
from nettrain.config import checks
from nettrain.training.artifacts import files
from nettrain.training.artifacts.directory import is_locked, locked
from nettrain.training.artifacts.files import write_atomically


@pytest.fixture
def no_flock(monkeypatch, tmp_path):
    """msvcrt's locks of bytes, which no second descriptor gets."""
    held = {}

    def locking(descriptor, how, count):
        number = os.fstat(descriptor).st_ino
        if how == "unlock":
            assert held.pop(number) == descriptor
        elif held.setdefault(number, descriptor) != descriptor:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(locks, "fcntl", None)
    windows = SimpleNamespace(locking=locking, LK_NBLCK="lock", LK_UNLCK="unlock")
    monkeypatch.setattr(locks, "msvcrt", windows, raising=False)
    monkeypatch.setattr(locks.tempfile, "gettempdir", lambda: str(tmp_path))


def test_a_directory_is_locked_by_a_file_that_stands_for_it(no_flock, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    assert not is_locked(run)
    with locked(run):
        assert is_locked(run)
        with (
            pytest.raises(files.RunError, match="another process is training into it"),
            locked(run),
        ):
            pass
    with locked(run):  # released
        pass
    assert not is_locked(run) and list(run.iterdir()) == []


def test_folders_are_not_opened_to_force_a_rename_to_the_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(files, "WINDOWS", True)
    real = os.open

    def no_folders(path, *more, **named):
        if os.path.isdir(path):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *more, **named)

    monkeypatch.setattr(files.os, "open", no_folders)
    write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.mark.parametrize("refusals", [1, 3, 4])
def test_a_rename_is_tried_again_while_somebody_reads_the_file(monkeypatch, tmp_path, refusals):
    monkeypatch.setattr(files, "WINDOWS", True)
    pauses = []
    monkeypatch.setattr(files.time, "sleep", pauses.append)
    left, real = [refusals], os.replace

    def replace(source, target):
        left[0] -= 1
        if left[0] >= 0:
            raise PermissionError(13, "Permission denied", str(target))
        real(source, target)

    monkeypatch.setattr(files.os, "replace", replace)
    if refusals > 3:
        with pytest.raises(files.RunError, match="no permission to write there"):
            write_atomically(tmp_path / "a", b"new")
        assert list(tmp_path.iterdir()) == []
    else:
        write_atomically(tmp_path / "a", b"new")
        assert (tmp_path / "a").read_bytes() == b"new"
    assert pauses == [0.01, 0.1, 0.5][:refusals]  # seconds


@pytest.mark.parametrize(
    "name", ["a:b", "CON", "nul.txt", "lpt1", "a.", "a ", "a\x01", "what?", "a|b"]
)
def test_names_that_windows_does_not_have_are_refused_there(monkeypatch, name):
    assert checks.name_problem(name) is None
    monkeypatch.setattr(checks, "WINDOWS", True)
    assert "expected a name for a folder" in (checks.name_problem(name) or "")
    assert checks.name_problem("console.2") is None


WITHOUT = """
import multiprocessing.connection, multiprocessing.reduction, os, signal, subprocess, sys
import asyncio, numpy, pydantic  # the library and others have their own ways on Windows
del os.fork, signal.SIGBUS, signal.SIGKILL
for name in ("fcntl", "resource"):
    sys.modules[name] = None
sys.modules["msvcrt"] = type(sys)("msvcrt")
for name in ("O_NOFOLLOW", "O_NONBLOCK", "sched_getaffinity", "sysconf", "mkfifo", "register_at_fork"):
    if hasattr(os, name):
        delattr(os, name)
import pkgutil, importlib, importlib.util, nettrain
left_out = ["dask", "._frame_process"]
if importlib.util.find_spec("numba") is None:
    left_out.append("nettrain.jit_cache")
for module in pkgutil.walk_packages(nettrain.__path__, "nettrain."):
    if not any(part in module.name for part in left_out):
        importlib.import_module(module.name)
from nettrain.errors import ConfigError
from nettrain.search.executors.registry import executor_for
try:
    executor_for("local")
except ConfigError as error:
    print(error)
"""


def test_every_module_can_be_imported_without_what_windows_lacks():
    assert hasattr(signal, "SIGBUS")
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "cannot fork processes; use --executor serial" in done.stdout
