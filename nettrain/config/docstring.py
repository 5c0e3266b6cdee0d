"""A docstring in its parts: first paragraph, free text, and the sections of Google style."""

import inspect
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

_HEADING = re.compile(
    r"(Args|Attributes|Example|Examples|Note|Notes|Raises|References|Returns|Yields):$"
)
_ENTRY = re.compile(r"(\w+)(?: \([^)]*\))?: +(.*)")


@dataclass(frozen=True)
class Docstring:
    """What a class or function says of itself.

    Attributes:
        summary: the first paragraph, on one line.
        details: the paragraphs that belong to no section, as they stand.
        sections: the text under each heading (`Attributes`, `Raises` ...), without its indentation.
    """

    summary: str
    details: str = ""
    sections: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, described: object) -> "Docstring":
        """The docstring of a class or function itself; an inherited one describes the base."""
        text = inspect.cleandoc(getattr(described, "__dict__", {}).get("__doc__") or "")
        return cls.parse(text or _of_function(described))

    @classmethod
    def parse(cls, text: str) -> "Docstring":
        """The parts of a docstring without its indentation."""
        summary, _, rest = text.partition("\n\n")
        free: list[str] = []
        sections: dict[str, list[str]] = {}
        lines = free
        for line in rest.splitlines():
            if heading := _HEADING.match(line):
                lines = sections.setdefault(heading[1], [])
            else:
                if line and not line.startswith(" ") and lines is not free:
                    lines = free
                lines.append(line)
        return cls(
            " ".join(summary.split()),
            "\n".join(free).strip(),
            {name: textwrap.dedent("\n".join(body)).strip() for name, body in sections.items()},
        )

    def entries(self, section: str) -> dict[str, str]:
        """The entries of a section such as `Attributes`, each on one line: name -> description."""
        found: dict[str, str] = {}
        name = ""
        for line in self.sections.get(section, "").splitlines():
            if not line.startswith(" ") and (entry := _ENTRY.match(line)):
                name, found[entry[1]] = entry[1], entry[2]
            elif name:
                found[name] = f"{found[name]} {line.strip()}".strip()
        return found


def _of_function(described: object) -> str:
    is_function = callable(described) and not isinstance(described, type)
    return inspect.cleandoc(described.__doc__ or "") if is_function else ""
