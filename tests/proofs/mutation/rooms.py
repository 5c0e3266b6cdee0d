"""The rooms whose mutants are tried, and the tests that are to kill them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Room:
    """Files whose mutants are tried, and the files of tests, from the root of the project."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]

    def source_files(self) -> list[Path]:
        """The files that are mutated."""
        return _files(self.sources)

    def test_files(self) -> list[Path]:
        """The tests that may kill a mutant."""
        return _files(self.tests)


def _files(patterns: Iterable[str]) -> list[Path]:
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.suffix == ".py"}
    return sorted(found)


OPS = tuple(
    f"tests/autodiff/test_{name}.py"
    for name in (
        "primitives", "exponential", "extreme_values", "compiled_convolutions", "convolution_choices", "piecewise_linear",
        "tiles", "schedule", "tensor", "shards", "operation_shapes", "operation_memory", "error_function", "refused_shapes",
    )
)  # fmt: skip
PLAN = tuple(
    f"tests/autodiff/test_{name}.py"
    for name in ("plan", "schedule", "fusion", "convolution_fusion", "memory", "shards", "tiles")
)
EAGER = tuple(
    f"tests/autodiff/test_{name}.py"
    for name in (
        "tensor", "backward", "functional", "functions", "check", "contract", "trace", "compiled_forms", "philox",
        "functions_against_pytorch", "worked_examples", "replay",
    )
)  # fmt: skip

ROOMS = {
    "losses": Room(("nettrain/losses/*.py",), ("tests/nn/test_loss*.py", "tests/training/test_loss_targets.py")),
    "optim": Room(
        ("nettrain/optim/*.py",),
        ("tests/optim/test_*.py", "tests/training/test_every_optimizer.py", "tests/training/test_searches.py"),
    ),
    "schedules": Room(
        ("nettrain/schedules/*.py",),
        ("tests/schedules/test_*.py", "tests/training/test_plateau.py", "tests/training/test_scheduled_numbers.py"),
    ),
    "metrics": Room(("nettrain/metrics/*.py",), ("tests/metrics/test_*.py", "tests/inspection/test_metric_rows.py")),
    "split": Room(
        tuple(f"nettrain/data/{name}.py" for name in ("split", "split_rows", "split_file", "default_split")),
        ("tests/data/test_split*.py", "tests/data/test_default_split.py", "tests/data/test_prepare.py"),
    ),
    "transforms": Room(("nettrain/transforms/*.py",), ("tests/data/test_*transforms.py", "tests/data/test_automatic.py")),
    "engine": Room(
        ("nettrain/training/engine/*.py",),
        tuple(
            f"tests/training/test_{name}.py"
            for name in (
                "batches", "steps", "gradient", "update", "blocks", "closure_update", "partitions", "shards", "accumulation", "kernels", "prefetch",
                "swa", "moving_average", "threads", "blas", "layer_rates", "scheduled_numbers",
            )
        ),
    ),
    "artifacts": Room(
        ("nettrain/training/artifacts/*.py",),
        (
            *(
                f"tests/training/test_{name}.py"
                for name in (
                    "checkpoint", "checkpoint_content", "metadata", "files", "directories", "run_directory", "saved_weights", "json_lines",
                    "environment", "spreadsheet", "snapshots",
                )
            ),
            "tests/test_windows.py",
        ),
    ),
    "ops": Room(("nettrain/autodiff/ops/*.py",), OPS),
    "plan": Room(("nettrain/autodiff/plan/*.py",), PLAN),
    "autodiff": Room(("nettrain/autodiff/*.py",), EAGER),
}  # fmt: skip
