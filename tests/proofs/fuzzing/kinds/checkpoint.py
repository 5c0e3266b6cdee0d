"""Checkpoints of runs and of an ensemble: metadata, tensors, header and bytes changed."""

import json
import struct
from pathlib import Path

import numpy as np
from fuzzing.case import DANGLING, ENDLESS, FIFO, FOLDER, Case
from fuzzing.damage import damaged
from fuzzing.json_values import VALUES, deepened, mutations
from fuzzing.pick import pick
from fuzzing.runs import files_of, made, rows_of
from hypothesis import strategies as st

_SOUND: dict[str, bytes] = {}


def prepare(folder: Path) -> None:
    """Train the runs whose checkpoints are changed, and predict with each: what libraries take once is no input's.

    Pandas takes 32 MB as it is imported, and 70 where there is pyarrow, which it imports too.
    """
    for directory in sorted(made(folder).iterdir()):
        for name, content in files_of(directory).items():
            if name.startswith("checkpoints/"):
                _SOUND[f"{directory.name} {name}"] = content
                (folder / "c.safetensors").write_bytes(content)
                run(Case("checkpoint", {"rows": directory.name}), folder)


def words() -> list[str]:
    """What a guided change puts in: JSON values."""
    return [json.dumps(value) for value in VALUES]


def cases() -> st.SearchStrategy[Case]:
    """One file, and the name of the run whose rows its model predicts."""
    return _cases()


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    name = pick(draw, sorted(_SOUND))
    content = _SOUND[name]
    match draw(st.integers(0, 19)):
        case 7 | 8:
            file = draw(damaged(content))
        case 9:
            file = pick(draw, [FIFO, ENDLESS, FOLDER, DANGLING, b""])
        case _:
            file = _rewritten(draw, content)
    return Case("checkpoint", {"rows": name.split()[0]}, {"c.safetensors": file})


def _rewritten(draw: st.DrawFn, content: bytes) -> bytes:
    """A file whose header and metadata are valid JSON, with changes in them."""
    [length] = struct.unpack("<Q", content[:8])
    header, tensors = json.loads(content[8 : 8 + length]), content[8 + length :]
    metadata = json.loads(header["__metadata__"]["nettrain"])
    what = pick(draw, ["metadata"] * 6 + ["header", "tensors"])
    if what == "metadata":
        metadata = draw(mutations(metadata))
    header["__metadata__"]["nettrain"] = deepened(json.dumps(metadata)).decode()
    if what == "header":
        header = draw(mutations(header))
    if what == "tensors":
        kinds = st.sampled_from([np.nan, np.inf, 0, 1e30, -1e30])
        numbers = np.frombuffer(tensors[: len(tensors) // 4 * 4], np.float32).copy()
        if len(numbers):
            numbers[draw(st.integers(0, len(numbers) - 1)) :: draw(st.integers(1, 9))] = draw(kinds)
        tensors = numbers.tobytes() + tensors[len(numbers) * 4 :]
    text = deepened(json.dumps(header))
    return struct.pack("<Q", len(text)) + text + tensors


def run(case: Case, folder: Path) -> None:
    """It is refused in words, or predicts."""
    import nettrain

    model = nettrain.load(folder / "c.safetensors")
    repr(model)
    model.predict(rows_of(case.arguments["rows"]))
