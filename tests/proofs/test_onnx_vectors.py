"""The ONNX project's vectors that the package onnx has files of, through nettrain's operations."""

import numpy as np
import pytest

pytest.importorskip("onnx")

from against.comparison import Comparison, Deviation, Refused
from against.onnx_vectors import from_files
from against.rooms.onnx_vectors import compare_vector


def test_vectors_of_files():
    comparison, without = Comparison(), {}
    for name, model, sets in from_files():
        try:
            compare_vector(name, model, sets, comparison)
        except Refused as error:
            without.setdefault(str(error), []).append(name)
    assert sum(comparison.counts.values()) >= 90 and len(comparison.counts) >= 30
    # What nettrain does not have; what it has must not hide here.
    assert set(without) <= {
        "images of 3 axes", "a reduction of nothing", "no arrays", "pooling with dilation", "Pad with other numbers than one", "ConvTranspose",
        "Split", "Tile", "Shrink", "Sign", "StringNormalizer", "SequenceConstruct", "SplitToSequence", "SequenceEmpty", "Gradient",
        "numbers that are neither float32 nor float64",
    }  # fmt: skip


def test_a_planted_deviation_is_found():
    name, model, ((inputs, outputs),) = next(v for v in from_files() if v[0] == "test_Conv2d")
    compare_vector(name, model, [(inputs, outputs)], Comparison())
    with pytest.raises(Deviation, match="Conv"):
        compare_vector(name, model, [(inputs, [outputs[0] * np.float32(1.0001)])], Comparison())
