"""`nettrain export --to numpy`: writes predict.py and weights.npz into a folder."""

from pathlib import Path

from nettrain.errors import RunError
from nettrain.export.numpy.script import WEIGHTS, script_and_weights
from nettrain.export.target import Exported, Request
from nettrain.inference.load import load
from nettrain.inference.model import Model
from nettrain.training.artifacts.files import disk_errors, write_atomically


def export(request: Request) -> Exported:
    """Write both files.

    Raises:
        NotExportable: A component has no form in NumPy; nothing is written.
        RunError: It is an ensemble, or one of the files is there already.
    """
    model = load(request.subject, allow_plugins=request.allow_plugins)
    model.at_level(request.options.get("level"))
    if not isinstance(model, Model):
        raise RunError(
            f"{request.subject}: is an ensemble, which plain NumPy does not hold; --to onnx writes "
            "its members and their vote as one file"
        )
    script, weights = script_and_weights(model)
    folder = request.output or Path(f"{Path(request.subject).resolve().stem}-numpy")
    files = {folder / "predict.py": script.encode(), folder / WEIGHTS: weights}
    there = [str(path) for path in files if path.exists()]
    if there and not request.overwrite:
        raise RunError(f"{', '.join(there)}: there already; name another -o, or add --overwrite")
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            write_atomically(path, content)
    given = "new.csv" if model.schema.numbers or model.schema.texts else "new.npy"
    return Exported(
        [f"{folder}: predict.py, {WEIGHTS}; python {folder / 'predict.py'} {given} > out.csv"],
        {"target": "numpy", "files": [str(path) for path in files]},
    )
