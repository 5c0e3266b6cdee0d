import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from nettrain.cli.fit import worse_than_baseline
from nettrain.training.artifacts.checkpoint import Checkpoint


def test_fit_leaves_a_run_and_names_the_next_command(folder, command):
    found = command("fit", "flowers.yaml")
    assert found.exit_code == 0
    assert Path("runs/flowers/checkpoints/best.safetensors").is_file()
    assert found.stderr.splitlines()[-1] == "next: nettrain eval runs/flowers"


def test_results_go_to_stdout_and_progress_to_stderr(folder, command):
    found = command("fit", "flowers.yaml")
    assert "accuracy" in found.stdout and "baseline" in found.stdout
    epochs = [line for line in found.stderr.splitlines() if line.startswith("epoch ")]
    assert [line.split()[1] for line in epochs] == ["1/3", "2/3", "3/3"]
    assert all(
        "train_loss" in line and "validation_loss" in line and "validation_accuracy" in line
        for line in epochs
    )
    assert "rows: train 36, validation 12, test 12" in found.stderr


def test_json_prints_exactly_one_object_on_stdout(folder, command):
    found = json.loads(command("fit", "flowers.yaml", "--json").stdout)
    assert list(found) == [
        "run_directory",
        "stop_reason",
        "epochs",
        "best_epoch",
        "seconds",
        "metrics",
        "baseline",
        "intervals",
        "linear",
    ]
    assert (found["run_directory"], found["stop_reason"], found["epochs"]) == (
        "runs/flowers",
        "epochs",
        3,
    )
    assert set(found["metrics"]) == {"train", "validation", "test"}
    assert 0 <= found["metrics"]["test"]["accuracy"] <= 1
    assert found["seconds"] > 0


def test_summary_and_json_hold_intervals_and_both_baselines(folder, command):
    printed = json.loads(command("fit", "flowers.yaml", "--json").stdout)
    summary = json.loads(Path("runs/flowers/summary.json").read_text())
    for name in ("metrics", "baseline", "intervals", "linear"):
        assert summary[name] == printed[name]
    assert set(summary["linear"]) == {"train", "validation", "test"}
    for part in ("validation", "test"):
        low, high = summary["intervals"][part]["accuracy"]
        assert low < summary["metrics"][part]["accuracy"] < high
        evaluated = json.loads(command("eval", "runs/flowers", "--split", part, "--json").stdout)
        assert evaluated["linear"] == pytest.approx(summary["linear"][part])


BASELINES = [("[constant, linear]", True, True), ("[constant]", True, False),
             ("[linear]", False, True), ("[]", False, False)]  # fmt: skip


@pytest.mark.parametrize(("chosen", "constant", "linear"), BASELINES)
def test_baselines_are_chosen_in_the_configuration(folder, command, chosen, constant, linear):
    found = command("fit", "flowers.yaml", "--set", f"baseline={chosen}", "--json")
    fitted = json.loads(found.stdout)
    evaluated = json.loads(command("eval", "runs/flowers", "--json").stdout)
    assert (bool(fitted["baseline"]), bool(fitted["linear"])) == (constant, linear)
    assert (bool(evaluated["baseline"]), bool(evaluated["linear"])) == (constant, linear)
    shown = command("eval", "runs/flowers").stdout
    assert ("baseline" in shown, "linear" in shown) == (constant, linear)


def test_a_linear_model_that_may_take_long_is_left_out_unless_asked_for(
    folder, command, monkeypatch
):
    monkeypatch.setattr("nettrain.inspection.linear_model.LARGEST", 10)
    found = command("fit", "flowers.yaml")
    assert "(test)" in found.stdout and "linear" not in found.stdout
    assert "no linear model: fitting it to 36 rows of " in found.stderr
    found = command("fit", "flowers.yaml", "--set", "baseline=[constant,linear]")
    assert "linear" in found.stdout and "no linear model" not in found.stderr


