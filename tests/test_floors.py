"""The floors of the package: a module imports from lower floors only, no two modules import each other, bases do not know catalogues."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nettrain"

GROUND = {
    "errors",
    "synonyms",
    "files",
    "locks",
    "component",
    "streams",
    "version",
    "jit",
    "jit_cache",
    "quantiles",
    "numbers",
    "pages",
}
NETWORKS = {"nn", "initializers", "activations", "layers", "losses", "models"}
DATA = {"data", "sources", "transforms", "augmentations"}
BELOW_TRAINING = (
    {"autodiff", "config", "optim", "schedules", "metrics", "diagnosis"} | NETWORKS | DATA
)

# Each part of the package, and every other part that it may import. The four groups of floor 2 do not know each other.
MAY_IMPORT = {
    "errors": {"synonyms"},
    "synonyms": set(),
    "files": {"errors"},
    "locks": set(),
    "component": {"errors", "synonyms"},
    "streams": set(),
    "version": set(),
    "jit": {"jit_cache"},
    "jit_cache": set(),
    "quantiles": set(),
    "numbers": set(),
    "pages": set(),
    "autodiff": {"jit"},
    "schedules": GROUND,
    "nn": GROUND | {"autodiff", "schedules"},
    "initializers": GROUND | {"autodiff", "schedules", "nn"},
    "activations": GROUND | {"autodiff", "schedules", "nn"},
    "layers": GROUND | {"autodiff", "schedules", "nn", "initializers", "activations"},
    "losses": GROUND | {"autodiff", "schedules", "nn", "initializers", "activations", "layers"},
    "models": GROUND | {"autodiff", "schedules", "nn", "initializers", "activations", "layers"},
    "optim": GROUND | {"schedules"},
    "data": GROUND,
    "sources": GROUND | {"data"},
    "transforms": GROUND | {"data"},
    "augmentations": GROUND | {"data"},
    "metrics": GROUND,
    "config": GROUND | {"nn", "optim", "schedules", "data", "metrics"},
    "diagnosis": GROUND | BELOW_TRAINING - {"diagnosis"},
    "training": GROUND | BELOW_TRAINING,
    "inference": GROUND | BELOW_TRAINING | {"training"},
    "inspection": GROUND | BELOW_TRAINING | {"training", "inference"},
    "search": GROUND | BELOW_TRAINING | {"training", "inference", "inspection"},
    "report": GROUND | BELOW_TRAINING | {"training", "inference", "inspection", "search"},
    "sklearn": GROUND | BELOW_TRAINING | {"training", "inference", "inspection"},
    "export": GROUND | BELOW_TRAINING | {"training", "inference", "inspection", "search"},
    "cli": GROUND
    | BELOW_TRAINING
    | {"training", "inference", "inspection", "search", "report", "export"},
    "__init__": GROUND | BELOW_TRAINING | {"training", "inference", "inspection", "search"},
}
# Their base is the package itself, its members are the catalogue.
BASE_AND_CATALOGUE = ("optim", "schedules", "metrics")
# What these hold is reached by name, through the registry; only the listed parts may import it.
CATALOGUES = {
    "initializers": {"layers", "models"},
    "activations": {"layers", "models"},
    "layers": {"models"},
    "losses": set(),
    "models": set(),
    "sources": set(),
    "transforms": set(),
    "augmentations": set(),
}


@cache
def modules():
    """The source of every module, by dotted name."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file.read_text(
            encoding="utf-8"
        )
    return found


@cache
def statements(source):
    """The import statements of a module, wherever they stand in it."""
    nodes = ast.walk(ast.parse(source))
    return [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def imports(name, source, known):
    """The modules of nettrain that a module names in its imports."""
    found = set()
    for node in statements(source):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        else:
            assert node.level == 0, f"{name}: a relative import; write the whole name"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {one if one in known else node.module for one in whole}
    return {one for one in found if one == "nettrain" or one.startswith("nettrain.")} - {name}


def part(name):
    """`nettrain.data.split` is in `data`."""
    return name.split(".")[1] if "." in name else "__init__"


def is_member(name):
    """Whether a module is a component in a package whose base is the package: `nettrain.optim.adam`."""
    file = name.rpartition(".")[2]
    return part(name) in BASE_AND_CATALOGUE and name.count(".") == 2 and not file.startswith("_")


def violations(sources):
    """A sentence for every import that goes up, across, or from a base to its catalogue."""
    found = []
    for name, source in sources.items():
        own = part(name)
        for target in sorted(imports(name, source, sources)):
            there = part(target)
            if own != there and there not in MAY_IMPORT[own]:
                found.append(
                    f"{name} imports {target}: {own} stands on a lower floor than {there}, or beside it"
                )
            elif there in CATALOGUES and own != there and own not in CATALOGUES[there]:
                found.append(f"{name} imports {target}: components of {there} are reached by name")
            elif is_member(target) and not (is_member(name) and own == there):
                found.append(f"{name} imports {target}: a component is reached by name")
    return found


def cycle(sources):
    """The modules of one import cycle, or nothing. The top module imports the rest only when it is asked for a name."""
    graph = {
        name: imports(name, source, sources) - {"nettrain"}
        for name, source in sources.items()
        if name != "nettrain"
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_every_part_of_the_package_has_its_floor():
    assert {part(name) for name in modules()} == set(MAY_IMPORT)


def test_the_floors_are_a_ladder():
    below = {own: set(others) for own, others in MAY_IMPORT.items()}
    while below:
        bottom = {own for own, others in below.items() if not others & set(below)}
        assert bottom, f"these may import each other: {sorted(below)}"
        below = {own: others for own, others in below.items() if own not in bottom}


def test_no_module_imports_from_a_higher_floor():
    assert violations(modules()) == []


def test_no_two_modules_import_each_other():
    assert cycle(modules()) == []


@pytest.mark.parametrize(("name", "line", "said"), [
    ("nettrain.errors", "from nettrain.training.train import train", "errors stands on a lower floor than training"),
    ("nettrain.autodiff.tensor", "import nettrain.nn.layer", "autodiff stands on a lower floor than nn"),
    ("nettrain.optim", "from nettrain import data", "beside it"),
    ("nettrain.nn.layer", "def f():\n    from nettrain.layers import dense", "nn stands on a lower floor than layers"),
    ("nettrain.optim", "from nettrain.optim.adam import Adam", "reached by name"),
    ("nettrain.metrics._summary", "from nettrain.metrics.recall import Recall", "reached by name"),
    ("nettrain.config.load", "from nettrain.optim import adam", "reached by name"),
    ("nettrain.training.train", "from nettrain.losses.mse import Mse", "reached by name"),
    ("nettrain.layers.dense", "from nettrain.models.mlp import Mlp", "layers stands on a lower floor than models"),
])  # fmt: skip
def test_a_planted_import_is_found(name, line, said):
    planted = modules() | {name: modules()[name] + "\n" + line}
    assert [said in sentence for sentence in violations(planted)] == [True]


def test_a_planted_cycle_is_found():
    name = "nettrain.errors"
    assert name in cycle(modules() | {name: modules()[name] + "\nfrom nettrain import component"})
    assert cycle(
        {
            "nettrain.a": "import nettrain.b",
            "nettrain.b": "from nettrain.c import x",
            "nettrain.c": "import nettrain.a",
        }
    )
    assert not cycle(
        {
            "nettrain.a": "import nettrain.b, nettrain.c",
            "nettrain.b": "import nettrain.c",
            "nettrain.c": "",
        }
    )
