"""Networks of several members: each is what it is alone, the loss is the mean of theirs, and they predict the mean."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from nettrain import streams
from nettrain.autodiff.backward import backward
from nettrain.autodiff.tensor import Tensor
from nettrain.errors import ConfigError
from nettrain.layers.mean_of_members import MeanOfMembers
from nettrain.nn.architecture import Architecture
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network

K = 4  # a power of two: then 1/k rounds nothing
X = streams.generator(0, "x").normal(size=(9, 3))
LOSSES = runpy.run_path(str(Path(__file__).parent / "test_losses.py"))["ROWS"]
cases = pytest.mark.parametrize(
    ("name", "task", "size", "outputs", "targets"),
    [(name, *case[:4]) for name, rows in LOSSES.items() for case in rows],
)


GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "tabm_networks.npz")
PIECEWISE = {"type": "piecewise_linear_embedding", "size": 2, "bins": 6}
PERIODIC = {"type": "periodic_embedding", "variant": "plr", "size": 2, "frequencies": 3}
FORMS = {
    "full": {"embedding": None},
    "full_piecewise": {"embedding": PIECEWISE},
    "full_periodic": {"embedding": PERIODIC},
    "mini": {"variant": "mini", "embedding": None},
    "mini_piecewise": {"variant": "mini", "embedding": PIECEWISE},
    "packed": {"variant": "packed", "embedding": None},
}
OURS = {
    "num_module.linear0.weight": "piecewise_linear_embedding_1.u",
    "num_module.linear0.bias": "piecewise_linear_embedding_1.c",
    "num_module.periodic.weight": "periodic_embedding_1.q",
    "num_module.linear.bias": "periodic_embedding_1.b",
    "backbone.affine.weight": "batch_ensemble_1.r",
}
KEYS = {"weight": "w", "bias": "b", "r": "r", "s": "s"}


def our_name(form, authors):
    """Our name of an array of the authors' network."""
    *path, key = authors.split(".")
    if authors in OURS:
        return OURS[authors]
    if path[0] == "num_module":
        return f"{FORMS[form]['embedding']['type']}_1.{KEYS[key]}"
    if path[0] == "output":
        return f"packed_{4 if form == 'packed' else 1}.{KEYS[key]}"
    kind = "packed" if form == "packed" else "batch_ensemble"
    return f"{kind}_{int(path[2]) + 1}.{KEYS[key]}"


@pytest.mark.parametrize("form", FORMS)
def test_tabm_is_its_authors(form):
    model = Architecture.parse({"type": "tabm", "members": 3, "width": 5} | FORMS[form])
    loss = Loss.parse("cross_entropy")
    layers = [layer.for_loss(loss) for layer in model.expand((4,), 3, 0.0)]
    network = Network(layers, (4,), dtype="float64")
    network.learn_from_rows(GOLDEN["x"])
    theirs = {
        key.removeprefix(f"{form}/"): our_name(form, key.removeprefix(f"{form}/"))
        for key in GOLDEN
        if key.startswith(f"{form}/") and "/d/" not in key
    }
    assert set(theirs.values()) == set(network.parameters)
    turned = [ours for ours in theirs.values() if "ensemble" in ours and ours.endswith(".w")]
    for key, ours in theirs.items():
        array = GOLDEN[f"{form}/{key}"]
        network.vector.views[ours][...] = array.T if ours in turned else array
    outputs = network(Tensor(GOLDEN["x"]), training=True)
    np.testing.assert_allclose(outputs.value, GOLDEN[f"{form}_outputs"], rtol=1e-10, atol=1e-13)
    mean = loss.training_rows(outputs, Tensor(GOLDEN["y"])).mean()
    assert mean.item() == pytest.approx(float(GOLDEN[f"{form}_loss"]), rel=1e-12)
    backward(mean, into=network.slots)
    for key, ours in theirs.items():
        expected = GOLDEN[f"{form}/d/{key}"]
        found = network.vector.gradient_views[ours]
        np.testing.assert_allclose(
            found, expected.T if ours in turned else expected, rtol=1e-9, atol=1e-12
        )
    p = loss.predictions(network(Tensor(GOLDEN["x"])).value, "classification")
    np.testing.assert_allclose(p, GOLDEN[f"{form}_p"], rtol=1e-12)


