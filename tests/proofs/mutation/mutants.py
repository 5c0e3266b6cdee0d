"""The mutants of a source file: one small change each, of what a program computes."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
import libcst.matchers as m
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, PositionProvider
from mutation.operators import STRICT, mutations

# What is left out, since no test of a computation can or should notice it: annotations, decorators, texts
# (strings, f-strings, whatever is raised), names of types, calls that a type checker asks for, and zip's
# `strict`, which is an assertion.
NOISE = (
    m.Annotation()
    | m.Decorator()
    | m.Raise()
    | m.FormattedString()
    | STRICT
    | m.Import()
    | m.ImportFrom()
    | m.Call(func=m.Name("isinstance") | m.Name("cast") | m.Name("TypeVar") | m.Name("Field"))
    | m.Assign(targets=[m.AssignTarget(m.Name(m.MatchRegex(r"__.*|_?[A-Z]\w*[a-z]\w*")))])
)


Edit = tuple[str, range, int, int, str]  # function, lines, first byte, length, what takes its place


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Args:
        path: Of the file, from the root of the project.
        function: The function or method that is changed, "" for a class or module body.
        lines: The lines of the statement that is changed.
        key: What it is called in records; it survives changes elsewhere in the file.
        edit: (the first byte that is replaced, the byte behind the last, what takes their place).
    """

    path: str
    function: str
    lines: range
    key: str
    edit: tuple[int, int, bytes]

    def source(self, root: Path) -> bytes:
        """The whole changed file."""
        start, end, new = self.edit
        text = (root / self.path).read_bytes()
        return text[:start] + new + text[end:]

    def rank(self, seed: int = 0) -> float:
        """In [0, 1), by the key alone: a sample of all mutants is those below a number.

        So a sample stays the same where a program changes elsewhere.
        """
        text = f"{seed} {self.key}" if seed else self.key
        return int(hashlib.blake2b(text.encode(), digest_size=6).hexdigest(), 16) / 2**48


class _Visitor(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider, ByteSpanPositionProvider)

    def __init__(self, module: cst.Module) -> None:
        super().__init__()
        self.module = module
        self.scopes: list[cst.FunctionDef | cst.ClassDef] = []
        self.statements: list[range] = []
        self.defaults = 0
        self.found: list[Edit] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if m.matches(node, NOISE):
            return False
        if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            self.statements.append(self._header(node))
        if isinstance(node, cst.Parameters):
            self.defaults += 1
        for old, new in mutations(node):
            span = self.get_metadata(ByteSpanPositionProvider, old)
            text = self.module.code_for_node(new)
            self.found.append(
                (self._function(), self.statements[-1], span.start, span.length, text)
            )
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self.scopes.append(node)
        return True

    def on_leave(self, node: cst.CSTNode) -> None:
        if m.matches(node, NOISE):
            return
        if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            self.statements.pop()
        if isinstance(node, cst.Parameters):
            self.defaults -= 1
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self.scopes.pop()

    def _header(self, node: cst.CSTNode) -> range:
        """The lines of a statement, of a compound one those before its body."""
        place = self.get_metadata(PositionProvider, node)
        last = place.end.line
        if isinstance(node, cst.BaseCompoundStatement) and isinstance(node.body, cst.IndentedBlock):
            last = self.get_metadata(PositionProvider, node.body.body[0]).start.line - 1
        return range(place.start.line, max(last, place.start.line) + 1)

    def _function(self) -> str:
        """The outermost function around the present node; a default value belongs to none."""
        names = []
        functions = [scope for scope in self.scopes if isinstance(scope, cst.FunctionDef)]
        if len(functions) <= bool(self.defaults):
            return ""
        for scope in self.scopes:
            names.append(scope.name.value)
            if isinstance(scope, cst.FunctionDef):
                break
        return ".".join(names)


def mutants_of(path: Path, root: Path) -> list[Mutant]:
    """All mutants of a file, in the order of their places."""
    text = path.read_bytes()
    wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    visitor = _Visitor(wrapper.module)
    wrapper.visit(visitor)
    return list(_named(visitor.found, text, path.relative_to(root).as_posix()))


def _named(found: list[Edit], text: bytes, path: str) -> Iterator[Mutant]:
    seen: Counter[str] = Counter()
    for function, lines, start, length, code in dict.fromkeys(found):
        new, end = code.encode(), start + length
        if new == text[start:end]:
            continue
        first, last = text.rfind(b"\n", 0, start) + 1, text.find(b"\n", end)
        before, after = text[first:last], text[first:start] + new + text[end:last]
        key = f"{path}::{function}: {_one_line(before)} => {_one_line(after)}"
        seen[key] += 1
        if seen[key] > 1:
            key += f" #{seen[key]}"
        yield Mutant(path, function, lines, key, (start, end, new))


def _one_line(text: bytes) -> str:
    return " ".join(text.decode().split())
