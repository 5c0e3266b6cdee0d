"""What no module may contain: unpickling, evaluated text, the global random state; and how each begins."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nettrain"
FILES = sorted(PACKAGE.rglob("*.py"))

MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "random"}
CALLS = {
    "eval",
    "exec",
    "compile",
    "yaml.load",
    "yaml.load_all",
    "yaml.unsafe_load",
    "yaml.full_load",
    "os.system",
}
GENERATORS = {
    "Generator",
    "PCG64",
    "Philox",
    "SeedSequence",
}  # np.random's own state is everything else in it


def dotted(node):
    """`np.random.seed` for such a chain of names, else nothing."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def faults(tree):
    """A word for each thing in a module that must not be there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
            yield from (
                name
                for name in named
                if name.split(".")[0] in MODULES or name.startswith("numpy.random")
            )
        elif isinstance(node, ast.Call):
            if dotted(node.func) in CALLS:
                yield dotted(node.func)
            pickling = [key.value for key in node.keywords if key.arg == "allow_pickle"]
            yield from (
                "allow_pickle"
                for value in pickling
                if not (isinstance(value, ast.Constant) and value.value is False)
            )
        elif (
            isinstance(node, ast.Attribute)
            and dotted(node.value) in ("np.random", "numpy.random")
            and node.attr not in GENERATORS
        ):
            yield dotted(node)
        elif isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node):
            yield "NotImplementedError"


def test_every_module_says_what_it_is_and_holds_nothing_that_must_not_be_there():
    found = {}
    for file in FILES:
        source = file.read_text(encoding="utf-8")
        tree = ast.parse(source)
        said = source.startswith('"""') and (ast.get_docstring(tree) or "").strip()
        found[str(file.relative_to(PACKAGE))] = [*faults(tree), *["no docstring"] * (not said)]
    assert len(found) > 700 and {file: those for file, those in found.items() if those} == {}


@pytest.mark.parametrize("line", [
    "import pickle", "from pickle import loads", "import numpy.random", "import random", "eval('1')", "exec(text)", "yaml.load(text)",
    "np.random.seed(0)", "rng = np.random.default_rng", "numpy.random.normal(3)", "np.load(f, allow_pickle=True)",
    "np.load(f, allow_pickle=x)", "raise NotImplementedError", "raise NotImplementedError('later')",
])  # fmt: skip
def test_a_planted_fault_is_found(line):
    assert list(faults(ast.parse(line)))


@pytest.mark.parametrize("line", [
    "x = np.random.Generator(np.random.PCG64(0))", "np.load(f, allow_pickle=False)", "yaml.compose(text)", "model.eval()", "import re",
    "re.compile('a')", "try: f()\nexcept NotImplementedError: g()",
])  # fmt: skip
def test_what_is_allowed_is_no_fault(line):
    assert not list(faults(ast.parse(line)))


# Phrases of a private vocabulary, for which the field has words.
PRIVATE = (
    "trivial model", "stands twice", "goes in a circle", "exclude each other", "is neither component", "go on with", "goes on with",
    "all right", "truth value", "no bit", "way back", "torn apart", "rows that steer", "what chance does",
    "the user can mend", "a row an epoch", "a line an epoch", "a text or", "ms a step", "FLOPs a row", "such as configs/",
)  # fmt: skip
SPOKEN = [
    *(PACKAGE / "cli").glob("*.py"),
    *(PACKAGE / "config").glob("*.py"),
    *PACKAGE.glob("*.py"),
    *(PACKAGE.parent / "configs").rglob("*.py"),
    PACKAGE.parent / "README.md",
    PACKAGE.parent / ".github/CONTRIBUTING.md",
]


def private_words(file):
    text = " ".join(file.read_text(encoding="utf-8").split()).lower()
    return [word for word in PRIVATE if word.lower() in text]


def test_what_users_read_has_no_private_words():
    found = {str(file): private_words(file) for file in SPOKEN}
    assert len(found) > 80 and {file: words for file, words in found.items() if words} == {}


def test_a_planted_private_word_is_found(tmp_path):
    file = tmp_path / "planted.py"
    file.write_text("say('beside the trivial\\n    model')".replace("\\n", "\n"))
    assert private_words(file) == ["trivial model"]
