"""Messages on stderr: wrapped at spaces on a terminal, commands whole; a full disk loses no training."""

import io
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from nettrain.cli import output

PATH = "/a/path/without/spaces/that-is-longer-than-the-line/photographs-of-birds"
WRAPPED = [
    (f"{PATH}: no such file", 30, [f"{PATH}:", "  no such file"]),
    ("well-known words stay whole", 12, ["well-known", "  words stay", "  whole"]),
    ("one\ntwo", 30, ["one", "two"]),
    ("short enough", None, ["short enough"]),
]


@pytest.mark.parametrize(("message", "width", "lines"), WRAPPED)
def test_a_message_is_broken_at_spaces_alone(message, width, lines):
    assert output.wrapped(message, width).split("\n") == lines


@pytest.mark.parametrize(("width", "lines"), [(20, 2), (80, 1), (None, 1)])
def test_a_command_is_never_wrapped(width, lines, monkeypatch, capsys):
    monkeypatch.setattr(output, "_width_of", lambda stream: width)
    command = "nettrain eval 'runs/a name' --split train"
    output.say("next:", command=command)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == lines and said[-1].endswith(command)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is full")
def test_messages_that_cannot_be_written_do_not_end_the_command():
    code = "from nettrain.cli.output import say; say('a'); say('b'); print('done')"
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", code],
            stderr=full,
            stdout=subprocess.PIPE,
            text=True,
            timeout=240,
        )
    assert (ended.returncode, ended.stdout) == (0, "done\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("buffering", [-1, 0], ids=["buffered", "as with python -u"])
def test_an_error_of_standard_output_names_it(buffering, tmp_path):
    """And what can be written is what was written before."""
    with open("/dev/full", "wb", buffering) as file:
        stream = io.TextIOWrapper(file)
        full = output.naming_itself(stream)
        with pytest.raises(OSError) as caught:
            print("a row", file=full, flush=True)
        assert caught.value.filename == "standard output"
        with suppress(OSError):
            full.close()  # writes what is in its buffer
    with (tmp_path / "rows").open("wb", buffering) as file:
        stream = io.TextIOWrapper(file, "ascii", "backslashreplace", write_through=not buffering)
        print("before", file=stream)
        named = output.naming_itself(stream)
        print("\xe4", file=named, flush=True)
        assert named is not stream and named.fileno() == file.fileno()
    assert (tmp_path / "rows").read_text() == "before\n\\xe4\n"


def test_a_stream_that_is_no_file_is_left_alone():
    for stream in (io.StringIO(), io.TextIOWrapper(io.BytesIO())):
        assert output.naming_itself(stream) is stream
