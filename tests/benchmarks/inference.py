"""Time per prediction of the digits network: nettrain, its exports, scikit-learn and PyTorch with the same weights.

`python tests/benchmarks/inference.py` fits configs/digits.yaml, exports it to ONNX and to plain NumPy, and prints the medians
of alternating rounds for 1 and for 100,000 rows, each on one thread, with the largest difference from nettrain. Needs the
extras onnx and sklearn, and onnxruntime; PyTorch is left out where it is not installed.
"""

import environment  # noqa: F401, I001  (before NumPy)

import importlib.util
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

import nettrain
from nettrain.export.numpy.script import script_and_weights
from nettrain.export.onnx.model import OPSET, Layout, onnx_model

ROUNDS = 5
CONFIG = Path(__file__).parents[2] / "configs/digits.yaml"
LAYERS = ("dense_1", "dense_2", "dense_3")
ROWS = {"1 row": (1, 200), "100,000 rows": (100_000, 1)}  # and the calls that are timed together


def predict_py(model, folder):
    script, weights = script_and_weights(model)
    (folder / "weights.npz").write_bytes(weights)
    (folder / "predict.py").write_text(script)
    spec = importlib.util.spec_from_file_location("predict", folder / "predict.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_onnxruntime(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    content = onnx_model(model, Layout(OPSET, False, True)).SerializeToString()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: session.run(["probabilities"], {name: x})[0]


def in_scikit_learn(weights):
    start = np.zeros((20, 64), np.float32), np.arange(20) % 10
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = MLPClassifier((64, 64), max_iter=1).fit(*start)
    network.coefs_ = [weights[f"{layer}.w"] for layer in LAYERS]
    network.intercepts_ = [weights[f"{layer}.b"] for layer in LAYERS]
    return lambda x: network.predict_proba(x.reshape(len(x), -1).astype(np.float32) / 16)


def in_pytorch(weights):
    import torch

    torch.set_num_threads(1)
    layers = [torch.nn.Flatten()]
    for layer in LAYERS:
        w = weights[f"{layer}.w"]
        dense = torch.nn.Linear(*w.shape)
        dense.weight.data = torch.from_numpy(w.T.copy())
        dense.bias.data = torch.from_numpy(weights[f"{layer}.b"])
        layers += [dense, torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1], torch.nn.Softmax(1)).eval()

    def run(x):
        with torch.no_grad():
            return network(torch.from_numpy(x.astype(np.float32) / 16)).numpy()

    return run


def main():
    with tempfile.TemporaryDirectory() as folder:
        nettrain.train(CONFIG, output_directory=folder, run_name="digits")
        model = nettrain.load(Path(folder) / "digits")
        program = predict_py(model, Path(folder))
    programs = {
        "nettrain": model.probabilities,
        "predict.py": lambda x: program.predict(x)[1],
        "onnxruntime": in_onnxruntime(model),
        "scikit-learn": in_scikit_learn(program.W),
    }
    if importlib.util.find_spec("torch") is not None:
        programs["PyTorch eager"] = in_pytorch(program.W)
    images = model.training_data.dataset.features.array
    with threadpool_limits(1):
        for title, (rows, calls) in ROWS.items():
            x = np.resize(images, (rows, *images.shape[1:]))
            expected = model.probabilities(x)
            seconds = {name: [] for name in programs}
            for _ in range(ROUNDS):
                for name, run in programs.items():
                    start = time.perf_counter()
                    for _ in range(calls):
                        run(x)
                    seconds[name].append((time.perf_counter() - start) / calls)
            print(title)
            for name, run in programs.items():
                difference = np.abs(run(x) - expected).max()
                median = np.median(seconds[name]) * 1e3
                ratio = median / (np.median(seconds["nettrain"]) * 1e3)
                print(
                    f"  {name:<14} {median:9.3f} ms  {ratio:6.3f} of nettrain's  difference {difference:.1e}"
                )


if __name__ == "__main__":
    main()
