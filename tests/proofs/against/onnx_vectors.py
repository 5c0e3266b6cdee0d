"""The ONNX project's own vectors: graphs with inputs and outputs, from the package onnx."""

import importlib
import pkgutil
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from against.onnx_nodes import NODES
from onnx import numpy_helper
from onnx.backend.test.case import node

FOLDERS = ("pytorch-converted", "pytorch-operator", "simple")
Vector = tuple[str, onnx.ModelProto, list[tuple[list[np.ndarray], list[np.ndarray]]]]


def from_files() -> Iterator[Vector]:
    """Those that the package has files of: nodes and small graphs that PyTorch once exported."""
    data = Path(onnx.__file__).parent / "backend/test/data"
    for folder in FOLDERS:
        for path in sorted((data / folder).glob("*/model.onnx")):
            sets = []
            for part in sorted(path.parent.glob("test_data_set_*")):
                both = [_arrays(part, name) for name in ("input", "output")]
                if None not in both:
                    sets.append((both[0], both[1]))
            yield path.parent.name, onnx.load(path), sets


def _arrays(folder: Path, name: str) -> list[np.ndarray] | None:
    """The arrays in files by their number; None where one is a sequence or the like."""
    found = []
    for path in sorted(folder.glob(f"{name}_*.pb"), key=lambda p: int(re.findall(r"\d+", p.stem)[-1])):  # fmt: skip
        try:
            found.append(numpy_helper.to_array(onnx.load_tensor(path)))
        except Exception:  # of the protocol's parser: another type of value
            return None
    return found


def of_nodes(every: bool = False) -> Iterator[Vector]:
    """Those that the package's own test cases make, of operations that nettrain has.

    Args:
        every: Whether the modules of other operations are imported too, which takes minutes.
    """
    known = {name.lower() for name in NODES} | {"celoss", "negativeloglikelihoodloss"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in pkgutil.walk_packages(node.__path__, node.__name__ + "."):
            short = module.name.rpartition(".")[2].replace("_", "")
            if every or short in known or short.removesuffix("loss") in known:
                importlib.import_module(module.name)
        cases: list[Any] = list(node._NodeTestCases)
    for case in cases:
        if case.name.endswith("_expanded"):
            continue  # the same numbers by other operations
        yield case.name, case.model, [(list(a), list(b)) for a, b in case.data_sets]
