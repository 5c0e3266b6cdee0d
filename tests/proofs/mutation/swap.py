"""Put a mutant in place of the original: in a process that has imported it, or while it is imported."""

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType


def functions_of(paths: set[str]) -> dict[str, list[FunctionType]]:
    """All functions there are that were compiled from these files, unless the collector has frozen them."""
    found: dict[str, list[FunctionType]] = {path: [] for path in paths}
    for one in gc.get_objects():
        if type(one) is FunctionType and one.__code__.co_filename in found:
            found[one.__code__.co_filename].append(one)
    return found


def compiled(path: Path, source: bytes) -> CodeType:
    """The code of a module, as the import system compiles it."""
    return compile(source, path, "exec", dont_inherit=True)


def swap(function: str, functions: list[FunctionType], old: CodeType, new: CodeType) -> int:
    """Give a live function, and what was made by it, another code; how many were changed.

    Args:
        function: Its qualified name.
        functions: All that were compiled from the file.
        old: The code of the module from which they come.
        new: The code of the mutated module.

    Raises:
        ValueError: If a function has other free variables than before.
    """
    table = {
        (before.co_qualname, before.co_firstlineno): after
        for before, after in _pairs(old, new)
        if before.co_qualname == function or before.co_qualname.startswith(f"{function}.<locals>")
    }
    count = 0
    for one in functions:
        code = table.get((one.__code__.co_qualname, one.__code__.co_firstlineno))
        if code is not None:
            one.__code__ = code
            count += 1
    return count


def _pairs(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """The functions of two versions of a module, side by side; those that only one has are left out."""
    yield old, new
    after = _inner(new)
    for name, code in _inner(old).items():
        if name in after:
            yield from _pairs(code, after[name])


def _inner(code: CodeType) -> dict[tuple[str, int], CodeType]:
    """The functions in a function by name, and by number among those of one name."""
    seen: Counter[str] = Counter()
    found = {}
    for one in code.co_consts:
        if isinstance(one, CodeType):
            found[one.co_qualname, seen[one.co_qualname]] = one
            seen[one.co_qualname] += 1
    return found


class Importer(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module from another source than its file's."""

    def __init__(self, path: Path, source: bytes, root: Path) -> None:
        parts = path.relative_to(root).with_suffix("").parts
        self.package = parts[-1] == "__init__"
        self.name = ".".join(parts[:-1] if self.package else parts)
        self.path, self.source = path, source

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def is_package(self, name: str) -> bool:
        return self.package

    def get_source(self, name: str) -> str:
        return self.source.decode()

    def get_filename(self, name: str) -> str:
        return str(self.path)

    def get_code(self, name: str) -> CodeType:
        return compiled(self.path, self.source)

    def install(self) -> None:
        """From now on the module is imported by this; it must not have been imported yet."""
        assert self.name not in sys.modules, f"{self.name} is imported already"
        sys.meta_path.insert(0, self)
