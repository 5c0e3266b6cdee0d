"""The schema that the grammars are made from, and texts that stand for any string in it."""

from functools import cache

from fuzzing.schema_grammar import Grammar

TEXTS = (
    "a", "b.csv", "train", "validation_loss", "../b.yaml", "/etc/passwd", "~nobody/x", "$HOME/x", "${UNSET}/x", "\0", "x" * 300, "é", "\ud800",
    "<script>alert(1)</script>", "=cmd()", "a.b[0].c", "con:", "a\nb", " ", "-", "%s %d {0} {x}", "[bold]", "\x1b[31m", "http://127.0.0.1/x", "/dev/stdin",
)  # fmt: skip


@cache
def schema() -> dict:
    """Of runs, ensembles and sweeps."""
    from nettrain.config.json_schema import json_schema
    from nettrain.search.sweep.spec import SweepSpec

    return json_schema(SweepSpec)


@cache
def wild() -> Grammar:
    """Every bound, every text, and at times what is not described at all."""
    return Grammar(schema(), junk=60, bounds=True, texts=TEXTS)


@cache
def small() -> Grammar:
    """Valid values only, small enough that what they describe can be built."""
    return Grammar(schema(), junk=None, largest=6, texts=("a", "validation_loss"))


@cache
def words() -> tuple[str, ...]:
    """The keys and the fixed texts of the schema."""
    return words_of(schema())


def words_of(schema: dict) -> tuple[str, ...]:
    """The keys and the fixed texts of a schema."""
    found: dict[str, None] = {}

    def walk(value: object) -> None:
        if isinstance(value, list):
            for item in value:
                walk(item)
        elif isinstance(value, dict):
            fixed = [value.get("const"), *value.get("enum", ())]
            found.update(dict.fromkeys(one for one in fixed if isinstance(one, str)))
            found.update(dict.fromkeys(value.get("properties", ())))
            for key, item in value.items():
                walk(list(item.values()) if key in ("properties", "$defs") else item)

    walk(schema)
    return tuple(found)
