"""Operations refuse inputs whose shapes do not fit, and say which they got; what fits has the output's shape."""

import pytest

from nettrain.autodiff.ops.cross_entropy import SoftmaxCrossEntropy
from nettrain.autodiff.ops.feature_product import FeatureProduct
from nettrain.autodiff.ops.moments import Moments
from nettrain.autodiff.ops.parametric_activation import ParametricActivation
from nettrain.autodiff.ops.periodic import Periodic
from nettrain.autodiff.ops.piecewise_linear import PiecewiseLinear
from nettrain.autodiff.ops.scale import Scale
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.ops.smooth import Tanh

# The axes of inputs and output by letters: those of one letter are equally long, "1" is one element.
AXES = {
    "cross-entropy": (SoftmaxCrossEntropy(), "nk n", "n"),
    "feature product": (FeatureProduct(), "ndi dio", "ndo"),
    "parametric activation": (ParametricActivation(Tanh()), "ndo do", "ndo"),
    "periodic": (Periodic(1.0), "nd1 dk dk dko do", "ndp"),
    "piecewise linear": (PiecewiseLinear(), "nd1 dt dt do do dto", "ndo"),
    "scale": (Scale(), "ndo do", "ndo"),
}
REPEATED = "scale", "parametric activation"
SIZES = {"n": 3, "d": 2, "i": 5, "o": 7, "p": 8, "k": 4, "t": 6, "1": 1}
each = pytest.mark.parametrize("name", AXES)


def shapes_of(letters, **sizes):
    return [tuple((SIZES | sizes)[axis] for axis in one) for one in letters.split()]


@each
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_shapes_that_fit_give_the_outputs(name, rows):
    primitive, inputs, output = AXES[name]
    assert primitive.infer(*shapes_of(inputs, n=rows)) == shapes_of(output, n=rows)[0]


@each
def test_an_axis_that_differs_from_one_of_its_letter_is_refused_with_all_shapes(name):
    primitive, inputs, _ = AXES[name]
    given, letters = shapes_of(inputs), inputs.split()
    for i, one in enumerate(letters):
        for axis, letter in enumerate(one):
            if inputs.count(letter) > 1 or letter == "1":
                wrong = [*given]
                wrong[i] = (*given[i][:axis], given[i][axis] + 1, *given[i][axis + 1 :])
                with pytest.raises(ValueError) as caught:
                    primitive.infer(*wrong)
                assert all(str(shape) in str(caught.value) for shape in wrong)


@each
def test_an_axis_too_many_or_too_few_is_refused(name):
    primitive, inputs, _ = AXES[name]
    given = shapes_of(inputs)
    for i, shape in enumerate(given):
        for other in (shape[1:], shape[:-1], (*shape, 1), (1, *shape)):
            if name in REPEATED and (other == shape[1:] or (i == 0 and other == (1, *shape))):
                continue  # other axes of rows, none or more than one
            with pytest.raises(ValueError):
                primitive.infer(*given[:i], other, *given[i + 1 :])


@pytest.mark.parametrize("primitive", [Scale(), ParametricActivation(Relu())], ids=["scale", "act"])
def test_a_single_number_is_no_factor_of_each_element(primitive):
    with pytest.raises(ValueError, match=r"got shapes \(3, 2\) and \(\)"):
        primitive.infer((3, 2), ())


@pytest.mark.parametrize("shape", [(), (3,), (0, 3), (3, 0), (2, 0, 3)])
def test_moments_are_of_at_least_one_row_of_at_least_one_channel(shape):
    with pytest.raises(ValueError, match="at least one row"):
        Moments().infer(shape)
    assert Moments().infer((1, 1)) == (2, 1) and Moments().infer((2, 5, 3)) == (2, 3)
