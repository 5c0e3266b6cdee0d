"""All operations by name."""

import inspect
import pkgutil
import re
from importlib import import_module

from nettrain.autodiff import ops
from nettrain.autodiff.primitive import Primitive


def operations() -> dict[str, type[Primitive]]:
    """Every operation by the snake_case name of its class: `LogSoftmax` is `log_softmax`."""
    by_name: dict[str, type[Primitive]] = {}
    for module in pkgutil.iter_modules(ops.__path__, f"{ops.__name__}."):
        for name, value in vars(import_module(module.name)).items():
            own = (
                isinstance(value, type)
                and issubclass(value, Primitive)
                and value.__module__ == module.name
            )
            if own and not name.startswith("_") and not inspect.isabstract(value):
                by_name[re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()] = value
    return dict(sorted(by_name.items()))
