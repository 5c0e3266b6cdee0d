"""The registry of components: frozen dataclasses whose fields are their YAML keys.

A kind (layer, loss, optimizer ...) is a base class that names itself and the package of its files:

    class Optimizer(Component):
        kind = "optimizer"
        package = "nettrain.optim"

The YAML name of a component is its file's name and its class in snake_case: `adam`,
nettrain/optim/adam.py, `class Adam`.
Names are found by listing the package's files; a module is imported
only when a configuration names it. Inside `plugged` a user's own
components have names too.
"""

import dataclasses
import importlib
import importlib.util
import re
from abc import ABC
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import (
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import (
    CoreSchema,
    ErrorDetails,
    InitErrorDetails,
    PydanticCustomError,
    core_schema,
)
from pydantic_core.core_schema import ErrorType

from nettrain.errors import elsewhere, nearest

# The bounds that fields share. `strict`: the string "12" is no number, and `yes` not true.
MAX_COUNT = 2**31 - 1  # a larger number of anything is a slip of the finger
Integer = Annotated[int, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=1, le=MAX_COUNT)]  # 1, 2, 3 ...
SmallCount = Annotated[
    int, Field(strict=True, ge=1, le=1024)
]  # what is built in memory, one by one
Index = Annotated[int, Field(strict=True, ge=0)]  # 0, 1, 2 ...
Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, lt=1)]  # [0, 1)
Flag = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(strict=True, min_length=1)]

KIND_KEY = (
    "x-kind"  # in a JSON Schema of pydantic's: here stands a component of the kind that it names
)


class Record:
    """A frozen dataclass whose fields are YAML keys; an unknown key gets a suggestion.

    Attributes:
        shorthand: A word that YAML may have in place of the mapping; None: there is none.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    shorthand: ClassVar[str | None] = None

    @classmethod
    def expand_shorthand(cls, value: object) -> object:
        """Turn a shorthand into a mapping; anything else stays as it is."""
        return value

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(cls._suggest_keys, handler(source))

    @classmethod
    def _suggest_keys(cls, value: object, validate: Callable[[object], object]) -> object:
        try:
            return validate(value)
        except ValidationError as error:
            known = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
            raise ValidationError.from_exception_data(
                cls.__name__, [_with_hint(line, known) for line in error.errors()]
            ) from None


def _with_hint(line: ErrorDetails, known: list[str]) -> InitErrorDetails:
    """One of pydantic's errors; for an unknown key of this mapping, with a suggestion."""
    kind: str | PydanticCustomError = line["type"]
    if line["type"] == "unexpected_keyword_argument" and len(line["loc"]) == 1:
        key = line["loc"][0]
        kind = PydanticCustomError(
            "unknown_key",
            "unknown key {key}{hint} (there are: {known})",
            {
                "key": repr(key),
                "hint": nearest(str(key), known) or elsewhere(str(key)),
                "known": ", ".join(known) or "none",
            },
        )
    elif line["type"] not in _STANDARD_ERRORS:
        kind = PydanticCustomError(line["type"], "{message}", {"message": line["msg"]})
    return {"type": kind, "loc": line["loc"], "input": line["input"], "ctx": line.get("ctx", {})}


_STANDARD_ERRORS = frozenset(get_args(ErrorType))


