"""The path of a value in a configuration: keys and indices, written `model.hidden[1]`."""

import re

KeyPath = tuple[str | int, ...]

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


def dotted(path: KeyPath) -> str:
    """('model', 'hidden', 1) as `model.hidden[1]`."""
    return "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in path
    ).removeprefix(".")


def parse(text: str) -> KeyPath | None:
    """`model.hidden[1]` as ('model', 'hidden', 1); None where it is no path."""
    path: list[str | int] = []
    end = 0
    while end < len(text):
        step = _STEP.match(text, end)
        if (
            step is None
            or (not path and step.group().startswith((".", "[")))
            or (path and step.group()[0] not in ".[")
        ):
            return None
        path.append(int(step[2]) if step[1] is None else step[1])
        end = step.end()
    return tuple(path) or None


def join(place: str, path: KeyPath, message: str) -> str:
    """One line of a ConfigError: `a.yaml:12: model.hidden[1]: expected ...`."""
    return ": ".join(part for part in (place, dotted(path), message) if part)
