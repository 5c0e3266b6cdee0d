"""Configurations of runs and ensembles, with the files that they extend and overrides."""

from pathlib import Path
from typing import Any

from fuzzing.case import DANGLING, ENDLESS, FIFO, FOLDER, Case
from fuzzing.pick import pick
from fuzzing.schema import wild
from fuzzing.schema import words as words_of_schema
from fuzzing.yaml_text import PIECES, edited, texts, written
from hypothesis import strategies as st

BASE = "dataset: {source: xor}\nmodel: mlp\n"
OTHERS = ["a.yaml", "../b.yaml", "x/b.yaml", "~nobody/b.yaml", "\0", "\ud800", "x" * 300]
ODD_FILES = [
    FIFO,
    ENDLESS,
    FOLDER,
    DANGLING,
    b"\xff\xfe",
    b"extends: [a.yaml]",
    b"extends: [b.yaml]",
]
PLUGIN = b"from pathlib import Path\nPath('mark').touch()\n"


def prepare(folder: Path) -> None:
    """Nothing is needed."""


def words() -> list[str]:
    """What a guided change puts in: pieces of YAML, keys and fixed texts."""
    return [*PIECES, *words_of_schema()]


def cases() -> st.SearchStrategy[Case]:
    """A file a.yaml, at times with b.yaml that it may extend, and overrides."""
    return _cases()


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    value = {"dataset": {"source": "xor"}, "model": "mlp"} | draw(_sections())
    files: dict[str, Any] = {"p.py": PLUGIN}
    if draw(st.integers(0, 2)) == 2:
        value["extends"] = pick(draw, ["b.yaml", ["b.yaml"] * 2] * 6 + OTHERS)
        files["b.yaml"] = draw(
            texts(_sections()).map(_encoded) | st.sampled_from([BASE.encode(), *ODD_FILES])
        )
    files["a.yaml"] = _encoded(draw(texts(st.just(value))))
    sets = draw(st.just([]) | st.lists(overrides(), max_size=2))
    return Case("config", {"sets": sets}, files)


@st.composite
def _sections(draw: st.DrawFn) -> dict[str, Any]:
    """Some of the keys of a run."""
    properties = wild_run()["properties"]
    chosen = draw(st.lists(st.sampled_from(sorted(properties)), max_size=3, unique=True))
    return {key: draw(wild().values(properties[key], 1)) for key in chosen}


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def wild_run() -> dict:
    """The schema of a run."""
    from fuzzing.schema import schema

    return schema()["$defs"]["run"]


@st.composite
def overrides(draw: st.DrawFn) -> str:
    """KEY.PATH=VALUE: a path that exists, or nearly, and a value of that place or of any."""
    schema, path = wild_run(), []
    while "properties" in schema and draw(st.integers(0, 3)):
        key = pick(draw, sorted(schema["properties"]))
        path.append(key)
        schema = _inner(draw, schema["properties"][key])
    key = ".".join(path) + pick(
        draw, ["", "", "", "[0]", "[9]", "[-1]", ".x", ".type", "..", "[", " "]
    )
    value = written(draw(wild().values(schema, 1)), flow=True).strip()
    text = f"{key}={value}"
    return edited(draw, text) if draw(st.integers(0, 3)) == 0 else text


def _inner(draw: st.DrawFn, schema: dict) -> dict:
    """The schema at a place, of several forms one."""
    from fuzzing.schema import schema as whole

    for _ in range(4):
        if "$ref" in schema:
            schema = whole()["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        elif "anyOf" in schema:
            schema = pick(draw, schema["anyOf"])
    return schema


def run(case: Case, folder: Path) -> None:
    """It is refused in words, or dumped and loaded as an equal one."""
    from nettrain.config.dump import dump
    from nettrain.config.load import load, load_ensemble

    read = load_ensemble if b"ensemble" in case.files["a.yaml"] else load
    config = read(folder / "a.yaml", case.arguments["sets"])
    (folder / "again.yaml").write_text(dump(config), encoding="utf-8")
    assert read(folder / "again.yaml") == config, "the resolved configuration is another one"
