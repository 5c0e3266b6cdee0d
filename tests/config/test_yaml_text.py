import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettrain.config.yaml_text import MAX_CHARACTERS, read
from nettrain.errors import ConfigError


def at(line):
    return f"a.yaml:{line}"


SCALARS = [
    ("1e-3", 1e-3),
    ("1E5", 1e5),
    (".5", 0.5),
    ("5.", 5.0),
    ("-2.5e+3", -2500.0),
    ("-.inf", -math.inf),
    ("+.INF", math.inf),
    ("12", 12),
    ("-7", -7),
    ("+7", 7),
    ("012", 12),
    ("0o17", 15),
    ("0x1F", 31),
    ("1_000", "1_000"),
    ("12:30", "12:30"),
    ("0b1", "0b1"),
    ("no", "no"),
    ("Yes", "Yes"),
    ("on", "on"),
    ("off", "off"),
    ("y", "y"),
    ("true", True),
    ("FALSE", False),
    ("tRue", "tRue"),
    ("null", None),
    ("~", None),
    ("", None),
    ("nUll", "nUll"),
    ("2001-12-14", "2001-12-14"),
    ("'1'", "1"),
    ('"true"', "true"),
    ("1e", "1e"),
    (".", "."),
    ("-", [None]),
    ("=", "="),
    ("!!str 12", "12"),
    ("!!float 3", 3.0),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text, value):
    found = read(text, at).value
    assert found == value
    assert type(found) is type(value) or text == "!!float 3"


def test_nan_is_read():
    assert math.isnan(read(".nan", at).value)


def test_every_key_and_item_has_its_line():
    document = read("a: 1\nb:\n  c:\n    - x\n    - {d: 2}\n", at)
    assert document.value == {"a": 1, "b": {"c": ["x", {"d": 2}]}}
    assert document.places[("b",)] == "a.yaml:2"
    assert document.places[("b", "c")] == "a.yaml:3"
    assert document.places[("b", "c", 1)] == "a.yaml:5"
    assert document.places[("b", "c", 1, "d")] == "a.yaml:5"


def test_an_alias_repeats_its_value():
    assert read("a: &x [1, 2]\nb: *x", at).value == {"a": [1, 2], "b": [1, 2]}


# What a user wrote -> what he is told.
UNREADABLE = [
    (
        "a:\n\tb: 1",
        "a.yaml:2: not valid YAML: a tab stands where a value or key should begin; indent with spaces",
    ),
    (
        "a: b: c",
        "a.yaml:1: not valid YAML: a second ': ' on this line, or wrong indentation; a text that holds ': ' needs quotes",
    ),
    (
        "a: 1\nb: [1, 2\nc: 3",
        "a.yaml:2: not valid YAML: in the list that opens here: expected ',' or ']', got ':'",
    ),
    (
        "a: [1, 2",
        "a.yaml:1: not valid YAML: the list that opens here with '[' is never closed with ']'",
    ),
    (
        "a: {b: 1",
        "a.yaml:1: not valid YAML: the mapping that opens here with '{' is never closed with '}'",
    ),
    ("a: 'x\nb: 1", "a.yaml:1: not valid YAML: the quotation mark that opens here is never closed"),
    ("a: 1\nb", "a.yaml:2: not valid YAML: expected 'key: value'; the ':' is missing"),
    (
        "- a\nb: 1",
        "a.yaml:2: not valid YAML: does not fit the lines above: check the indentation, quotes and dashes",
    ),
    (
        "  a: 1\nb: 2",
        "a.yaml:2: not valid YAML: does not fit the lines above: check the indentation",
    ),
    (
        "a: - b",
        "a.yaml:1: not valid YAML: a list cannot begin behind 'key: '; put each '- item' on a line of its own, or write [a, b]",
    ),
    ("a: @x", "a.yaml:1: not valid YAML: no value can begin with '@'; put it in quotes"),
    (
        'a: "\\q"',
        "a.yaml:1: not valid YAML: the escape \\q does not exist; in single quotes a backslash needs none",
    ),
    (
        "a: 1\n---\nb: 2",
        "a.yaml:2: not valid YAML: a second document begins here with '---'; a configuration is one document",
    ),
    (
        "a: *x",
        "a.yaml:1: not valid YAML: the alias *x repeats a value marked &x, but there is none; a text that begins with '*' needs quotes",
    ),
    (
        "a: ]",
        "a.yaml:1: not valid YAML: expected a value, got ']'; a text that begins so needs quotes",
    ),
    (
        "a: 1\nb: \x01",
        "a.yaml:2: the character '\\x01' is not allowed in YAML; is this a text file?",
    ),
    ("a: &x [*x]", "a.yaml:1: a[0]: an alias stands inside the very value that it repeats"),
    ("[" * 60 + "]" * 60, "a.yaml:1: nested too deeply (at most 50 levels)"),
    ("[" * 50_000, "a.yaml:1: nested too deeply (at most 50 levels)"),
    (
        "#" * (MAX_CHARACTERS + 1),
        "a.yaml:1: 262,145 characters are too many for a configuration (at most 262,144)",
    ),
]


