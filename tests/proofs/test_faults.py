"""Failing system calls: the library fails the call that it is told to, and the commands say which it was."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
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
