"""PyYAML's errors in plain words: the line, what stands there, what to do."""

import re

import yaml
from yaml.reader import ReaderError

# A pattern of PyYAML's message -> our words; the first match wins, {0} is its first group.
_WORDS = [
    (
        r"character '\\t' that cannot start",
        "a tab stands where a value or key should begin; indent with spaces",
    ),
    (
        r"while scanning a quoted scalar.*end of stream",
        "the quotation mark that opens here is never closed",
    ),
    (
        r"while scanning a quoted scalar.*document separator",
        "the quotation mark that opens here is never closed",
    ),
    (
        r"unknown escape character '(.*)'",
        "the escape \\{0} does not exist; in single quotes a backslash needs none",
    ),
    (
        r"while parsing a flow sequence.*<stream end>",
        "the list that opens here with '[' is never closed with ']'",
    ),
    (
        r"while parsing a flow mapping.*<stream end>",
        "the mapping that opens here with '{{' is never closed with '}}'",
    ),
    (
        r"while parsing a flow sequence.*but got '(.*)'",
        "in the list that opens here: expected ',' or ']', got '{0}'",
    ),
    (
        r"while parsing a flow mapping.*but got '(.*)'",
        "in the mapping that opens here: expected ',' or '}}', got '{0}'",
    ),
    (r"character '(.)' that cannot start", "no value can begin with {0!r}; put it in quotes"),
    (
        r"mapping values are not allowed",
        "a second ': ' on this line, or wrong indentation; a text that holds ': ' needs quotes",
    ),
    (
        r"sequence entries are not allowed",
        "a list cannot begin behind 'key: '; put each '- item' on a line of its own, "
        "or write [a, b]",
    ),
    (r"could not find expected ':'", "expected 'key: value'; the ':' is missing"),
    (
        r"expected <block end>, but found",
        "does not fit the lines above: check the indentation, quotes and dashes",
    ),
    (r"expected '<document start>'", "does not fit the lines above: check the indentation"),
    (
        r"undefined alias '(.*)'",
        "the alias *{0} repeats a value marked &{0}, but there is none; "
        "a text that begins with '*' needs quotes",
    ),
    (r"duplicate anchor '(.*?)'", "duplicate anchor &{0}"),
    (
        r"expected the node content, but found '<stream end>'",
        "ends where a value should stand; brackets that open must close",
    ),
    (
        r"expected the node content, but found '(.*)'",
        "expected a value, got '{0}'; a text that begins so needs quotes",
    ),
    (
        r"found another document",
        "a second document begins here with '---'; a configuration is one document",
    ),
]
# Errors that stand where the construct opened, not where the parser gave up.
_AT_CONTEXT = re.compile(r"quoted scalar|flow sequence|flow mapping|expected ':'")


def explain(error: yaml.YAMLError) -> str:
    """The error in plain words."""
    if isinstance(error, ReaderError):
        character = chr(int(error.character))
        return f"the character {character!r} is not allowed in YAML; is this a text file?"
    said = _said(error)
    for pattern, words in _WORDS:
        found = re.search(pattern, said, re.DOTALL)
        if found:
            return f"not valid YAML: {words.format(*found.groups())}"
    return f"not valid YAML: {said.strip()}"


def line_of(error: yaml.YAMLError, text: str) -> int:
    """The line, counted from 1, where the mistake most likely is."""
    if isinstance(error, ReaderError):
        return text.count("\n", 0, error.position) + 1
    if not isinstance(error, yaml.MarkedYAMLError):
        return 1
    mark = (
        error.context_mark
        if error.context_mark and _AT_CONTEXT.search(_said(error))
        else error.problem_mark
    )
    return mark.line + 1 if mark else 1


def _said(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError):
        return f"{error.context or ''} {error.problem or ''}"
    return str(error)
