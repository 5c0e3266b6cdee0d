"""What the directories of sweeps, cross-validations and ensembles hold: nothing else is removed."""

from pathlib import Path

from nettrain.inspection.directory_kind import Kind, kind_of
from nettrain.training.artifacts.directory import Layout
from nettrain.training.artifacts.run_directory import RUN_LAYOUT

_SPLITS = Layout("a folder of splits", ("*.npz",))
_COMMON = ("summary.json", "data.npz", "log.txt", "events.out.tfevents.*")


def _layout(kind: Kind, called: str, files: tuple[str, ...], folders: dict[str, Layout]) -> Layout:
    """The layout of a search; the first of its files is its mark."""

    def is_ours(path: Path) -> bool:
        return kind_of(path) == kind

    return Layout(called, (*_COMMON, *files), folders, marks=(files[0],), is_ours=is_ours)


LAYOUTS: dict[Kind, Layout] = {
    "run": RUN_LAYOUT,
    "sweep": _layout(
        "sweep",
        "a sweep's directory",
        ("sweep.yaml", "best.yaml", "final.npz", "importances.json", "trials.csv", "trials.jsonl"),
        {
            "trials": Layout("a folder of trials", folders={"[0-9]*": RUN_LAYOUT}),
            "final": RUN_LAYOUT,
        },
    ),
    "cv": _layout(
        "cv",
        "a cross-validation's directory",
        ("cv.json", "base.yaml", "predictions.csv"),
        {"fold-*": RUN_LAYOUT, "final": RUN_LAYOUT, "splits": _SPLITS},
    ),
    "ensemble": _layout(
        "ensemble",
        "an ensemble's directory",
        ("ensemble.json", "config.yaml"),
        {
            "member-*": RUN_LAYOUT,
            "splits": _SPLITS,
            "checkpoints": Layout("a folder of checkpoints", ("*.safetensors",)),
        },
    ),
}
