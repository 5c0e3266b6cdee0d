"""The metadata of a checkpoint: every key with the values that it takes and those that it refuses by name."""

from pathlib import Path

import pytest

from nettrain.errors import CheckpointError
from nettrain.training.artifacts.metadata import Metadata, SavedEnsemble, SavedProgress

FILE = Path("runs/a.safetensors")
LARGEST = 2**53  # the last whole number before which floats have them all
PROGRESS = {
    "epoch": 3, "batch": 0, "loss_sum": -1.5, "weight": 2.0, "seconds": 0.5, "stop_reason": None,
}  # fmt: skip

# key: (what it takes, what it refuses)
VALUES = {
    "format": ([1, 7], [-1, 1.0, "1", True, None]),
    "config": ([{}, {"a": [1]}], [None, [], "x"]),
    "data_fingerprint": (["x", None], [1, []]),
    "pipeline": ([{}, None], [[], "x"]),
    "epoch": ([0, LARGEST, None], [-1, LARGEST + 1, 1.0, "1"]),
    "metrics": ([{"loss": 1.0}, None], [[]]),
    "temperature": ([1e-9, 2, None], [0, -1.0, "x", float("inf")]),
    "threshold": ([1e-9, 0.999, None], [0.0, 1.0, "0.5"]),
    "level": ([1e-9, 0.999, None], [0.0, 1.0, "0.5"]),
    "steps": ([0, LARGEST, None], [-1, LARGEST + 1, 2.0]),
    "progress": ([PROGRESS, None], [{}, PROGRESS | {"more": 1}, [], 1]),
    "callbacks": ([{}, {"A": {}}, None], [[], {"A": 1}]),
    "user_callbacks": ([{}, {"A": {}}, None], [[], {"A": 1}]),
    "notes": ([[], ["x"], None], ["x", [1]]),
    "ensemble": ([{"vote": "mean", "weights": [0, 1.5]}, {"vote": "majority", "weights": []}, None],
                 [{"vote": "best", "weights": []}, {"vote": "mean", "weights": [-1]}, {"vote": "mean"},
                  {"vote": "mean", "weights": [], "more": 1}]),
    "members": ([[{"config": {}}], None], [[], [{}], {"config": {}}]),
}  # fmt: skip
IN_PROGRESS = {
    "epoch": ([0, LARGEST], [-1, LARGEST + 1, 1.0, None]),
    "batch": ([0, LARGEST], [-1, LARGEST + 1, 1.0, None]),
    "loss_sum": ([-1e300, 0, 2.5], [float("nan"), float("inf"), "1", None]),
    "weight": ([0, 2.5], [-1e-9, "x", None]),
    "seconds": ([0, 2.5], [-1e-9, "x", None]),
    "stop_reason": (["x", None], [1]),
}  # fmt: skip


def refused(content):
    with pytest.raises(CheckpointError) as error:
        Metadata.of(content, FILE)
    return str(error.value)


@pytest.mark.parametrize("key", VALUES)
def test_a_key_takes_its_values_and_refuses_others_by_name(key):
    good, bad = VALUES[key]
    for value in good:
        found = getattr(Metadata.of({"config": {}} | {key: value}, FILE), key)
        if key not in ("progress", "ensemble", "members"):
            assert found == value
    for value in bad:
        message = refused({"config": {}} | {key: value})
        assert message.startswith(f"{FILE}: its metadata is damaged: {key}"), value
        assert ", got " in message and message.endswith("take another checkpoint of the run")


@pytest.mark.parametrize("key", IN_PROGRESS)
def test_where_a_run_stood_is_as_strict(key):
    good, bad = IN_PROGRESS[key]
    for value in good:
        content = {"config": {}, "progress": PROGRESS | {key: value}}
        assert getattr(Metadata.of(content, FILE).progress, key) == value
    for value in bad:
        said = refused({"config": {}, "progress": PROGRESS | {key: value}})
        assert f"damaged: progress.{key}: " in said
    missing = {name: value for name, value in PROGRESS.items() if name != key}
    assert f"damaged: progress.{key}: Field required" in refused(
        {"config": {}, "progress": missing}
    )


def test_what_is_read_has_types():
    found = Metadata.of({
        "config": {}, "progress": PROGRESS, "ensemble": {"vote": "mean", "weights": [1]}, "members": [{"config": {"a": 1}}],
    }, FILE)  # fmt: skip
    assert found.progress == SavedProgress(**PROGRESS)
    assert found.ensemble == SavedEnsemble("mean", [1.0])
    assert found.members == [Metadata(config={"a": 1})]


def test_only_the_configuration_must_be_there():
    found = Metadata.of({"config": {"a": 1}}, FILE)
    assert vars(found) == dict.fromkeys(VALUES) | {"format": 1, "config": {"a": 1}}
    assert "damaged: config: Field required" in refused({})
    assert "damaged: more: " in refused({"config": {}, "more": 1})
    assert refused({"config": {}, "epoch": -1}).endswith(
        ", got -1; take another checkpoint of the run"
    )
    for content in (None, [], "x", 7):
        assert refused(content).startswith(f"{FILE}: its metadata is damaged: metadata: ")


def test_a_snapshot_and_what_is_nested_too_deeply_are_told():
    assert "is a snapshot, which holds weights alone" in refused({"snapshot": True})
    assert "damaged: snapshot: " in refused({"config": {}, "snapshot": 1})
    deep = {"config": {}}
    for _ in range(300):
        deep = {"config": {}, "members": [deep]}
    said = refused(deep)
    assert said.startswith(f"{FILE}: its metadata is damaged: members.0.") and len(said) < 2100
