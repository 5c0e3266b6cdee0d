"""Each command that loads a configuration or a run can be allowed its plugins, and says how where it is not."""

from pathlib import Path

import pytest

PLUGIN = '''\
from dataclasses import dataclass

from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Square(Activation):
    """y = x^2."""

    def apply(self, x):
        return x * x
'''


@pytest.fixture
def plugged_in(folder, command):
    """The folder of flowers, its model with a plugin's activation, and a run of it."""
    Path("mine.py").write_text(PLUGIN)
    Path("flowers.yaml").write_text(Path("flowers.yaml").read_text().replace("hidden: [8]}", "hidden: [8], activation: square}")
                                    + "plugins: [mine.py]\n")  # fmt: skip
    found = command("fit", "flowers.yaml", "--allow-plugins", "--quiet")
    assert found.exit_code == 0, found.stderr
    return folder


COMMANDS = [
    ["fit", "flowers.yaml"],
    ["fit", "flowers.yaml", "--dry-run"],
    ["fit", "--resume", "runs/flowers", "--set", "training.epochs=4"],
    ["check", "flowers.yaml"],
    ["eval", "runs/flowers"],
    ["predict", "runs/flowers", "flowers.csv"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_plugin_runs_only_with_the_flag(plugged_in, command, arguments):
    refused = command(*arguments)
    assert (
        refused.exit_code == 2
        and "--allow-plugins" in refused.stderr
        and "Traceback" not in refused.stderr
    )
    allowed = command(*arguments, "--allow-plugins")
    assert allowed.exit_code == 0, allowed.stderr


@pytest.mark.parametrize("arguments", COMMANDS[-2:], ids=" ".join)
def test_a_plugin_that_has_changed_since_is_warned_of(plugged_in, command, arguments):
    Path("mine.py").write_text(PLUGIN.replace("x * x", "x * x * 1"))
    found = command(*arguments, "--allow-plugins")
    assert found.exit_code == 0
    assert (
        f"warning: {plugged_in / 'mine.py'} is not what the model was trained with" in found.stderr
    )


def test_a_plugin_that_fails_ends_the_run_with_its_own_lines(plugged_in, command):
    Path("mine.py").write_text(PLUGIN.replace("x * x", "x.nothing"))
    found = command("fit", "flowers.yaml", "--allow-plugins")
    assert found.exit_code == 1
    assert (
        found.stderr.splitlines()[-1]
        == f"  {plugged_in / 'mine.py'}:11, in apply: return x.nothing"
    )
