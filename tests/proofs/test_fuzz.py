"""The fuzzer: inputs that were faults once stay none, and every kind of fault that is planted is found."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from fuzz import Watched
from fuzzing.attempt import Fault
from fuzzing.case import DANGLING, ENDLESS, FIFO, FOLDER, Case
from fuzzing.containers import parts, with_part
from fuzzing.guided import Changes, dictionary, shortened
from fuzzing.schema import words_of

FOLDER_OF_CAMPAIGNS = Path(__file__).parent
PLANTED = '''\
"""A kind whose every input is one fault."""

import os
import subprocess
import sys
import time
from pathlib import Path

from fuzzing.case import Case
from hypothesis import strategies as st
from nettrain.errors import ConfigError


def prepare(folder: Path) -> None:
    pass


def cases():
    return st.builds(Case, st.just("{name}"), st.just({{}}), st.just({{"a": b"x = 1"}}))


def run(case: Case, folder: Path) -> None:
    {statement}
'''
FAULTS = {
    "traceback": ("raise KeyError(1)", "KeyError at"),
    "no_word": ("raise ConfigError([])", "message"),
    "hang": ("time.sleep(1000)", "hang"),
    "busy": ("exec(compile('while True: pass', __file__, 'exec'))", "hang"),
    "memory": ("bytearray(300 * 2**20)", "memory"),
    "crash": ("os._exit(3)", "crash"),
    "written": ("(folder.parent / 'elsewhere').write_text('')", "open outside"),
    "linked": ("(folder / 'l').symlink_to(folder.parent / 'x'); (folder / 'l').write_text('')", "open outside"),
    "removed": ("os.path.exists('y') or os.mkdir(folder.parent / 'y')", "os.mkdir outside"),
    "process": ("subprocess.run([sys.executable, '-c', ''])", "subprocess.Popen"),
    "code": ("exec(compile((folder / 'a').read_bytes(), str(folder / 'a'), 'exec'))", "exec"),
    "pickle": ("import pickle; pickle.loads(pickle.dumps(Path))", "pickle.find_class"),
}  # fmt: skip


def result_of(*arguments: object) -> dict:
    command = [sys.executable, FOLDER_OF_CAMPAIGNS / "fuzz.py", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def test_inputs_that_were_faults_are_none_any_more():
    found = result_of("--replay")
    assert found["inputs"] >= 10 and found["faults"] == []


def test_a_case_is_read_as_it_was_written(tmp_path):
    files = {
        "a/b": b"\xff\0",
        "c": b"a\nb",
        "d": b"\r",
        "e": FIFO,
        "f": ENDLESS,
        "g": FOLDER,
        "h": DANGLING,
    }
    case = Case("config", {"sets": ["a=1"]}, files)
    assert Case.from_json(case.to_json(fault="x")) == case
    for _ in range(2):  # over what is there
        case.write(tmp_path / "input")
    assert (tmp_path / "input/a/b").read_bytes() == b"\xff\0" and (tmp_path / "input/e").is_fifo()


def test_faults_with_the_same_cause_have_one_signature():
    assert str(Fault("a", "b")) == "b" and Fault("a", "b").signature == "a"


def test_guided_inputs_are_the_first_ones_with_other_bytes_in_one_place():
    other = Case("config", {}, {"pipe": FIFO})  # nothing to change
    case = Case("config", {"sets": ["a=1"]}, {"a.yaml": b"x: 1", "b.yaml": b"y: 2", "c": FOLDER})
    changes = Changes([other, case])
    sound = list(changes.sound())
    assert [changes.case(data) for data in sound] == [case] * 3
    assert changes.case(sound[1] + b"3").files == case.files | {"b.yaml": b"y: 23"}
    assert changes.case(sound[2] + b"\xff").arguments == {"sets": ["a=1\ufffd"]}
    assert changes.case(b"").files == case.files | {"a.yaml": b""}


def test_a_part_of_a_container_is_changed_and_the_rest_stays_sound():
    file = io.BytesIO()
    np.savez_compressed(file, x=np.arange(3), y=np.ones(2))
    archive = with_part(file.getvalue(), "x.npy", parts(file.getvalue())["y.npy"])
    with np.load(io.BytesIO(archive)) as arrays:
        assert arrays["x"].tolist() == arrays["y"].tolist() == [1, 1]
    header = b'{"__metadata__": {"nettrain": "{}"}}'
    checkpoint = len(header).to_bytes(8, "little") + header + b"tensors"
    assert parts(checkpoint) == {"header": header, "metadata": b"{}"}
    changed = with_part(checkpoint, "metadata", b'{"a": 1}')
    assert parts(changed)["metadata"] == b'{"a": 1}' and changed.endswith(b"}}tensors")
    assert with_part(checkpoint, "header", b"{").endswith(b"\0{tensors")
    assert parts(archive[:-9]) == parts(b"a: 1") == parts(b"") == {}
    assert Changes([Case("arrays", {}, {"x": archive})]).case(b"\0\0\0\1").files != {"x": archive}


def test_a_guided_input_is_shortened_to_what_its_fault_needs():
    data = b"head" + bytes(range(200))
    assert shortened(data, lambda some: {7, 150} <= set(some[4:]), 60.0) == b"head\x07\x96"
    assert shortened(data, lambda some: {7, 150} <= set(some[4:]), 0.0) == data


def test_words_of_a_schema_are_put_in():
    loss = {"enum": ["mse", 1, None], "properties": {"enum": {"const": "a"}}}
    schema = {"$defs": {"loss": loss}, "anyOf": [{"properties": {"seed": {"type": "integer"}}}]}
    assert words_of(schema) == ("mse", "enum", "a", "seed")
    assert dictionary(['a"', "é", "", "x" * 65, 'a"']) == '"\\x61\\x22"\n"\\xc3\\xa9"\n'


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["arrays", "checkpoint", "config", "run_directory", "sweep"])
def test_what_a_library_takes_once_is_no_inputs(kind):
    found = result_of(kind, "--seed", 3, "--count", 60)
    assert found["faults"] == [] and found["kinds"][0]["peak"] < 32  # MB, half of the limit


@pytest.mark.slow
def test_a_planted_fault_is_found_by_coverage():
    pytest.importorskip("atheris")
    kind = FOLDER_OF_CAMPAIGNS / "fuzzing/kinds/_guided.py"
    statement = "assert (folder / 'a').read_bytes()[:3] == b'x ='"
    kind.write_text(PLANTED.format(statement=statement, name="_guided"))
    try:
        answers = Watched("_guided", 1, 300, 60.0, "guided").answers()
    finally:
        kind.unlink()
    [fault] = [answer for answer in answers if "signature" in answer]
    assert fault["signature"] == "AssertionError at _guided.py:run"
    assert Case.from_json(fault["case"]).files == {"a": b""}
    assert max(answer.get("inputs", 0) for answer in answers) > 100


@contextmanager
def planted(folder: Path, *names: str) -> Iterator[None]:
    """Kinds of one fault each, and a corpus of an input for each of them."""
    kinds = [FOLDER_OF_CAMPAIGNS / "fuzzing/kinds" / f"_{name}.py" for name in names]
    for name, kind in zip(names, kinds, strict=True):
        kind.write_text(PLANTED.format(statement=FAULTS[name][0], name=f"_{name}"))
        case = Case(f"_{name}", {}, {"a": b"x = 1"})
        (folder / f"_{name}-1.json").write_text(case.to_json())
    try:
        yield
    finally:
        for kind in kinds:
            kind.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name, tmp_path):
    with planted(tmp_path, name):
        found = result_of("--replay", "--corpus", tmp_path)
    assert [fault["signature"].startswith(FAULTS[name][1]) for fault in found["faults"]] == [True]


@pytest.mark.slow
def test_a_fault_hides_no_kind_after_its_own(tmp_path):
    with planted(tmp_path, "busy", "crash", "memory", "traceback"):
        found = result_of("--replay", "--corpus", tmp_path)
    kinds = [fault["signature"].split()[0].strip(":") for fault in found["faults"]]
    assert kinds == ["hang", "crash", "memory", "KeyError"]
