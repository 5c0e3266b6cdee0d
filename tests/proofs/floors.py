"""The oldest versions that pyproject.toml allows, as requirements for pip.

    python tests/proofs/floors.py > oldest.txt && pip install -r oldest.txt -e .

Of what is installed for the tests alone (pytest, linters ...) the bounds hold as they are.
"""

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
TOOLS = {
    "pytest",
    "pytest-xdist",
    "hypothesis",
    "ruff",
    "mypy",
    "types-PyYAML",
    "nbclient",
    "ipykernel",
}


def floors() -> list[str]:
    """`name==version` of each dependency, also of the extras and of the peers in the tests."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    named = [*project["dependencies"], *(one for extra in extras.values() for one in extra)]
    found = {}
    for requirement in named:
        match = re.fullmatch(r"([\w-]+)(?:>=([\w.]+))?", requirement)
        if match is None:
            continue  # an extra of its own
        name, oldest = match.groups()
        if name in TOOLS:
            found[name] = requirement
        elif oldest is None:
            raise SystemExit(f"{requirement}: pyproject.toml names no oldest version")
        else:
            found[name] = f"{name}=={oldest}"
    return sorted(found.values())


if __name__ == "__main__":
    print("\n".join(floors()))
