"""What the bits of a run depend on beside its configuration: versions, processor, BLAS, data."""

import os
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy
import pydantic
import safetensors
from threadpoolctl import threadpool_info

from nettrain.version import __version__


def environment(fingerprint: str, kernels: str) -> dict[str, object]:
    """The content of environment.json.

    No other program is started to ask for it, as `platform.platform()` would.
    """
    system = os.uname() if hasattr(os, "uname") else None
    packages = {package.__name__: package.__version__ for package in (numpy, pydantic, safetensors)}
    compiler = {name: version(name) for name in ("numba", "llvmlite")} if kernels == "numba" else {}
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "versions": {"nettrain": __version__} | packages | compiler,
        "kernels": kernels,
        "system": f"{system.sysname} {system.release} {system.machine}" if system else sys.platform,
        "processor": processor(),
        "cores": os.cpu_count(),
        "blas": [
            {key: library.get(key) for key in ("internal_api", "version", "architecture")}
            for library in threadpool_info()
        ],
        "blas_threads": 1,
        "data_fingerprint": fingerprint,
        "command": sys.argv,
        "started": time.time(),
    }


def processor() -> str | None:
    """The processor's name where the system tells it in a file."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None
    )
