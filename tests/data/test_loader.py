"""Sources loaded once: what counts as the same, what is remembered, and that nothing of a run depends on it."""

import dataclasses

import numpy as np
import pytest

import nettrain
from nettrain.data import loader as loader_module
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.divide import load_data
from nettrain.data.loader import Loader
from nettrain.data.source import Source
from nettrain.data.split import Split
from nettrain.data.task import TargetRequirements
from nettrain.errors import DataError

MEMORY = Source.parse("memory")

CSV = "a,b,who,part,kind\n" + "".join(
    f"{i},{i * i},{i % 5},train,{'xy'[i % 2]}\n" for i in range(20)
)


@pytest.fixture
def table(tmp_path):
    (tmp_path / "t.csv").write_text(CSV)
    return Source.parse({"type": "csv", "path": str(tmp_path / "t.csv"), "target": "kind"})


@pytest.fixture
def loads(monkeypatch):
    """The names of sources that were really loaded, in turn."""
    seen = []
    for name in ("csv", "moons", "xor"):
        cls = type(Source.parse({"type": name, **({"path": "p"} if name == "csv" else {})}))
        for method in ("load", "load_inputs", "load_for"):
            monkeypatch.setattr(cls, method, counted(getattr(cls, method), name, method, seen))
    return seen


def counted(method, name, what, seen):
    def wrapped(self, *args, **keys):
        seen.append((name, what))
        return method(self, *args, **keys)

    return wrapped


def test_many_runs_load_a_source_once_whatever_their_split(table, loads):
    loader = Loader()
    first = load_data(DatasetConfig(source=table, split=Split(test=0.5)), 0, loader=loader)
    second = load_data(
        DatasetConfig(source=table, split=Split(validation=0.25), limit=8), 0, loader=loader
    )
    assert loads == [("csv", "load")]
    assert len(first.datasets["test"]) == 10 and set(second.datasets) == {"train", "validation"}
    assert (
        first.fingerprint
        == second.fingerprint
        == load_data(DatasetConfig(source=table), 0).fingerprint
    )


def test_two_losses_share_the_rows_and_settle_their_own_task(tmp_path, loads):
    (tmp_path / "n.csv").write_text("a,y\n" + "".join(f"{i},{i % 3}\n" for i in range(9)))
    source, loader = (
        Source.parse({"type": "csv", "path": str(tmp_path / "n.csv"), "target": "y"}),
        Loader(),
    )
    tasks = [
        load_data(
            DatasetConfig(source=source),
            0,
            requirements=TargetRequirements(loss, (task,)),
            loader=loader,
        ).schema.task
        for loss, task in (("cross_entropy", "classification"), ("mse", "regression"))
    ]
    assert tasks == ["classification", "regression"] and loads == [("csv", "load")]


def test_a_value_that_one_loss_refuses_is_refused_though_the_rows_are_remembered(tmp_path):
    (tmp_path / "n.csv").write_text("a,y\n1,0.5\n2,-1.5\n")
    source, loader = (
        Source.parse({"type": "csv", "path": str(tmp_path / "n.csv"), "target": "y"}),
        Loader(),
    )
    wanted = TargetRequirements("poisson", ("regression",))
    load_data(DatasetConfig(source=source), 0, requirements=wanted, loader=loader)
    refuses = dataclasses.replace(wanted, validate_targets=lambda targets: (1, "it is negative"))
    with pytest.raises(DataError, match=r":3: target 'y': it is negative"):
        load_data(DatasetConfig(source=source), 0, requirements=refuses, loader=loader)


@pytest.mark.parametrize(
    "other",
    [(1, {}), (0, {"split": Split(group="who", test=0.4)}), (0, {"target": "self"})],
    ids=str,
)
def test_a_run_whose_rows_are_decided_otherwise_loads_for_itself(other, table, loads):
    loader = Loader()
    found = [
        load_data(DatasetConfig(source=table, **keys), seed, loader=loader)
        for seed, keys in ((0, {}), other, (0, {}), other)
    ]
    assert loads == [("csv", "load"), ("csv", "load_inputs" if "target" in other[1] else "load")]
    assert (
        found[0].fingerprint == found[2].fingerprint
        and found[1].fingerprint == found[3].fingerprint
    )


def test_generated_rows_are_those_of_their_seed(loads):
    loader = Loader()
    found = [
        load_data(DatasetConfig(source=Source.parse("moons")), seed, loader=loader)
        .datasets["train"]
        .features.numbers
        for seed in (0, 1, 0)
    ]
    assert np.array_equal(found[0], found[2]) and not np.array_equal(found[0], found[1])
    assert loads == [("moons", "load")] * 2


def test_parts_with_a_source_of_their_own_are_remembered_too(loads):
    loader = Loader()
    for _ in range(2):
        load_data(
            DatasetConfig(
                source=Source.parse("moons"),
                test_source=Source.parse({"type": "moons", "rows": 10}),
            ),
            0,
            loader=loader,
        )
    assert loads.count(("moons", "load_for")) == 1


def test_arrays_in_memory_are_not_remembered():
    loader = Loader()
    for value in (0.0, 1.0):
        found = load_data(
            DatasetConfig(source=MEMORY),
            0,
            data=(np.full((4, 1), value), [0, 1, 0, 1]),
            loader=loader,
        )
        assert found.datasets["train"].features.numbers[0, 0] == value


def test_only_the_last_datasets_are_kept(loads):
    loader = Loader()
    for seed in (*range(loader_module.KEPT), 0, loader_module.KEPT, 0, 1):
        load_data(DatasetConfig(source=Source.parse("xor")), seed, loader=loader)
    assert (
        len(loads) == loader_module.KEPT + 2
    )  # 0 was used again and stays; 1 had to be loaded again


def test_a_run_with_a_loader_gives_the_same_bits(tmp_path, table):
    config = {
        "dataset": {
            "source": {"type": "csv", "path": table.path, "target": "kind"},
            "split": {"test": 0.25},
        },
        "model": {"type": "mlp", "hidden": [4]},
        "training": {"epochs": 2},
    }
    loader = Loader()
    runs = [
        nettrain.train(config, output_directory=tmp_path, loader=given)
        for given in (None, loader, loader)
    ]
    assert len({str(run.metrics) for run in runs}) == 1


def test_rows_in_memory_that_nobody_hands_in_are_asked_for():
    with pytest.raises(DataError, match=r"dataset\.source: memory: .* hand it in again"):
        Loader().load(DatasetConfig(source=MEMORY), 0)
