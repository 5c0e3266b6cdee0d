"""`nettrain init` and `nettrain fit DATA`: every kind of data gives a configuration that trains at once."""

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import yaml

from nettrain.config.load import load

CHANCE = np.random.default_rng(0)
ROWS = 40
X = CHANCE.normal(size=(ROWS, 3)).round(3)
KIND = np.where(X[:, 0] > 0, "tulip", "rose")
PIXELS = CHANCE.integers(0, 256, (ROWS, 8, 8), dtype=np.uint8)
LABELS = (np.arange(ROWS) % 2).astype(np.uint8)


def records():
    return [
        {"a": float(a), "b": float(b), "c": float(c), "kind": str(kind)}
        for (a, b, c), kind in zip(X, KIND, strict=True)
    ]


def delimited(path, delimiter=","):
    rows = [["a", "b", "c", "kind"], *([*map(str, record.values())] for record in records())]
    Path(path).write_text("\n".join(map(delimiter.join, rows)) + "\n")


def jsonl(path):
    Path(path).write_text("\n".join(map(json.dumps, records())) + "\n")


def frame(path):
    polars = pytest.importorskip("polars")
    table = polars.DataFrame(records())
    table.write_parquet(path) if path.endswith("parquet") else table.write_ipc(path)


def npy(path):
    np.save(path, X)
    np.save("y.npy", LABELS)


def idx(path):
    Path(path).write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, *PIXELS.shape) + PIXELS.tobytes())
    labels = struct.pack(">4BI", 0, 0, 8, 1, ROWS) + LABELS.tobytes()
    Path(path.replace("images-idx3", "labels-idx1")).write_bytes(labels)


def photographs(path):
    image = pytest.importorskip("PIL.Image")
    for row, (pixels, label) in enumerate(zip(PIXELS, LABELS, strict=True)):
        folder = Path(path) / ("cat", "dog")[label]
        folder.mkdir(parents=True, exist_ok=True)
        shown = pixels if row else pixels[:, :7]  # of another size
        image.fromarray(shown).save(folder / f"{row}.png")


