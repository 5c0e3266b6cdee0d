"""environment.json: all that the bits of a run depend on beside its configuration."""

import locale
import os
import sys
from types import SimpleNamespace

import numpy
import pydantic
import pytest
import safetensors

from nettrain.training.artifacts import environment as module
from nettrain.training.artifacts.environment import environment, processor
from nettrain.version import __version__

LIBRARY = {
    "internal_api": "openblas",
    "version": "0.3",
    "architecture": "Haswell",
    "num_threads": 1,
}


@pytest.fixture
def machine(monkeypatch):
    """One that is known."""
    names = SimpleNamespace(sysname="Linux", release="6.1", machine="x86_64")
    monkeypatch.setattr(module.os, "uname", lambda: names, raising=False)
    monkeypatch.setattr(module.os, "cpu_count", lambda: 12)
    monkeypatch.setattr(module, "threadpool_info", lambda: [LIBRARY, {"internal_api": "mkl"}])
    monkeypatch.setattr(module, "processor", lambda: "a processor")
    monkeypatch.setattr(module, "version", lambda name: f"that of {name}")
    monkeypatch.setattr(module.time, "time", lambda: 4711.5)


@pytest.mark.parametrize(("kernels", "compiler"), [
    ("numpy", {}), ("numba", {"numba": "that of numba", "llvmlite": "that of llvmlite"}),
])  # fmt: skip
def test_it_tells_versions_machine_data_and_command(machine, kernels, compiler):
    assert environment("the data", kernels) == {
        "python": "{}.{}.{}".format(*sys.version_info),
        "versions": {
            "nettrain": __version__, "numpy": numpy.__version__, "pydantic": pydantic.__version__,
            "safetensors": safetensors.__version__, **compiler,
        },
        "kernels": kernels,
        "system": "Linux 6.1 x86_64",
        "processor": "a processor",
        "cores": 12,
        "blas": [
            {"internal_api": "openblas", "version": "0.3", "architecture": "Haswell"},
            {"internal_api": "mkl", "version": None, "architecture": None},
        ],
        "blas_threads": 1,
        "data_fingerprint": "the data",
        "command": sys.argv,
        "started": 4711.5,
    }  # fmt: skip


def test_a_system_that_does_not_name_itself_is_told_as_python_knows_it(machine, monkeypatch):
    monkeypatch.delattr(os, "uname")
    assert environment("", "numpy")["system"] == sys.platform


@pytest.mark.parametrize(("content", "name"), [
    (b"processor\t: 0\nmodel name\t: AMD: EPYC \nmodel name\t: Another\n", "AMD: EPYC"),
    ("flags\t: \xff\nmodel name\t: R\xe9".encode("latin-1"), "R\ufffd"),
    ("model name\t: Ryzen\u2122".encode(), "Ryzen\u2122"),
    (b"BogoMIPS\t: 50.00\n", None),
    (None, None),
])  # fmt: skip
def test_the_processor_is_the_one_that_the_system_names_whatever_the_locale(
    tmp_path, monkeypatch, content, name
):
    file = tmp_path / "cpuinfo"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(module, "Path", {"/proc/cpuinfo": file}.__getitem__)
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C")
    try:
        assert processor() == name
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
