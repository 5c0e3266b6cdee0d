"""predict.py: a trained network as statements of NumPy, and its weights beside it."""

import inspect
import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from nettrain.autodiff.tensor import Tensor
from nettrain.config.plugins import in_use
from nettrain.data.readers.number_text import is_number
from nettrain.data.source import Source
from nettrain.export.inference_graph import NotExportable, record_inference
from nettrain.export.numpy import functions, reading
from nettrain.export.numpy.layout import literal, statement
from nettrain.export.numpy.statements import missing_statements, network_lines
from nettrain.export.numpy.table import (
    Weights,
    inverse_lines,
    may_be_missing,
    missing_transforms,
    transform_lines,
)
from nettrain.inference.model import Model
from nettrain.inference.prediction_table import prediction_columns
from nettrain.version import __version__

WEIGHTS = "weights.npz"
_IMPORTS = ("csv", "math", "re", "zlib")
_BATCH = 1000  # rows: what a convolution keeps of them fits into memory
_LONGEST = 20  # names in the program; more are kept among the weights


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
        problems += [*missing_statements(graph), *_unread_columns(model)]
        if problems:
            raise NotExportable("\n".join(dict.fromkeys(problems)))
        weights: Weights = dict(graph.constants)
        inputs = _inputs(model)
        functions_of_model = [
            _function(
                f"transform({inputs})",
                "The network's inputs, made of raw rows.",
                [
                    *transform_lines(pipeline.transforms, pipeline.schema.numbers, weights),
                    f"return finite(x.astype(np.{graph.dtype}))",
                ],
            ),
            _function(
                "network(x)", "What the network computes of its inputs.", network_lines(graph)
            ),
            _function(
                f"predict({inputs})",
                "A row of COLUMNS for each row." if _spreads(model) else _PREDICTS[model.task],
                [
                    *_network_lines(model),
                    *inverse_lines(
                        pipeline.target_transforms,
                        weights,
                        len(pipeline.schema.targets),
                        len(model.loss.levels),
                    ),
                    *_decision(model, weights),
                ],
            ),
        ]
    program = "\n\n\n".join([*functions_of_model, _main(model)])
    used = _used_functions(program)
    constants = _constants(model, weights)
    head = _head(model, constants, program + "".join(used))
    source = "\n\n\n".join([head, *used, program])
    file = io.BytesIO()
    np.savez(file, **{name: np.ascontiguousarray(array) for name, array in weights.items()})  # type: ignore[arg-type]
    return source + "\n", file.getvalue()


def _is_table(model: Model) -> bool:
    return bool(model.schema.numbers or model.schema.texts)


def _inputs(model: Model) -> str:
    return "x, texts" if model.schema.texts else "x"


def _unread_columns(model: Model) -> list[str]:
    """A sentence for what the program does not read as nettrain does."""
    schema, problems = model.pipeline.schema, []
    if schema.formats:
        problems.append(
            f"the columns {', '.join(map(repr, schema.formats))} hold numbers with commas or "
            "signs, which the written program does not read; train on plain numbers"
        )
    marked = [name for name, one in getattr(_csv(model), "columns", {}).items() if one.missing]
    if marked:
        problems.append(
            f"the columns {', '.join(map(repr, marked))} have `missing` marks of their own, which "
            "the written program does not know; list them under the source's `missing`"
        )
    return problems


def _csv(model: Model) -> Source:
    """The source by whose keys nettrain reads a CSV file for this model."""
    source = model.config.dataset.source
    return source if source.name() == "csv" else Source.parse({"type": "csv", "path": "new.csv"})


_PREDICTS = {
    "classification": "The class of each row, and the probabilities (n, k).",
    "multilabel": "The labels (n, l) of each row, and their probabilities.",
    "regression": "The values (n, t).",
}


def _network_lines(model: Model) -> list[str]:
    return [
        f"x = transform({_inputs(model)})",
        f"batches = [network(x[i : i + {_BATCH}]) for i in range(0, len(x), {_BATCH})]",
        "y = np.concatenate(batches).astype(np.float64)",
    ]


def _spreads(model: Model) -> bool:
    """Whether more than a value is predicted for each target."""
    return len(model.decision.levels) > 1 or model.conformal is not None


def _values(model: Model, weights: Weights) -> list[str]:
    """The values, their quantiles if there are several, and the ends of their interval."""
    if not _spreads(model):
        return ["return y"]
    levels, t, conformal = len(model.decision.levels), len(model.schema.targets), model.conformal

    def quantile(place: int) -> str:
        return f"y[:, {place * t}:{(place + 1) * t}]" if levels > 1 else "y"

    columns, lines = [quantile(model.decision.central), *(["y"] if levels > 1 else [])], []
    if conformal is not None:
        weights["margins"] = conformal.margins
        lines += [
            f'lower = {quantile(conformal.pair)} - W["margins"]',
            f'upper = {quantile(levels - 1 - conformal.pair)} + W["margins"]',
            "middle = (lower + upper) / 2",
            "lower, upper = np.minimum(lower, middle), np.maximum(upper, middle)",
        ]
        columns += ["lower", "upper"]
    return [*lines, f"return np.column_stack([{', '.join(columns)}])"]


def _decision(model: Model, weights: Weights) -> list[str]:
    if model.task == "multilabel":
        return ["return y >= 0.5, y"]
    if model.task == "regression":
        return _values(model, weights)
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


