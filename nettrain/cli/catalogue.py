"""Everything that `explain` and `schema` cover: runs, ensembles, sweeps, operations of the core."""

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nettrain.autodiff.primitive import Primitive
    from nettrain.config.explanation import Catalogue, Explanation


def everything() -> "Catalogue":
    """All explanations by full name, each made when it is called."""
    from nettrain.autodiff.operations import operations
    from nettrain.config.explanation import catalogue
    from nettrain.search.sweep.spec import SweepSpec

    return catalogue({"sweep": SweepSpec}) | {
        f"operation.{name}": partial(_operation, name, cls) for name, cls in operations().items()
    }


def file_schema() -> dict[str, Any]:
    """The JSON Schema of every YAML file that a command takes."""
    from nettrain.config.json_schema import json_schema
    from nettrain.search.sweep.spec import SweepSpec

    return json_schema(sweep=SweepSpec)


def _operation(name: str, cls: type["Primitive"]) -> "Explanation":
    from nettrain.config.docstring import Docstring
    from nettrain.config.explanation import Explanation

    described = Docstring.of(cls)
    return Explanation(f"operation.{name}", "operation", described.summary, described.details)