@pytest.mark.parametrize(
    ("fields", "values", "spans"),
    [({"embedding": None}, {-1, 1}, 1), ({"embedding": PIECEWISE}, None, 2)],
)
def test_only_the_first_scaling_of_tabm_starts_random_with_one_number_per_feature(
    fields, values, spans
):
    model = Architecture.parse({"type": "tabm", "members": 8, "width": 6} | fields)
    network = Network(model.expand((5,), 2, 0.0), (5,), dtype="float64")
    views = network.vector.views
    for name, view in views.items():
        layer, _, key = name.partition(".")
        if key in ("r", "s") and name != "batch_ensemble_1.r":
            assert (view == 1).all(), name
        if layer.startswith("batch_ensemble") and key == "b":
            assert (view == view[0]).all() and len(np.unique(view[0])) == 6
        if key == "w" and not layer.startswith("piecewise"):
            bound = 1 / np.sqrt(view.shape[-2])
            assert bound * 0.8 < np.abs(view).max() <= bound
    r = views["batch_ensemble_1.r"].reshape(8, 5, spans)
    assert (r == r[..., :1]).all()
    assert len(np.unique(r)) == 40 if values is None else set(np.unique(r)) == values


def test_tabm_takes_only_embeddings_of_features():
    with pytest.raises(ValueError, match="dropout embeds no features: use piecewise_linear"):
        Architecture.parse({"type": "tabm", "embedding": "dropout"})


def made(layers, shape=(3,), seed=0):
    return Network([Layer.parse(one) for one in layers], shape, seed=seed, dtype="float64")


def logits(outputs, spread=3.0):
    return streams.generator(1, "logits").normal(size=(4, K, outputs)) * spread


def mean_of(loss, z):
    layer = MeanOfMembers().for_loss(loss)
    return made([{"type": "mean_of_members", "of": layer.of}], z.shape[1:])(Tensor(z)).value


@cases
def test_the_loss_of_training_is_the_mean_of_the_members_losses(name, task, size, outputs, targets):
    loss, z = Loss.parse(name), logits(outputs)
    y = Tensor(loss.encode(targets, size))
    alone = [loss.rows(Tensor(z[:, j]), y).value for j in range(K)]
    found = loss.training_rows(Tensor(z), y).value
    np.testing.assert_allclose(found, np.mean(alone, axis=0), rtol=1e-13)
    assert np.array_equal(loss.training_rows(Tensor(z[:, 0]), y).value, alone[0])