@pytest.mark.parametrize(
    ("metrics", "baseline", "told"),
    [
        ({"test": {"r2": -0.2}}, {"test": {"r2": -0.04}}, "on the test part the network is worse than the mean"),
        ({"test": {"accuracy": 0.4}}, {"test": {"accuracy": 0.5}}, "worse than the most frequent class (accuracy 0.4"),
        ({"test": {"accuracy": 0.5}}, {"test": {"accuracy": 0.5}}, ""),
        ({"validation": {"r2": 0.9}, "test": {"r2": 0.8}}, {"validation": {"r2": 0}, "test": {"r2": 0}}, ""),
        ({"train": {"r2": -1.0}}, {"train": {"r2": 0.0}}, ""),
        ({"test": {"r2": -1.0}}, {}, ""),
    ],
)  # fmt: skip
def test_a_network_that_is_worse_than_a_constant_is_told(metrics, baseline, told):
    found = worse_than_baseline(SimpleNamespace(metrics=metrics, baseline=baseline))
    assert told in found and bool(told) == bool(found)


def test_a_baseline_that_does_not_exist_is_refused(folder, command):
    found = command("fit", "flowers.yaml", "--set", "baseline=[linaer]")
    assert found.exit_code == 2 and not Path("runs").exists()
    assert "baseline[0]: expected one of 'constant', 'linear'; got 'linaer'" in found.stderr


def test_baselines_may_change_when_a_run_is_resumed(folder, command):
    command("fit", "flowers.yaml", "--quiet", "--set", "baseline=[constant]")
    changes = ["--set", "baseline=[linear]", "--set", "training.epochs=4"]
    found = json.loads(command("fit", "--resume", "runs/flowers", *changes, "--json").stdout)
    assert found["baseline"] == {} and found["linear"]["test"]["accuracy"] > 0.5


def test_kernels_is_a_setting_that_has_a_flag(folder, command):
    pytest.importorskip("numba")
    assert command("fit", "flowers.yaml", "--kernels", "numba").exit_code == 0
    assert "kernels: numba" in Path("runs/flowers/config.yaml").read_text()
    assert (
        command(
            "fit", "--resume", "runs/flowers", "--kernels", "numpy", "--set", "training.epochs=4"
        ).exit_code
        == 0
    )
    assert "kernels: numpy" in Path("runs/flowers/config.yaml").read_text()
    found = command("fit", "flowers.yaml", "--kernels", "cuda")
    assert found.exit_code == 2
    assert "training.kernels" in found.stderr and "'auto', 'numpy', 'numba'" in found.stderr


def test_quiet_prints_nothing_but_what_json_asks_for(folder, command):
    found = command("fit", "flowers.yaml", "--quiet")
    assert (found.exit_code, found.stdout, found.stderr) == (0, "", "")
    found = command("fit", "flowers.yaml", "--quiet", "--json")
    assert json.loads(found.stdout)["run_directory"] == "runs/flowers-2"
    assert found.stderr == ""


def test_flags_reach_the_run(folder, command):
    flags = [
        "--set",
        "training.epochs=2",
        "--set",
        "optimizer.lr=0.01",
        "--seed",
        7,
        "-o",
        "elsewhere",
        "--run-name",
        "mine",
    ]
    assert command("fit", "flowers.yaml", *flags).exit_code == 0
    config = Path("elsewhere/mine/config.yaml").read_text()
    assert "seed: 7\n" in config and "epochs: 2\n" in config and "lr: 0.01\n" in config


def test_a_dry_run_writes_nothing(folder, command):
    before = sorted(folder.iterdir())
    found = command("fit", "flowers.yaml", "--dry-run")
    assert found.exit_code == 0
    assert "dense_1" in found.stdout
    assert sorted(folder.iterdir()) == before


