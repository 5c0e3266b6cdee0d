"""Embedded categories: as PyTorch trains them (tests/golden/embedding.npz), their start, and who takes codes."""

from pathlib import Path

import numpy as np
import pytest

from nettrain.autodiff.backward import backward
from nettrain.autodiff.tensor import Tensor
from nettrain.config.run_config import Regularization
from nettrain.errors import ConfigError
from nettrain.nn.columns import TableShape
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.optim import Optimizer
from nettrain.training.engine.update import Update

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "embedding.npz")
SHAPE = TableShape(6, (4, 9, 3))
NAMES = {f"w_{j}": f"by_columns_1.categories.embedding_1.w_{j}" for j in (1, 2, 3)}
NAMES |= {"weight": "dense_1.w", "bias": "dense_1.b"}


def made(layers, shape=SHAPE):
    return Network([Layer.parse(one) for one in layers], shape, dtype="float64")


def ours(name):
    """PyTorch's Linear holds w (o, i)."""
    return GOLDEN[name].T if name.endswith("weight") else GOLDEN[name]


def test_outputs_gradients_and_trained_tables_are_pytorchs():
    network = made(["by_columns", {"type": "dense", "units": 2}])
    assert set(NAMES.values()) == set(network.parameters)
    for key, name in NAMES.items():
        network.vector.views[name][...] = ours(f"start_{key}")
    update = Update(network.vector, Optimizer.parse("adam"), Regularization(l2=0.0))
    for step in range(20):
        outputs = network(Tensor(GOLDEN["x"]), training=True)
        loss = Loss.parse("mse").rows(outputs, Tensor(GOLDEN["y"])).mean()
        backward(loss, into=network.slots)
        if step == 0:
            np.testing.assert_allclose(outputs.value, GOLDEN["outputs"], rtol=1e-10, atol=1e-14)
            for key, name in NAMES.items():
                found = network.vector.gradient_views[name]
                np.testing.assert_allclose(found, ours(f"d{key}"), rtol=1e-9, atol=1e-13)
        update(0.1)
    for key, name in NAMES.items():
        np.testing.assert_allclose(network.vector.views[name], ours(f"end_{key}"), rtol=1e-8)


def test_rows_of_missing_and_unseen_values_start_at_zero_and_stay_without_rows():
    network = made([{"type": "by_columns"}])
    for name in ("w_1", "w_2", "w_3"):
        table = network.vector.views[NAMES[name]]
        assert table[:-2].all() and not table[-2:].any()


def test_indicators_are_numbers_unless_they_have_layers_of_their_own():
    x = Tensor(np.array([[0.5, -2.0, 1.0, 0.0, 3.0]]))
    shape, squashed = TableShape(5, (5,), 2), np.tanh([0.5, -2.0])
    for indicators, expected in ((None, np.tanh([0.5, -2, 1, 0])), ([], [*squashed, 1, 0])):
        layer = {"type": "by_columns", "numbers": ["tanh"], "indicators": indicators}
        np.testing.assert_allclose(made([layer], shape)(x).value[0, :4], expected)


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        (
            ["dense"],
            SHAPE,
            r"would take codes of categories \(3 of 6 inputs\).*by_columns in front",
        ),
        (["feature_scale"], SHAPE, "feature_scale would take codes of categories"),
        (["embedding"], SHAPE, "3 of the 6 inputs are numbers: use by_columns"),
        (["embedding"], (6,), "have none: add ordinal to `dataset.transforms`"),
        (
            [{"type": "by_columns", "categories": ["relu"]}],
            SHAPE,
            "categories: layer 1 .*activation",
        ),
        ([{"type": "by_columns", "cardinalities": [4, 9]}], SHAPE, "the data has \\[4, 9, 3\\]"),
        (["by_columns"], (2, 2, 1), "by_columns takes rows of numbers"),
        (
            [{"type": "by_columns", "indicators": [], "indicator_columns": 4}],
            SHAPE,
            "numbers with 4 indicators and 3 codes behind them",
        ),
        (
            [{"type": "by_columns", "numbers": [{"type": "members", "count": 2}]}],
            SHAPE,
            "must agree in all axes but the last",
        ),
    ],
)
def test_codes_in_the_wrong_place_are_refused_with_a_remedy(layers, shape, message):
    layers = [{"type": "dense", "units": 1} if one == "dense" else one for one in layers]
    with pytest.raises(ConfigError, match=message):
        made(layers, shape)
