"""The fuzzer: inputs that were faults once stay none, and every kind of fault that is planted is found."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing.attempt import Fault
from fuzzing.case import DANGLING, ENDLESS, FIFO, FOLDER, Case

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


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name, tmp_path):
    statement, signature = FAULTS[name]
    kind = FOLDER_OF_CAMPAIGNS / "fuzzing/kinds" / f"_{name}.py"
    kind.write_text(PLANTED.format(statement=statement, name=f"_{name}"))
    case = tmp_path / f"_{name}-1.json"
    case.write_text(Case(f"_{name}", {}, {"a": b"x = 1"}).to_json())
    try:
        found = result_of("--replay", "--corpus", tmp_path)
    finally:
        kind.unlink()
    assert [fault["signature"].startswith(signature) for fault in found["faults"]] == [True]