def test_a_finished_run_can_be_extended(folder, command):
    command("fit", "flowers.yaml")
    found = command("fit", "--resume", "runs/flowers", "--set", "training.epochs=5", "--json")
    assert json.loads(found.stdout)["epochs"] == 5
    rows = [
        json.loads(line)["epoch"]
        for line in Path("runs/flowers/metrics.jsonl").read_text().splitlines()
    ]
    assert rows == [1, 2, 3, 4, 5]


# What a user typed -> what he is told, on stderr, with exit code 2.
USAGE = [
    (
        ["fit"],
        "fit: name a CONFIG (a packaged example: nettrain fit digits), or resume with --resume RUN",
    ),
    (
        ["fit", "flowers.yaml", "--resume", "runs/x"],
        "fit: CONFIG and --resume cannot be used together",
    ),
    (
        ["fit", "--resume", "runs/x", "--seed", "1", "--overwrite"],
        "fit: --seed, --overwrite and --resume cannot be used together",
    ),
    (
        ["fit", "--resume", "runs/x", "-o", "there"],
        "fit: --output-directory and --resume cannot be used together",
    ),
    (["fit", "--resume", "runs/x"], "runs/x: "),
    (["fit", "flower.yaml"], "flower.yaml: does not exist; did you mean 'flowers.yaml'?"),
    (
        ["check", "flowers.csv"],
        "flowers.csv: expected a mapping with keys such as dataset and model, got 'width,height,kind",
    ),
    (
        ["fit", "flowers.yaml", "--set", "optimizer.lr=abc"],
        "--set optimizer.lr=abc: optimizer.lr: expected a number above 0, got 'abc'",
    ),
    (
        ["fit", "flowers.yaml", "--seed", "-1"],
        "--set seed=-1: seed: expected an integer of 0 or more, got -1",
    ),
    (
        ["fit", "flowers.yaml", "--set", "model.hidden=[0]"],
        "--set model.hidden=[0]: model.hidden[0]: expected a positive integer, got 0",
    ),
    (
        ["fit", "flowers.yaml", "--set", "dataset.source.target=kin"],
        "flowers.csv:1: target: no column 'kin'; did you mean 'kind'?",
    ),
    (
        ["fit", "flowers.yaml", "--run-name", "a/b"],
        "--run-name: expected a name for a folder: no '/'",
    ),
    (
        ["fit", "flowers.yaml", "--set", "training.monitor=validation_r2"],
        "--set training.monitor=validation_r2: training.monitor: ",
    ),
    (["fit", "flowers.yaml", "--set", "loss=mse"], "--set loss=mse: loss: mse is for regression"),
    (
        [
            "check",
            "flowers.yaml",
            "--set",
            "model={type: sequential, layers: [{type: dense, units: 3}]}",
        ],
        "--set model={type: sequential, ",
    ),
    (
        ["fit", "flowers.yaml", "--threads", "0"],
        "threads: expected a whole number from 1 to 1024, got 0",
    ),
    (
        ["fit", "flowers.yaml", "--threads", "5000"],
        "threads: expected a whole number from 1 to 1024, got 5000",
    ),
    (
        ["fit", "--resume", "runs/x", "--threads", "-1"],
        "threads: expected a whole number from 1 to 1024, got -1",
    ),
    (
        ["fit", "flowers.yaml", "--profile", "--dry-run"],
        "fit: --profile times a training, which --dry-run and --find-lr skip",
    ),
    (["check", "flowers.yml"], "flowers.yml: does not exist; did you mean 'flowers.yaml'?"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), USAGE, ids=[" ".join(arguments) for arguments, _ in USAGE]
)
def test_a_mistake_ends_with_code_2_and_nothing_written(folder, command, arguments, message):
    found = command(*arguments)
    assert found.exit_code == 2
    assert found.stdout == ""
    assert found.stderr.removeprefix(f"{folder}/").startswith(message)
    assert not Path("runs").exists()


