"""What the system refuses is told in a line, with the file and the reason; another exception is a fault of ours."""

import errno
import os

import pytest
import typer

from nettrain.cli import failure

REFUSED = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EMFILE,
    errno.ENFILE,
    errno.EIO,
    errno.ESTALE,
)


@pytest.mark.parametrize("number", REFUSED, ids=errno.errorcode.get)
def test_a_file_that_the_system_refuses_is_named_with_the_reason(number, capsys):
    with pytest.raises(typer.Exit) as end, failure.reported():
        raise OSError(number, os.strerror(number), "runs/a/config.yaml")
    assert end.value.exit_code == 2
    assert capsys.readouterr().err == f"runs/a/config.yaml: {os.strerror(number).lower()}\n"


@pytest.mark.parametrize("error", [OSError(errno.EBADF, "of ours"), KeyError("of ours")])
def test_a_fault_of_ours_keeps_its_traceback(error):
    with pytest.raises(type(error), match="of ours"), failure.reported():
        raise error
