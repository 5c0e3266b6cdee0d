import json
from pathlib import Path

PLUGIN = '''\
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.primitive import ElementWise
from nettrain.autodiff.tensor import apply
from nettrain.nn.activation import Activation


class Doubled(ElementWise):
    """y = 2 x, with the gradient of y = x."""

    def forward(self, out, x):
        np.multiply(x, 2, out=out)

    def backward(self, grads, dy, out, x):
        grads[0][...] = dy


@dataclass(frozen=True, kw_only=True)
class Wrong(Activation):
    """y = 2 x."""

    def apply(self, x):
        return apply(Doubled(), x)
'''


def test_a_right_model_ends_with_code_0_and_writes_nothing(folder, command):
    before = sorted(folder.iterdir())
    found = command("gradcheck", "flowers.yaml", "--rows", "5")
    assert found.exit_code == 0, found.output
    lines = {line.split()[0]: line for line in found.stdout.splitlines() if line.strip()}
    assert set(lines) >= {"input", "dense_1.w", "dense_1.b", "dense_2.w", "dense_2.b"}
    assert lines["dense_1.w"].rstrip().endswith("ok") and "16 of 16" in lines["dense_1.w"]
    assert (
        found.stderr.startswith("5 rows, loss ")
        and "next: nettrain fit flowers.yaml" in found.stderr
    )
    assert sorted(folder.iterdir()) == before


def test_a_wrong_gradient_ends_with_code_1_and_names_what_it_spoils(folder, command):
    Path("mine.py").write_text(PLUGIN)
    Path("a.yaml").write_text(
        "extends: flowers.yaml\nplugins: [mine.py]\nmodel: {activation: wrong}\n"
    )
    assert command("gradcheck", "a.yaml").exit_code == 2
    found = command("gradcheck", "a.yaml", "--allow-plugins")
    assert found.exit_code == 1
    assert (
        "MISMATCH: input, dense_1.w, dense_1.b" in found.stderr and "Traceback" not in found.stderr
    )
    assert (
        command(
            "gradcheck", "a.yaml", "--allow-plugins", "--set", "model.activation=tanh"
        ).exit_code
        == 0
    )


def test_json_has_every_array(folder, command):
    found = json.loads(command("gradcheck", "flowers.yaml", "--json").stdout)
    assert (found["passed"], found["rows"], found["tolerance"]) == (True, 8, 1e-6)
    assert found["arrays"][1]["name"] == "dense_1.w" and found["arrays"][1]["error"] < 1e-6


def test_the_tolerance_decides(folder, command):
    found = command("gradcheck", "flowers.yaml", "--tolerance", "1e-15", "--json")
    assert found.exit_code == 1 and json.loads(found.stdout)["passed"] is False


def test_a_mistake_has_its_line(folder, command):
    Path("flowers.yaml").write_text(
        Path("flowers.yaml").read_text().replace("hidden: [8]", "hidden: [0]")
    )
    found = command("gradcheck", "flowers.yaml")
    assert (found.exit_code, found.stderr) == (
        2,
        "flowers.yaml:4: model.hidden[0]: expected a positive integer, got 0\n",
    )