def _constants(model: Model, weights: Weights) -> list[str]:
    """The names and other values at the top; long lists are put among the weights."""
    schema = model.schema
    found: dict[str, Any] = {}
    if _is_table(model):
        found["NUMBERS"] = list(schema.numbers)
        if schema.texts:
            found["TEXTS"] = list(schema.texts)
        found["MISSING"] = _marks(getattr(_csv(model), "missing", ()))
        optional = may_be_missing(model.pipeline.transforms, schema.numbers)
        if optional:
            found["OPTIONAL"] = "NUMBERS" if optional == found["NUMBERS"] else optional
    else:
        found["SHAPE"] = tuple(schema.shape)
    if model.task == "classification":
        found["CLASSES"] = schema.labels.tolist()
    elif _spreads(model):
        none = np.empty((0, len(schema.targets) * max(len(model.decision.levels), 1)))
        found["COLUMNS"] = [name for name, _ in prediction_columns(model, none)]
    elif len(schema.targets) > 1:
        found["TARGETS"] = list(schema.targets)
    lines = []
    for name, value in found.items():
        if isinstance(value, list) and len(value) > _LONGEST:
            weights[name] = np.array(value)
            lines.append(f'{name} = W["{name}"].tolist()')
        else:
            text = value if isinstance(value, str) else literal(value)
            lines += statement(name, text, depth=0)
    return lines


def _marks(marks: tuple[str, ...]) -> list[str | float]:
    """The marks of a missing value as they are written, and those that are numbers by value too."""
    values: list[str | float] = [*sorted({float(mark) for mark in marks if is_number(mark)})]
    return [*sorted({"", *marks}), *values]


def _head(model: Model, constants: list[str], program: str) -> str:
    used = {module for module in _IMPORTS if re.search(rf"\b{module}\.", program)}
    imports = [f"import {module}" for module in sorted({*used, "csv", "sys"})]
    imports.append("from pathlib import Path")
    if "NormalDist" in program:
        imports.append("from statistics import NormalDist")
    new = "new.csv" if _is_table(model) else "new.npy"
    return "\n".join(
        [
            f'"""Predictions of {_shown(model.config.name)}, trained by nettrain {__version__}.',
            "",
            f"Needs NumPy alone. Usage: python predict.py {new} > out.csv",
            '"""',
            "",
            *imports,
            "",
            "import numpy as np",
            "",
            'W = dict(np.load(Path(__file__).with_name("weights.npz")))',
            *constants,
        ]
    )


def _shown(name: str | None) -> str:
    """A name that cannot end the docstring that it stands in."""
    return re.sub(r"[^\w .,:+-]", "_", name or "a network")[:50]


def _main(model: Model) -> str:
    schema, inputs = model.schema, _inputs(model)
    if _is_table(model):
        texts = "TEXTS" if schema.texts else "()"
        keys = ["sys.argv[1]", "NUMBERS", texts, "MISSING"]
        if may_be_missing(model.pipeline.transforms, schema.numbers):
            keys.append("optional=OPTIONAL")
        source: Any = _csv(model)
        if source.delimiter is not None:
            keys.append(f"delimiter={literal(source.delimiter)}")
        if source.encoding != "utf-8-sig":
            keys.append(f"encoding={literal(source.encoding)}")
        read = statement(
            inputs if schema.texts else "x, _", f"read_csv({', '.join(keys)})", depth=2
        )
    else:
        read = ["x = read_array(sys.argv[1], SHAPE)"]
    found, rows = "decided, _", "decided"
    if model.task == "classification":
        header = '["prediction"]'
        boolean = schema.label_type == "boolean"
        rows = (
            "[[str(one).lower()] for one in decided]" if boolean else "[[one] for one in decided]"
        )
    else:
        several = len(schema.targets) > 1
        header = '[f"prediction_{name}" for name in TARGETS]' if several else '["prediction"]'
        if model.task == "regression":
            found, rows = "decided", "decided.tolist()"
            header = "COLUMNS" if _spreads(model) else header
        elif schema.label_type == "boolean":
            rows = 'np.where(decided, "true", "false").tolist()'
        else:
            rows = "decided.astype(int).tolist()"
    lines = [
        "if len(sys.argv) != 2:",
        '    raise SystemExit("usage: python predict.py INPUT > out.csv")',
        "try:",
        *(f"    {line}" for line in read),
        f"    {found} = predict({inputs})",
        "except (OSError, EOFError, ValueError) as error:",
        "    raise SystemExit(str(error)) from None",
        'writer = csv.writer(sys.stdout, lineterminator="\\n")',
        f"writer.writerow({header})",
        f"writer.writerows({rows})",
    ]
    body = _function("main()", "Write the predictions for a file to stdout.", lines)
    return f'{body}\n\n\nif __name__ == "__main__":\n    main()'


def _used_functions(program: str) -> list[str]:
    """The source of the functions that a program calls, and of those that they call."""
    known: dict[str, Callable[..., Any]] = {
        name: one
        for name, one in (vars(functions) | vars(reading)).items()
        if inspect.isfunction(one)
    }
    sources = {name: inspect.getsource(one).rstrip() for name, one in known.items()}
    found: dict[str, None] = {}
    open_texts = [program]
    while open_texts:
        text = open_texts.pop()
        for name, source in sources.items():
            if name not in found and re.search(rf"(?<![\w.]){name}\(", text):
                found[name] = None
                open_texts.append(source)
    return [source for name, source in sources.items() if name in found]
