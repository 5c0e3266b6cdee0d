"""predict.py: a trained network as statements of NumPy, and its weights beside it."""

import inspect
import io
import re
from typing import Any

import numpy as np

from nettrain.autodiff.tensor import Tensor
from nettrain.config.plugins import in_use
from nettrain.export.inference_graph import NotExportable, record_inference
from nettrain.export.numpy import functions
from nettrain.export.numpy.statements import missing_statements, network_lines
from nettrain.export.numpy.table import (
    Weights,
    inverse_lines,
    missing_transforms,
    transform_lines,
)
from nettrain.inference.model import Model
from nettrain.version import __version__

WEIGHTS = "weights.npz"
_IMPORTS = ("csv", "math", "zlib")


def script_and_weights(model: Model) -> tuple[str, bytes]:
    """The text of predict.py, and the content of weights.npz.

    Raises:
        NotExportable: Naming every component that has no form in NumPy.
    """

    def predictions(outputs: Tensor) -> Tensor:
        logits = outputs if model.temperature == 1 else outputs / model.temperature
        return model.loss.inverse_link(logits, model.task)

    pipeline = model.pipeline
    with in_use(model.config.plugins):
        graph = record_inference(model.network, predictions)
        problems = missing_transforms(pipeline.transforms, pipeline.target_transforms)
        problems += missing_statements(graph)
        if pipeline.schema.formats:
            named = ", ".join(map(repr, pipeline.schema.formats))
            problems.append(
                f"the columns {named} hold numbers with commas or signs, which the written program "
                "does not read; train on plain numbers"
            )
    if problems:
        raise NotExportable("\n".join(dict.fromkeys(problems)))
    weights: Weights = dict(graph.constants)
    bodies = {
        "transform(numbers, texts)": (
            "The network's inputs, made of raw columns.",
            [
                *transform_lines(pipeline.transforms, pipeline.schema.numbers, weights),
                f"return numbers.astype(np.{graph.dtype})",
            ],
        ),
        "network(x)": ("What the network computes of its inputs (n, ...).", network_lines(graph)),
        "predict(numbers, texts)": (
            _PREDICTS[model.task],
            [
                "y = network(transform(numbers, texts)).astype(np.float64)",
                *inverse_lines(pipeline.target_transforms, weights),
                *_decision(model),
            ],
        ),
    }
    program = "\n\n\n".join(
        [*(_function(head, *body) for head, body in bodies.items()), _main(model)]
    )
    used = _used_functions(program)
    source = "\n\n\n".join([_head(model, program + "".join(used)), *used, program])
    file = io.BytesIO()
    np.savez(file, **{name: np.ascontiguousarray(array) for name, array in weights.items()})  # type: ignore[arg-type]
    return source + "\n", file.getvalue()


_PREDICTS = {
    "classification": "The class of each row, and the probabilities (n, k).",
    "multilabel": "The labels (n, l) of each row, and their probabilities.",
    "regression": "The values (n, t).",
}


def _decision(model: Model) -> list[str]:
    if model.task == "multilabel":
        return ["return y >= 0.5, y"]
    if model.task == "regression":
        return ["return y"]
    decision = model.decision
    if decision.threshold is None:
        return ["return [CLASSES[k] for k in y.argmax(axis=1)], y"]
    k = decision.positive
    return [
        f"chosen = np.where(y[:, {k}] >= {decision.threshold!r}, {k}, {1 - k})",
        "return [CLASSES[k] for k in chosen], y",
    ]


def _function(head: str, says: str, lines: list[str]) -> str:
    return "\n    ".join([f"def {head}:", f'"""{says}"""', *lines])


def _head(model: Model, program: str) -> str:
    schema, source = model.schema, model.config.dataset.source
    name = model.config.name or "nettrain"
    is_table = bool(schema.numbers or schema.texts)
    file = "new.csv" if is_table else "new.npy"
    used = [module for module in _IMPORTS if re.search(rf"\b{module}\.", program)]
    imports = [f"import {module}" for module in sorted({*used, "csv", "sys"})]
    imports.append("from pathlib import Path")
    if "NormalDist" in program:
        imports.append("from statistics import NormalDist")
    constants = ['W = dict(np.load(Path(__file__).with_name("weights.npz")))']
    if is_table:
        missing = getattr(source, "missing", ("",))
        constants += [
            f"NUMBERS = {list(schema.numbers)!r}",
            f"TEXTS = {list(schema.texts)!r}",
            f"MISSING = {sorted({'', *missing})!r}",
            f"DELIMITER = {getattr(source, 'delimiter', None) or ','!r}",
        ]
    if model.task == "classification":
        constants.append(f"CLASSES = {schema.labels.tolist()!r}")
    else:
        constants.append(f"TARGETS = {list(schema.targets)!r}")
    return "\n".join(
        [
            f'"""Predictions of {name}, trained by nettrain {__version__}. Needs NumPy alone.',
            "",
            f"    python predict.py {file} > out.csv",
            '"""',
            "",
            *imports,
            "",
            "import numpy as np",
            "",
            *constants,
        ]
    )


def _main(model: Model) -> str:
    schema = model.schema
    if schema.numbers or schema.texts:
        read = "numbers, texts = read_csv(sys.argv[1], NUMBERS, TEXTS, MISSING, DELIMITER)"
    else:
        read = "numbers, texts = np.load(sys.argv[1], allow_pickle=False), {}"
    if model.task == "classification":
        names, rows = '["prediction"]', "[[found] for found in decided]"
    elif model.task == "regression":
        single = len(schema.targets) == 1
        names = '["prediction"]' if single else '[f"prediction_{name}" for name in TARGETS]'
        rows = "decided.tolist()"
    else:
        names = '[f"prediction_{name}" for name in TARGETS]'
        kind = "" if schema.label_type == "boolean" else ".astype(int)"
        rows = f"decided{kind}.tolist()"
    lines = [
        "if len(sys.argv) != 2:",
        '    raise SystemExit("usage: python predict.py INPUT > out.csv")',
        read,
        "decided = predict(numbers, texts)" + ("" if model.task == "regression" else "[0]"),
        'writer = csv.writer(sys.stdout, lineterminator="\\n")',
        f"writer.writerow({names})",
        f"writer.writerows({rows})",
    ]
    body = _function("main()", "Write the predictions for a file to stdout.", lines)
    return f'{body}\n\n\nif __name__ == "__main__":\n    main()'


def _used_functions(program: str) -> list[str]:
    """The source of the functions that a program calls, and of those that they call."""
    known: dict[str, Any] = {
        name: one for name, one in vars(functions).items() if inspect.isfunction(one)
    }
    sources = {name: inspect.getsource(one).rstrip() for name, one in known.items()}
    found: dict[str, None] = {}
    open_texts = [program]
    while open_texts:
        text = open_texts.pop()
        for name, source in sources.items():
            if name not in found and re.search(rf"\b{name}\(", text):
                found[name] = None
                open_texts.append(source)
    return [source for name, source in sources.items() if name in found]