@cases
def test_the_prediction_is_the_mean_of_the_members_predictions(name, task, size, outputs, targets):
    loss, z = Loss.parse(name), logits(outputs)
    if loss.predicts == "sigmoid" and outputs > 1:
        task = "multilabel"  # probabilities of several classes are scaled after the mean
    alone = [loss.predictions(z[:, j], task) for j in range(K)]
    found = loss.predictions(mean_of(loss, z), task)
    np.testing.assert_allclose(found, np.mean(alone, axis=0), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy", "poisson", "mse"])
def test_members_that_are_certain_of_opposites_leave_the_mean_finite(name):
    z = np.array([[[2000.0, -2000.0]] * K, [[-2000.0, 2000.0]] * K])
    z[0, 0] *= -1
    found = mean_of(Loss.parse(name), z)
    assert np.isfinite(found).all()
    if name == "binary_cross_entropy":
        p = Loss.parse(name).predictions(found, "multilabel")
        np.testing.assert_allclose(p, [[0.75, 0.25], [0, 1]], atol=1e-12)


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
def test_a_packed_member_has_the_outputs_and_gradients_of_a_dense_network(parametrization):
    first = {"units": 5, "parametrization": parametrization}
    packed = made(
        [
            {"type": "members", "count": K},
            {"type": "packed"} | first,
            "relu",
            {"type": "packed", "units": 2},
            "mean_of_members",
        ]
    )
    loss, y = Loss.parse("mse"), Tensor(np.ones((9, 2)))
    outputs = packed(Tensor(X), training=True)
    backward(loss.training_rows(outputs, y).mean(), into=packed.slots)
    for j in range(K):
        alone = made([{"type": "dense"} | first, "relu", {"type": "dense", "units": 2}])
        for name, view in alone.vector.views.items():
            view[...] = packed.vector.views[name.replace("dense", "packed")][j]
        found = alone(Tensor(X), training=True)
        assert np.array_equal(found.value, outputs.value[:, j])
        backward(loss.rows(found, y).mean(), into=alone.slots)
        for name, gradient in alone.vector.gradient_views.items():
            packed_gradient = packed.vector.gradient_views[name.replace("dense", "packed")][j]
            assert np.array_equal(packed_gradient * K, gradient), name


@pytest.mark.parametrize(
    "norm", [{"type": "batch_norm"}, {"type": "layer_norm"}, {"type": "group_norm", "groups": 2}]
)
def test_members_are_normalized_as_networks_of_their_own(norm):
    hidden = [{"units": 6, "bias": False}, {"units": 2}]
    first, last = ({"type": "packed"} | one for one in hidden)
    packed = made([{"type": "members", "count": K}, first, norm, "tanh", last, "mean_of_members"])
    packed.vector.values[...] += streams.generator(4, "w").normal(size=len(packed.vector))
    loss, y, proposals = Loss.parse("mse"), Tensor(np.ones((9, 2))), {}
    outputs = packed(Tensor(X), training=True, proposals=proposals)
    backward(loss.training_rows(outputs, y).mean(), into=packed.slots)
    packed.commit(proposals)
    each = []
    for j in range(K):
        first, last = ({"type": "dense"} | one for one in hidden)
        alone, own = made([first, norm, "tanh", last]), {}
        for name, view in alone.vector.views.items():
            view[...] = packed.vector.views[name.replace("dense", "packed")][j]
        found = alone(Tensor(X), training=True, proposals=own)
        backward(loss.rows(found, y).mean(), into=alone.slots)
        alone.commit(own)
        np.testing.assert_allclose(outputs.value[:, j], found.value, rtol=1e-10)
        for name, gradient in alone.vector.gradient_views.items():
            shared = packed.vector.gradient_views[name.replace("dense", "packed")][j]
            np.testing.assert_allclose(shared * K, gradient, rtol=1e-8, atol=1e-12)
        for name, state in alone.state.items():
            np.testing.assert_allclose(packed.state[name][j], state, rtol=1e-10)
        each.append(alone(Tensor(X)).value)
    np.testing.assert_allclose(packed(Tensor(X)).value, np.mean(each, axis=0), rtol=1e-9)


def test_members_of_a_perceptron_share_nothing():
    fields = {"type": "mlp", "hidden": [4], "members": K, "batch_norm": True}
    network = Network(Architecture.parse(fields).expand((3,), 2, 0.0), (3,), dtype="float64")
    outputs = network(Tensor(X), training=True)
    backward((outputs[:, 1] ** 2).sum(), into=network.slots)
    for name, gradient in network.vector.gradient_views.items():
        assert [bool(gradient[j].any()) for j in range(K)] == [False, True, False, False], name


def test_members_of_a_tabular_network_share_nothing():
    model = Architecture.parse({"type": "tabular", "hidden": [4], "embedding": 2, "members": K})
    network = Network(model.expand((3,), 2, 0.0), (3,), dtype="float64")
    network.learn_from_rows(X)
    network.vector.values[...] = streams.generator(2, "w").normal(size=len(network.vector))
    outputs = network(Tensor(X), training=True)
    backward((outputs[:, 1] ** 2).sum(), into=network.slots)
    for name, gradient in network.vector.gradient_views.items():
        if "embedding" in name:  # (..., k size)
            gradient = np.moveaxis(gradient.reshape(*gradient.shape[:-1], K, 2), -2, 0)
        assert [bool(gradient[j].any()) for j in range(K)] == [False, True, False, False], name


@pytest.mark.parametrize("kind", ["mlp", "tabular"])
def test_one_member_is_a_network_without_their_axis(kind):
    fields = {"type": kind, "hidden": [4], "members": 1}
    names = [layer.name() for layer in Architecture.parse(fields).expand((3,), 2, 0.1)]
    assert not {"members", "packed", "mean_of_members"} & set(names)


def test_the_weights_of_each_member_are_drawn_by_themselves():
    layers = [{"type": "packed", "units": 6, "initializer": "orthogonal"}]
    w = made(layers, (K, 6)).vector.views["packed_1.w"]
    for j in range(K):
        np.testing.assert_allclose(w[j].T @ w[j], np.eye(6), atol=1e-12)
    assert len(np.unique(w)) == w.size


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        ([{"type": "packed", "units": 2}], (3,), r"several members.*shape \(3,\): put a members"),
        ([{"type": "dense", "units": 2}, "mean_of_members"], (3,), "put a members layer in front"),
        ([{"type": "batch_ensemble", "units": 2}], (3,), "put a members layer in front"),
        (
            [{"type": "batch_ensemble", "units": 2, "chunk": 2}],
            (2, 3),
            "3 inputs are no multiple of chunk, 2",
        ),
        ([{"type": "members", "count": 2}] * 2, (3,), "only one layer that makes members"),
        ([{"type": "members", "count": 2}], (2, 2, 1), "put a flatten layer in front"),
        (
            [{"type": "members", "count": 2}, "mean_of_members", "relu"],
            (3,),
            "nothing can follow mean_of_members",
        ),
        (
            [{"type": "parallel", "branches": [["mean_of_members"]]}],
            (2, 3),
            "branch_1.mean_of_members_1 cannot be inside a layer parallel",
        ),
    ],
)
def test_layers_in_the_wrong_place_are_refused(layers, shape, message):
    with pytest.raises(ConfigError, match=message):
        made(layers, shape)