def test_an_explicit_name_that_exists_is_refused_and_overwritten_only_if_asked(folder, command):
    assert command("fit", "flowers.yaml", "--run-name", "mine").exit_code == 0
    found = command("fit", "flowers.yaml", "--run-name", "mine")
    assert found.exit_code == 2
    assert found.stderr.splitlines()[-1].startswith("runs/mine: ") and "--overwrite" in found.stderr
    assert command("fit", "flowers.yaml", "--run-name", "mine", "--overwrite").exit_code == 0


def test_divergence_ends_with_code_3_and_a_remedy(folder, command):
    found = command("fit", "flowers.yaml", "--set", "optimizer={type: sgd, lr: 1e30}", "--json")
    assert found.exit_code == 3
    assert found.stdout == ""
    assert "a lower optimizer.lr" in found.stderr


def test_a_fault_of_ours_keeps_its_traceback(folder, command, monkeypatch):
    def broken(*arguments, **options):
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("nettrain.training.train.train", broken)
    found = command("fit", "flowers.yaml")
    assert isinstance(found.exception, ZeroDivisionError)


@pytest.mark.parametrize(
    ("error", "exit_code", "message"),
    [
        (OSError(28, "No space left on device", "runs/x"), 2, "runs/x: no space left on device\n"),
        (PermissionError(13, "Permission denied", "runs"), 2, "runs: permission denied\n"),
        (
            MemoryError("3 TiB"),
            1,
            "out of memory (3 TiB); use a smaller model, batch or dataset.limit\n",
        ),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (BrokenPipeError(32, "Broken pipe"), 1, ""),
    ],
    ids=["disk full", "no permission", "no memory", "interrupted", "reader gone"],
)
def test_what_the_system_refuses_is_told_in_a_line(
    folder, command, monkeypatch, error, exit_code, message
):
    def refused(*arguments, **options):
        raise error

    monkeypatch.setattr("nettrain.training.train.train", refused)
    found = command("fit", "flowers.yaml")
    assert (found.exit_code, found.stderr) == (exit_code, message)


def test_diagnostics_end_as_a_table_on_stderr(folder, command):
    found = command("fit", "flowers.yaml", "--set", "diagnostics=true", "--json")
    assert "gradient norm" in found.stderr and "dense_2" in found.stderr
    assert json.loads(found.stdout)["run_directory"] == "runs/flowers"
    assert "gradient norm" not in command("fit", "flowers.yaml").stderr
    assert command("fit", "flowers.yaml", "--set", "diagnostics=true", "--quiet").stderr == ""


def test_a_warning_is_told_below_its_epoch_and_stays_in_the_log(folder, command):
    found = command(
        "fit", "flowers.yaml", "--set", "model.initializer=zeros", "--set", "training.epochs=6"
    )
    lines = found.stderr.splitlines()
    (place,) = [i for i, line in enumerate(lines) if line.startswith("warning: ")]
    assert lines[place - 1].startswith("epoch 6/6")
    assert lines[place].startswith("warning: epoch 6: the training loss is")
    assert lines[place] in Path("runs/flowers/log.txt").read_text()
    assert json.loads(Path("runs/flowers/summary.json").read_text())["warnings"] == [
        lines[place].removeprefix("warning: ")
    ]


def test_threads_change_no_byte_of_a_run(folder, command):
    changes = ["--set", "training.shards=2", "--set", "training.epochs=2"]
    for threads in ("1", "2"):
        assert (
            command(
                "fit", "flowers.yaml", *changes, "--threads", threads, "--run-name", threads
            ).exit_code
            == 0
        )
        assert (
            command(
                "fit",
                "--resume",
                f"runs/{threads}",
                "--set",
                "training.epochs=4",
                "--threads",
                threads,
            ).exit_code
            == 0
        )
    one, two = Path("runs/1"), Path("runs/2")
    assert (one / "config.yaml").read_bytes() == (two / "config.yaml").read_bytes()
    for name in ("last", "best"):
        arrays, others = (
            Checkpoint.read(run / "checkpoints" / f"{name}.safetensors").tensors
            for run in (one, two)
        )
        assert {key: array.tobytes() for key, array in arrays.items()} == {
            key: array.tobytes() for key, array in others.items()
        }