class Component(Record, ABC):
    """The base of every kind of component; see the module's first lines.

    required_settings  what a configuration must say elsewhere when it names this component
    """

    kind: ClassVar[str]
    package: ClassVar[str]
    required_settings: ClassVar[Mapping[str, object]] = {}

    @classmethod
    def name(cls) -> str:
        """The YAML name: `LeakyRelu` is `leaky_relu`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def expand_shorthand(cls, value: object) -> object:
        """Turn a shorthand (a bare name, a number) into a mapping with `type`.

        Kinds may add their own.
        """
        return {"type": value} if isinstance(value, str) else value

    @classmethod
    def shorthands(cls) -> "tuple[type[Component], ...]":
        """The kinds whose bare names `expand_shorthand` takes too."""
        return ()

    @classmethod
    def suggest(cls, name: str) -> str:
        """Suggest the nearest name for one that does not exist; kinds may know better."""
        return nearest(name, [known for kind in (cls, *cls.shorthands()) for known in names(kind)])

    @classmethod
    def parse(cls, value: object) -> Self:
        """Make a component of this kind from an instance, a name, or a mapping with `type`.

        pydantic's errors keep their location.
        """
        if isinstance(value, cls):
            return value
        value = cls.expand_shorthand(value)
        if not isinstance(value, dict) or not isinstance(value.get("type"), str):
            raise PydanticCustomError(
                "component_form",
                "expected the name of a component of kind {kind}, "
                "or a mapping with 'type'; there are: {known}",
                {"kind": repr(cls.kind), "known": ", ".join(names(cls))},
            )
        fields = {key: item for key, item in value.items() if key != "type"}
        found: Self = adapter(find(cls, value["type"])).validate_python(fields)
        return found

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        if "kind" in cls.__dict__:
            return core_schema.no_info_plain_validator_function(cls.parse)
        return super().__get_pydantic_core_schema__(source, handler)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Only name the kind, for others to refer to: components may nest without end."""
        return {KIND_KEY: cls.kind} if "kind" in cls.__dict__ else handler(schema)

    def replace(self, **changes: object) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]


def names(kind: type[Component]) -> list[str]:
    """The YAML names of all components of a kind: those of its package, and the user's own."""
    return sorted([*built_in(kind), *(cls.name() for cls in plugged_in(kind))])


@cache
def built_in(kind: type[Component]) -> tuple[str, ...]:
    """The YAML names of nettrain's own components of a kind."""
    spec = importlib.util.find_spec(kind.package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"the kind {kind.kind!r} names the package {kind.package!r}, which does not exist"
        )
    files = (file for place in spec.submodule_search_locations for file in Path(place).glob("*.py"))
    return tuple(file.stem for file in files if not file.stem.startswith("_"))


def find(kind: type[Component], name: str) -> type[Component]:
    """Import the class of one component. Raises a pydantic error with a suggestion."""
    known = names(kind)
    if name not in known:
        raise PydanticCustomError(
            "unknown_component",
            "{kind} {name} does not exist{hint} (there are: {known})",
            {
                "kind": kind.kind,
                "name": repr(name),
                "hint": kind.suggest(name),
                "known": ", ".join(known),
            },
        )
    for plugged_class in plugged_in(kind):
        if plugged_class.name() == name:
            return plugged_class
    module = importlib.import_module(f"{kind.package}.{name}")
    found: type[Component] = getattr(module, "".join(part.capitalize() for part in name.split("_")))
    return found


_PLUGGED: ContextVar[tuple[type[Component], ...]] = ContextVar("plugged", default=())


@contextmanager
def plugged(classes: Iterable[type[Component]]) -> Iterator[None]:
    """Inside, in this thread or task, `names` and `find` know these components too."""
    token = _PLUGGED.set(tuple(classes))
    try:
        yield
    finally:
        _PLUGGED.reset(token)


def plugged_in(kind: type[Component]) -> tuple[type[Component], ...]:
    """The components of a kind that are plugged in now."""
    return tuple(cls for cls in _PLUGGED.get() if cls.kind == kind.kind)


@cache
def adapter(cls: type) -> TypeAdapter[Any]:
    """pydantic's validator of one class, built once."""
    return TypeAdapter(cls)


def to_mapping(value: object) -> object:
    """Plain mappings, lists and scalars that parse back to an equal value."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = {"type": value.name()} if isinstance(value, Component) else {}
        return named | {
            field.name: to_mapping(getattr(value, field.name))
            for field in dataclasses.fields(value)
        }
    if isinstance(value, dict):
        return {key: to_mapping(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_mapping(item) for item in value]
    return value
