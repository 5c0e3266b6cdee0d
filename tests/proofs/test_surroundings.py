"""What a machine does to a command: each case ends well, and with a message."""

import pytest
from test_crash import result_of


@pytest.mark.slow
def test_whatever_the_machine_does_a_command_says_so_and_nothing_is_lost():
    found = result_of("surroundings.py")
    assert found["faults"] == []
    assert set(found["cases"].values()) == {"well"} and len(found["cases"]) >= 10
