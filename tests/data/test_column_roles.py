"""The columns of a table by what they are used for, and files without header for a trained model."""

from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.divide import load_data
from nettrain.data.source import Source
from nettrain.data.split import Split
from nettrain.errors import DataError
from nettrain.inference.predictor import Predictor

CONTENT = "p,q,kind\n1,2,x\n3,4,y\n5,7,x\n"


def table(folder: Path, content: str = CONTENT, **fields: object) -> Source:
    (folder / "t.csv").write_text(content, encoding="utf-8")
    return Source.parse({"type": "csv", "path": str(folder / "t.csv"), **fields})


@pytest.mark.parametrize("features", [["p", "q", "p"], [0, "q", "p"], ["q", "q"]])
def test_a_feature_that_is_named_twice_is_refused(features: list[str], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"features: column '[pq]' is named 2 times; name it once"):
        table(tmp_path, target="kind", features=features).load(0)


def test_everything_wrong_with_the_columns_is_said_at_once(tmp_path: Path) -> None:
    source = table(
        tmp_path, target="kin", features=["P", "q", "q", 9], ignore="r", weights="q", numeric="p"
    )
    config = DatasetConfig(source=source, split=Split(column="part"))
    with pytest.raises(DataError) as caught:
        load_data(config, 0)
    told = str(caught.value).splitlines()
    assert len(told) == 7
    for part in (
        "target: no column 'kin'; did you mean 'kind'?",
        "features: no column 'P'",
        "features: there is no column 9",
        "ignore: no column 'r'",
        "dataset.split: no column 'part'",
        "features: column 'q' is named 2 times",
        "column 'q' is named under two of",
    ):
        assert sum(part in line for line in told) == 1


def test_a_missing_target_is_said_beside_other_mistakes(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        table(tmp_path, ignore="r").load(0)
    assert ["`target` is missing" in line for line in str(caught.value).splitlines()] == [
        True,
        False,
    ]


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """A model of a file without header: the letter first, then two numbers."""
    folder = tmp_path_factory.mktemp("letters")
    (folder / "train.csv").write_text("".join(f"{'AB'[i % 2]},{i},{i * i}\n" for i in range(20)))
    source = {"type": "csv", "path": str(folder / "train.csv"), "target": 0, "header": False}
    config = {
        "dataset": {"source": source},
        "model": {"type": "mlp", "hidden": [2]},
        "training": {"epochs": 1},
    }
    run = nettrain.train(config, output_directory=folder)
    return nettrain.load(run.run_directory)


# The row, the numbers that the model gets (None: refused), and what is said.
HEADLESS = {
    "as in training": ("A,3,9\n", [3, 9], "3 columns .* the target (column_0) included"),
    "without the target": ("3,9\n", [3, 9], "2 columns .* without the target"),
    "without the target and with an ID behind": ("3,9,17\n", None, "not those of training"),
    "with an ID in front of the rest": ("17,A,3,9\n", None, "expected a number, got 'A'"),
}


@pytest.mark.parametrize("case", HEADLESS)
def test_a_file_without_header_is_laid_out_as_in_training_or_refused(
    case: str, letters: Predictor, tmp_path: Path
) -> None:
    content, expected, message = HEADLESS[case]
    (tmp_path / "new.csv").write_text(content * 3)
    if expected is None:
        with pytest.raises(DataError, match=message):
            letters.read(tmp_path / "new.csv", with_target=False)
    else:
        rows = letters.read(tmp_path / "new.csv", with_target=False)
        assert rows.features.array.tolist() == [expected] * 3 and rows.target is None
        assert any(all(part in note for part in message.split(" .* ")) for note in rows.notes)


@pytest.mark.parametrize(
    ("others", "note"),
    [
        ({}, None),
        ({"images_new": 1}, "arrays 'x', 'y', as the keys of the training source say; not used: "),
    ],
)
def test_arrays_of_a_file_that_are_not_used_are_named(
    others: dict[str, int], note: str | None, tmp_path: Path
) -> None:
    x, y = np.arange(12.0)[:, np.newaxis], np.arange(12) % 2
    np.savez(tmp_path / "d.npz", x=x, y=y, **others)
    source = Source.parse({"type": "npz", "path": str(tmp_path / "d.npz")})
    schema = load_data(DatasetConfig(source=source), 0).schema
    notes = source.load_for(schema, with_target=True).notes
    assert notes == () if note is None else note + "'images_new'" in notes[0]
    assert len(source.load_for(schema, with_target=False).notes) == len(others)
