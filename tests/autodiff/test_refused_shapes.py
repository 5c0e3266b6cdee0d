"""Shapes that do not fit an operation are refused, and the message tells which they are."""

import re

import pytest

from nettrain.autodiff.ops.affine import Affine
from nettrain.autodiff.ops.embedding import Embedding
from nettrain.autodiff.ops.feature_product import FeatureProduct
from nettrain.autodiff.ops.group_normalization import NormalizeGroups
from nettrain.autodiff.ops.indexing import Gather, Pick
from nettrain.autodiff.ops.joining import Concatenate, Pad
from nettrain.autodiff.ops.matmul import Matmul
from nettrain.autodiff.ops.normalization import Normalize
from nettrain.autodiff.ops.normalization_block import NormalizationBlock
from nettrain.autodiff.ops.reduction import Max, Min
from nettrain.autodiff.ops.row_normalization import NormalizeRows
from nettrain.autodiff.ops.selection import Maximum, Relu
from nettrain.autodiff.ops.shape import Broadcast, Reshape

CHANNELS = "inputs of shapes {} do not have the same channels"
TABLES = "embedding: shapes {} are not (n, c) and c of (v, s)"
FEATURES = "feature product: shapes {} are not (n, d, i) and (d, i, o)"
PICK = "pick takes scores (n, k) and indices (n,), got {}"
JOINED = "concatenate: shapes {} differ elsewhere than on axis"


@pytest.mark.parametrize(("primitive", "shapes", "said"), [
    (Matmul(), [(2, 3), (4, 5)], "matmul: shapes {} do not fit (3 columns against 4 rows)"),
    (Matmul(), [(2, 3, 4), (5, 4, 3)], "matmul: shapes {} do not fit (4 columns against 4 rows)"),
    (Affine(), [(2, 3), (3, 4), (3,)], "affine: a bias (3,) does not fit rows (4,) of x (2, 3) and w (3, 4)"),
    (FeatureProduct(), [(2, 3), (3, 4, 5)], FEATURES),
    (FeatureProduct(), [(2, 3, 4), (3, 4, 5, 6)], FEATURES),
    (FeatureProduct(), [(2, 3, 4, 5), (3, 4, 5)], FEATURES),
    (FeatureProduct(), [(2, 3, 4), (3, 5, 4)], FEATURES),
    (Embedding(), [(2,), (3, 4)], TABLES),
    (Embedding(), [(5, 1, 2), (3, 4)], TABLES),
    (Embedding(), [(5, 2), (3, 4)], TABLES),
    (Embedding(), [(5, 2), (3, 4), (3,)], TABLES),
    (Embedding(), [(5, 2), (3, 4), (3, 4, 5)], TABLES),
    (Embedding(), [(5, 2), (3, 4), (0, 4)], TABLES),
    (Normalize(0.1), [(4,), (2, 4), (4,), (4,)], f"normalize: {CHANNELS}"),
    (Normalize(0.1), [(3, 4), (2, 4), (4,), (5,)], f"normalize: {CHANNELS}"),
    (Normalize(0.1), [(3, 4), (2, 5), (5,), (5,)], f"normalize: {CHANNELS}"),
    (NormalizationBlock(Normalize(0.1), Relu()), [(3, 4), (2, 4), (5,), (4,)], f"normalize: {CHANNELS}"),
    (NormalizeRows(0.1), [(3, 4), (4,), (5,)], f"normalize rows: {CHANNELS}"),
    (NormalizeGroups(2, 0.1), [(3, 4), (4,), (2,)], f"normalize groups: {CHANNELS}"),
    (NormalizeGroups(3, 0.1), [(3, 4), (4,), (4,)], "normalize groups: 4 channels cannot be divided into 3 groups"),
    (Maximum(), [(3, 4), (4, 3)], "Maximum takes inputs of one shape, got {}"),
    (Broadcast((3,)), [(2, 3)], "shape (2, 3) does not broadcast to (3,)"),
    (Broadcast((1, 3)), [(2, 3)], "shape (2, 3) does not broadcast to (1, 3)"),
    (Reshape((2, 4)), [(3, 2)], "cannot reshape (3, 2) (6 elements) to (2, 4)"),
    (Reshape((-1, 4)), [(3, 2)], "cannot reshape (3, 2) (6 elements) to (-1, 4)"),
    (Reshape((-1, -1)), [(3, 2)], "cannot reshape (3, 2) (6 elements) to (-1, -1)"),
    (Reshape((-1, 0)), [(3, 0)], "cannot reshape (3, 0) (0 elements) to (-1, 0)"),
    (Concatenate(1), [(2, 3), (2, 3, 1)], f"{JOINED} 1"),
    (Concatenate(1), [(2, 3), (3, 3)], f"{JOINED} 1"),
    (Concatenate(0), [(2, 3), (2, 4)], f"{JOINED} 0"),
    (Pad(((1, 1),), 0.0), [(2, 3)], "pad: 1 widths do not fit the shape (2, 3)"),
    (Pad(((0, -1),), 0.0), [(3,)], "pad: widths must not be negative, got ((0, -1),)"),
    (Gather(), [(4,), (2,), (2,)], "2 indices do not fit a tensor of shape (4,)"),
    (Pick(), [(3, 4, 2), (3,)], PICK),
    (Pick(), [(3, 4), (4,)], PICK),
    (Max(), [(3, 0)], "no element to choose from along the last axis of (3, 0)"),
    (Min(), [(0,)], "no element to choose from along the last axis of (0,)"),
], ids=lambda given: type(given).__name__)  # fmt: skip
def test_shapes_that_do_not_fit_are_told(primitive, shapes, said):
    given = " and ".join(map(str, shapes))
    with pytest.raises(ValueError, match=f"^{re.escape(said.format(given))}$"):
        primitive.infer(*shapes)