@pytest.mark.parametrize(("text", "message"), UNREADABLE, ids=[text[:12] for text, _ in UNREADABLE])
def test_text_that_cannot_be_read_names_line_and_remedy(text, message):
    with pytest.raises(ConfigError) as error:
        read(text, at)
    assert str(error.value) == message


# What reading goes on after, so that other problems are told with it.
PROBLEMS = [
    ("a: 1\na: 2", "a.yaml:2: a: duplicate key; the first is at a.yaml:1"),
    ("b: {c: 1, c: 1}", "a.yaml:1: b.c: duplicate key; the first is at a.yaml:1"),
    (
        "1: 2",
        "a.yaml:1: expected a name as key, got '1'; a number or Boolean that is meant as a name needs quotes",
    ),
    (
        "true: 2",
        "a.yaml:1: expected a name as key, got 'true'; a number or Boolean that is meant as a name needs quotes",
    ),
    (
        "? [a]\n: 2",
        "a.yaml:1: expected a name as key, got a list or mapping; a number or Boolean that is meant as a name needs quotes",
    ),
    (
        "a: {<<: {b: 1}}",
        "a.yaml:1: a: the merge key '<<' is not part of YAML 1.2; write the keys out",
    ),
    ("a: !Foo 1", "a.yaml:1: a: the tag '!Foo' means nothing here; remove it"),
    (
        "a: !!python/name:os.system x",
        "a.yaml:1: a: the tag 'tag:yaml.org,2002:python/name:os.system' means nothing here; remove it",
    ),
    ("a: !x [1]", "a.yaml:1: a: the tag '!x' means nothing here; remove it"),
    ("a: !!int x", "a.yaml:1: a: 'x' is no int, as its tag says"),
    ("a: " + "1" * 5000, "a.yaml:1: a: an integer of 5000 digits is too long"),
]


@pytest.mark.parametrize(("text", "message"), PROBLEMS, ids=[text[:12] for text, _ in PROBLEMS])
def test_problems_of_keys_and_tags_are_collected(text, message):
    assert read(text, at).problems == [message]


def test_an_alias_bomb_ends_before_it_unfolds():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
    )
    with pytest.raises(
        ConfigError, match="aliases unfold to more than 100000 values; write fewer of them"
    ):
        read(bomb, at)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_words(text):
    try:
        read(text, at)
    except ConfigError as error:
        assert str(error).startswith("a.yaml:")


@settings(deadline=None)
@given(st.text(alphabet="ab:-[]{}'\"#&*!|> \n\t0.", max_size=40))
def test_any_yaml_like_text_is_read_or_refused_in_words(text):
    try:
        read(text, at)
    except ConfigError as error:
        assert str(error).startswith("a.yaml:")