@pytest.fixture
def peak(monkeypatch):
    monkeypatch.setattr("nettrain.inspection.profile.sgemm_peak", lambda threads: 100.0)


@pytest.mark.parametrize("flags", [[], ["--quiet"]], ids=["", "quiet"])
def test_a_profile_is_a_table_on_stderr_and_leaves_json_as_it_is(folder, command, peak, flags):
    found = command("fit", "flowers.yaml", "--json", "--profile", *flags)
    assert list(json.loads(found.stdout)) == [
        "run_directory",
        "stop_reason",
        "epochs",
        "best_epoch",
        "seconds",
        "metrics",
        "baseline",
        "intervals",
        "linear",
    ]
    lines = [line.split()[0] for line in found.stderr.splitlines() if line.strip()]
    for name in ("dense_1", "dense_2", "loss", "gather", "update", "step"):
        assert name in lines
    assert "activation_1" in found.stderr and "GFLOP/s" in found.stderr
    assert "profile" not in command("fit", "flowers.yaml").stderr


def test_a_run_of_one_step_says_that_there_is_nothing_to_profile(folder, command, peak):
    found = command(
        "fit",
        "flowers.yaml",
        "--profile",
        "--set",
        "training.epochs=1",
        "--set",
        "training.batch_size=null",
    )
    assert "no step was timed, since each recorded a plan" in found.stderr


def test_set_without_an_equals_sign_is_explained(folder, command):
    found = command("fit", "flowers.yaml", "--set", "optimizer.lr", "0.01")
    said = "--set optimizer.lr 0.01: write --set optimizer.lr=0.01, with '=' and no spaces\n"
    assert (found.exit_code, found.stderr) == (2, said)
    found = command("fit", "--set", "optimizer.lr", "flowers.yaml")
    assert found.stderr.startswith("--set optimizer.lr: expected KEY.PATH=VALUE")


def test_a_packaged_example_is_taken_by_name_and_announced(folder, command):
    found = command("fit", "xor", "--set", "training.epochs=1", "--json")
    assert found.exit_code == 0
    assert found.stderr.startswith("there is no file 'xor' here; using the packaged example ")
    assert "/xor.yaml\n" in found.stderr
    (folder / "xor.yaml").write_text("dataset: 1")
    assert "did you mean 'xor.yaml'?" in command("fit", "xor").stderr  # one's own comes first
    assert "does not exist" in command("fit", "xro").stderr


def test_all_columns_that_do_not_exist_are_named_at_once(folder, command):
    found = command(
        "fit", "flowers.yaml",
        "--set", "dataset.source.target=knd", "--set", "dataset.source.ignore=[hight, zzz]",
        "--set", "dataset.split={column: part}",
    )  # fmt: skip
    assert found.exit_code == 2
    lines = [line.partition("flowers.csv:1: ")[2] for line in found.stderr.splitlines()]
    assert lines == [
        "target: no column 'knd'; did you mean 'kind'? (there are: width, height, kind)",
        "ignore: no column 'hight'; did you mean 'height'? (there are: width, height, kind)",
        "ignore: no column 'zzz' (there are: width, height, kind)",
        "dataset.split: no column 'part' (there are: width, height, kind)",
    ]


def test_the_closing_line_names_the_metric_that_chose_the_best_epoch(folder, command):
    monitor = "early_stopping={monitor: validation_accuracy, patience: 9}"
    line = command("fit", "flowers.yaml", "--set", monitor).stderr.splitlines()[-2]
    assert re.search(r"; best epoch: \d+ \(validation_accuracy [\d.]+\)$", line)
    last = "early_stopping={restore_best: false, patience: 9}"
    line = command("fit", "flowers.yaml", "--set", last).stderr.splitlines()[-2]
    assert re.search(r"\(validation_loss [\d.]+\); the weights are those of the last epoch$", line)
