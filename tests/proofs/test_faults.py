"""Failing system calls: the library fails the call that it is told to, and the commands say which it was."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from processes.file_state import state_of
from test_crash import result_of

FOLDER_OF_CAMPAIGNS = Path(__file__).parent
# Every line is what one trouble does to a file that is written, forced to the disk and renamed.
WRITER = f"""
import os, sys
sys.path.insert(0, {str(FOLDER_OF_CAMPAIGNS)!r})
from pathlib import Path
from processes.system_calls import *
run_preloaded()
calls = preloaded()
if calls.absent:
    print("absent")
    sys.exit()

def write():
    with open("new", "wb", buffering=0) as file:
        if file.write(b"content") != 7:
            print("short", os.fstat(file.fileno()).st_size)
        os.fsync(file.fileno())
    os.rename("new", "old")

calls.arm(Path("."), Trouble("", EVERY, NOTHING), 0)
write()
print(calls.counted())
for place in range(1, 6):
    calls.arm(Path("."), Trouble("", EVERY, FAIL_ONCE, {errno.EIO}), place)
    try:
        write()
    except OSError as error:
        print(error.errno, calls.struck().split()[0])
calls.arm(Path("elsewhere"), Trouble("", EVERY, FAIL_FROM_HERE, {errno.EIO}), 1)
write()
calls.arm(Path("."), Trouble("", WRITE, SHORT_WRITE), 1)
write()
sys.stdout.flush()
calls.arm(Path("."), Trouble("", RENAME, DIE_BEFORE), 1)
write()
"""


HEADER = b'{"seconds": 1.2500, "weights": [0, 4]}'
ROW = b'{"epoch": 1, "seconds": 0.5, "loss": 2.0}\n'
LATER = {  # the same, but for times and the process
    "row.jsonl": ROW.replace(b"0.5", b"0.0625"),
    "log.txt": b"2026-11-28T02:18:30+00:00 finished",
    "last.safetensors": (40).to_bytes(8, "little")
    + HEADER.replace(b"1.2500", b"1.5")
    + b"     1234",
    ".last.safetensors.712.tmp": b"12",
}
BEFORE = {
    "row.jsonl": ROW,
    "log.txt": b"2026-11-27T23:59:59+00:00 finished",
    "last.safetensors": (40).to_bytes(8, "little") + HEADER + b"  1234",
    ".last.safetensors.9.tmp": b"12",
}
OTHERS = [
    ("row.jsonl", ROW.replace(b"2.0", b"2.5")),
    ("row.jsonl", ROW[:-1]),
    ("log.txt", b"2026-11-27T23:59:59+00:00 failed"),
    ("last.safetensors", (40).to_bytes(8, "little") + HEADER + b"  1235"),
    ("last.safetensors", ((40).to_bytes(8, "little") + HEADER + b"  1234")[:-1]),
    (".last.safetensors.9.tmp", b"1"),
    ("another", b""),
]


def written(folder, files):
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_what_a_fault_leaves_is_the_same_but_for_times_or_it_is_looked_at(tmp_path):
    assert all(len(files["last.safetensors"]) == 52 for files in (BEFORE, LATER))
    known = state_of(written(tmp_path / "before", BEFORE))
    assert state_of(written(tmp_path / "later", LATER)) == known
    for number, (name, content) in enumerate(OTHERS):
        other = written(tmp_path / str(number), BEFORE | {name: content})
        assert state_of(other) != known, name
    (tmp_path / "before/row.jsonl").unlink()
    assert state_of(tmp_path / "before") != known


@pytest.mark.slow
def test_the_library_strikes_the_call_that_it_is_told_to(tmp_path):
    (tmp_path / "writer.py").write_text(WRITER)
    done = subprocess.run(
        [sys.executable, "writer.py"], cwd=tmp_path, capture_output=True, text=True
    )
    if done.stdout == "absent\n":
        pytest.skip("needs a C compiler and Linux")
    told = [f"{errno.EIO} {call}" for call in ("open", "write", "fsync", "close", "rename")]
    assert done.stdout.splitlines() == ["5", *told, "short 3"], done.stderr
    assert sorted(os.listdir(tmp_path)) == ["new", "old", "writer.py"]


@pytest.mark.slow
def test_every_call_that_fails_is_told_and_costs_nothing_that_was_there():
    found = result_of("faults.py", "fit", "resume", "predict", "sweep", "--count", 60)
    assert found["faults"] == [] and found["cases"] in (0, 60)
    assert found["cases"] == 60 or "no C compiler" in found["without"]