# The data, what makes it, and the model that is chosen.
KINDS = [
    ("flowers.csv", delimited, "mlp"),
    ("flowers.tsv", lambda path: delimited(path, "\t"), "mlp"),
    ("flowers.jsonl", jsonl, "mlp"),
    ("flowers.parquet", frame, "mlp"),
    ("flowers.arrow", frame, "mlp"),
    ("flowers.npz", lambda path: np.savez(path, x=X, y=KIND), "mlp"),
    ("digits.npz", lambda path: np.savez(path, X_train=PIXELS, y_train=LABELS,
                                         X_test=PIXELS, y_test=LABELS), "cnn"),
    ("x.npy", npy, "mlp"),
    ("train-images-idx3-ubyte", idx, "cnn"),
    ("animals", photographs, "cnn"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("data", "make", "model"), KINDS, ids=[case[0] for case in KINDS])
def test_the_written_config_passes_check_and_trains_at_once(command, data, make, model):
    make(data)
    written = command("init", data, "-o", "chosen.yaml")
    assert written.exit_code == 0, written.output
    assert load("chosen.yaml").model.name() == model
    checked = command("check", "chosen.yaml")
    assert checked.exit_code == 0, checked.output
    trained = command("fit", "chosen.yaml", "--set", "training.epochs=1", "--json")
    assert trained.exit_code == 0, trained.output
    assert {"train", "validation", "test"} == set(json.loads(trained.stdout)["metrics"])


def test_fit_takes_data_and_its_run_holds_what_init_writes(command):
    delimited("flowers.csv")
    found = command("fit", "flowers.csv", "--target", "kind", "--set", "training.epochs=2")
    assert found.exit_code == 0, found.output
    assert "to write this as a config: nettrain init flowers.csv --target kind" in found.stderr
    before = found.stderr[: found.stderr.index("epoch 1/2")].splitlines()
    assert len(before) <= 10, before
    command("init", "flowers.csv", "--target", "kind", "-o", "flowers.yaml")
    command("fit", "flowers.yaml", "--set", "training.epochs=2", "-o", "other")
    written, chosen = (Path(f"{folder}/flowers/config.yaml") for folder in ("other", "runs"))
    assert written.read_text() == chosen.read_text()


def test_a_folder_of_images_is_data_and_an_example_still_an_example(command):
    photographs("animals")
    found = command("fit", "animals", "--dry-run")
    assert found.exit_code == 0 and "conv" in found.stdout, found.output
    assert "packaged example" in command("fit", "digits", "--dry-run").stderr


def test_a_config_of_an_unusual_ending_is_no_data(command):
    delimited("flowers.csv")
    command("init", "flowers.csv")
    Path("flowers.yaml").rename("flowers.conf")
    found = command("fit", "flowers.conf", "--dry-run")
    assert found.exit_code == 0 and "to write this" not in found.stderr, found.output
    refused = command("fit", "flowers.conf", "--target", "kind")
    assert refused.exit_code == 2 and "dataset.source" in refused.output


def test_the_path_counts_from_the_folder_of_the_config(command):
    delimited("flowers.csv")
    Path("configs").mkdir()
    command("init", "flowers.csv", "-o", "configs/flowers.yaml")
    written = yaml.safe_load(Path("configs/flowers.yaml").read_text())
    assert written["dataset"]["source"]["path"] == "../flowers.csv"
    assert command("check", "configs/flowers.yaml").exit_code == 0


def test_options_decide(command):
    rows = [f"{i % 7},{i % 5},{i % 6},{i % 3}" for i in range(60)]
    Path("t.csv").write_text("\n".join(["a,b,patient,grade", *rows]) + "\n")
    found = command("init", "t.csv", "--task", "regression", "--group", "patient", "--ignore", "a",
                    "--preset", "small")  # fmt: skip
    assert found.exit_code == 0, found.output
    config = load("t.yaml")
    assert config.loss.name() == "mse"
    assert (config.dataset.split.group, config.dataset.source.ignore) == ("patient", ("a",))
    assert config.model.hidden == (16,)
    assert command("check", "t.yaml").exit_code == 0


def test_the_editor_line_stands_where_the_schema_does(command):
    delimited("flowers.csv")
    Path("nettrain.schema.json").write_text("{}")
    command("init", "flowers.csv")
    first = Path("flowers.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=nettrain.schema.json"


def test_an_example_comes_with_the_files_that_it_names(command):
    assert command("init", "--example", "sweeps/digits_grid").exit_code == 0
    assert yaml.safe_load(Path("digits_grid.yaml").read_text())["base"] == "digits.yaml"
    assert load("digits.yaml").dataset.source.name() == "digits"
    again = command("init", "--example", "digits")
    assert again.exit_code == 2 and "exists already" in again.output
    assert "did you mean 'digits'" in command("init", "--example", "digit").output


def table(text):
    def make():
        Path("t.csv").write_text(text)

    return make


SOME = "".join(f"{i},{i % 3},{'yn'[i % 2]}\n" for i in range(30))
# What is wrong; what makes the files; the arguments; what the message says.
REFUSED = [
    ("missing file", table(""), ["u.csv"], "did you mean 't.csv'"),
    ("empty file", table(""), ["t.csv"], "empty"),
    ("header alone", table("a,b\n"), ["t.csv"], "t.csv"),
    ("one column", table("a\n1\n2\n3\n"), ["t.csv"], "at least one column to learn from"),
    ("no such target", table("a,b,kind\n" + SOME), ["t.csv", "--target", "kynd"], "'kind'"),
    ("one class", table("a,b,k\n" + SOME.replace("n", "y")), ["t.csv"], "at least two"),
    ("three rows", table("a,b,k\n1,2,x\n2,3,y\n4,5,x\n"), ["t.csv"], "3 rows"),
    ("damaged spreadsheet", lambda: Path("t.xlsx").write_bytes(b"PK\x03\x04"), ["t.xlsx"], "cannot be read"),
    ("no such task", table("a,b,k\n" + SOME), ["t.csv", "--task", "regresion"], "'regression'"),
    ("texts as numbers", table("a,b,k\n" + SOME), ["t.csv", "--task", "regression"], "mse"),
    ("no such column", table("a,b,k\n" + SOME), ["t.csv", "--ignore", "aa"], "'a'"),
    ("target left out", table("a,b,k\n" + SOME), ["t.csv", "--ignore", "k"], "--target"),
    ("no such folder", table("a,b,k\n" + SOME), ["t.csv", "-o", "x/y.yaml"], "does not exist"),
    ("another ending", table("a,b,k\n" + SOME), ["t.csv", "-o", "t.json"], ".yaml"),
    ("the data itself", table("a,b,k\n" + SOME), ["t.csv", "-o", "t.csv"], ".yaml"),
    ("no data", table(""), [], "--example"),
    ("empty folder", lambda: Path("e").mkdir(), ["e"], "e"),
    ("columns of images", lambda: photographs("animals"), ["animals", "--group", "x"], "tables"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "arguments", "says"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_mistake_is_named_and_nothing_is_written(command, make, arguments, says):
    make()
    before = sorted(Path().rglob("*"))
    found = command("init", *arguments)
    assert found.exit_code == 2 and says in found.output, found.output
    assert sorted(Path().rglob("*")) == before


def test_an_existing_config_stays_without_overwrite(command):
    delimited("flowers.csv")
    Path("flowers.yaml").write_text("mine")
    refused = command("init", "flowers.csv")
    assert refused.exit_code == 2 and "--overwrite" in refused.output
    assert Path("flowers.yaml").read_text() == "mine"
    assert command("init", "flowers.csv", "--overwrite").exit_code == 0
    assert load("flowers.yaml").model.name() == "mlp"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(command):
    delimited("flowers.csv")
    Path("locked").mkdir(mode=0o555)
    found = command("init", "flowers.csv", "-o", "locked/flowers.yaml")
    assert found.exit_code == 2 and "no permission" in found.output


def test_init_tells_suspicions_and_shows_the_columns_on_request(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    delimited("rows.csv")
    text = Path("rows.csv").read_text().splitlines()
    Path("rows.csv").write_text("\n".join([*text, *text[1:], ""]))
    found = command("init", "rows.csv")
    assert found.exit_code == 0 and found.stdout == ""
    lines = [line for line in found.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and "the same inputs as a training row" in lines[0]
    assert "nettrain check tells what mends them" in found.stderr
    shown = command("init", "rows.csv", "--columns", "--overwrite").stdout
    assert [line.split()[0] for line in shown.splitlines()[2:]] == ["kind", "a", "b", "c"]


def test_json_is_one_object_with_the_columns_and_what_is_suspicious(command):
    delimited("flowers.csv")
    found = command("init", "flowers.csv", "--target", "kind", "-o", "a.yaml", "--json")
    told = json.loads(found.stdout)
    assert told["config"] == "a.yaml" and "kind" in {one["name"] for one in told["columns"]}
    assert {"data", "decisions", "notes", "suspicions"} < set(told) and not found.stderr
    again = command("init", "--example", "iris", "--json")
    assert again.exit_code == 2 and "--json and --example" in again.stderr


def test_the_latest_rows_test_if_asked(command):
    rows = "".join(
        f"2024-{1 + i // 28:02d}-{1 + i % 28:02d},{i % 9},{'ab'[i % 2]}\n" for i in range(84)
    )
    Path("t.csv").write_text("day,x,kind\n" + rows)
    found = command("init", "t.csv", "--time", "day")
    assert found.exit_code == 0, found.output
    split = load("t.yaml").dataset.split
    assert (split.time, split.stratify, split.validation) == ("day", None, 0.2)
    assert command("fit", "t.yaml", "--set", "training.epochs=1").exit_code == 0
    wrong = command("init", "t.csv", "--time", "kind", "--target", "x", "-o", "b.yaml")
    assert wrong.exit_code == 2 and "is no time" in wrong.stderr
