"""The contract of all augmentations, and what each does to small images, to whom the chances fall, and to how many."""

import numpy as np
import pytest
from pydantic import ValidationError

from nettrain.component import names, to_mapping
from nettrain.data.augmentation import Augmentation
from nettrain.data.augmenter import Augmenter, black, described, linear
from nettrain.data.features import Features
from nettrain.data.fitted import Fitted
from nettrain.data.pipeline import Pipeline
from nettrain.data.rows.mapped import MappedRows
from nettrain.data.schema import Schema
from nettrain.data.transform import Transform
from nettrain.data.warp import shifted, warped
from nettrain.errors import ConfigError
from nettrain.streams import StepStream, generator

# Of every augmentation: fields under which it changes images of 7 x 6 pixels, and fields under which it leaves them as they are.
ROWS = {
    "brightness": ({"strength": 0.5}, {"strength": 0}),
    "contrast": ({"strength": 0.5}, {"strength": 0}),
    "crop": ({"padding": 2}, {"padding": 0}),
    "cutout": ({"size": 3}, {"size": 0}),
    "flip": ({}, {"probability": 0}),
    "mixup": ({"alpha": 1}, {"alpha": 0}),
    "noise": ({"deviation": 3}, {"deviation": 0}),
    "rotate": ({"degrees": 45}, {"degrees": 0}),
    "scale": ({"low": 0.5, "high": 1.5}, {"low": 1, "high": 1}),
    "shift": ({"pixels": 2}, {"pixels": 0}),
}
SHAPES = [(5, 7, 6, 1), (5, 7, 6, 3), (1, 6, 7, 2)]


def make(name, **fields):
    return Augmentation.parse({"type": name, **fields})


def images(shape=(5, 7, 6, 1), dtype=np.float64):
    return (1 + 254 * generator(0, "images").random(shape)).astype(dtype)


def applied(augmentation, x, step=0):
    """What becomes of the images in one step."""
    y = x.copy()
    augmentation.apply(y, StepStream(3, "test").seek(step))
    return y


class Highest:
    """A generator that draws the largest of what may be drawn; or the smallest."""

    def __init__(self, highest=True):
        self.highest = highest

    def uniform(self, low, high, size):
        return np.full(size, high if self.highest else low)

    def integers(self, low, high, size, endpoint=False):
        return np.full(size, high - (not endpoint) if self.highest else low)


def drawn(augmentation, x, highest=True):
    y = np.array(x, dtype=np.float64)[np.newaxis, :, :, np.newaxis]
    augmentation.apply(y, Highest(highest))
    return y[0, :, :, 0]


def test_every_augmentation_has_a_row():
    assert sorted(ROWS) == names(Augmentation)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_images_are_changed_in_their_place_and_nothing_else(name, dtype, shape):
    buffer = np.full((len(ROWS) + shape[0], *shape[1:]), 77, dtype)
    x = buffer[: shape[0]]
    x[...] = images(shape, dtype)
    before = x.copy()
    for step in range(8):  # a single image may well be left as it is
        make(name, **ROWS[name][0]).apply(x, StepStream(3, name).seek(step))
    assert np.isfinite(x).all()
    assert (buffer[shape[0] :] == 77).all()
    assert name == "mixup" or not np.array_equal(x, before)
    assert x.shape == shape and x.dtype == dtype


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_strength_leaves_every_bit_as_it_is(name, dtype):
    x = images((5, 7, 6, 2), dtype)
    assert applied(make(name, **ROWS[name][1]), x).tobytes() == x.tobytes()


@pytest.mark.parametrize("name", ROWS)
def test_images_of_a_batch_fare_differently_and_of_a_place_the_same(name):
    x = np.repeat(images((1, 7, 6, 1)), 40, axis=0)
    if name == "mixup":
        x = images((40, 7, 6, 1))
    augmentation = make(name, **ROWS[name][0])
    y = applied(augmentation, x)
    assert len(np.unique(y.reshape(40, -1), axis=0)) > 1
    assert (
        applied(augmentation, x).tobytes()
        == y.tobytes()
        != applied(augmentation, x, step=1).tobytes()
    )


@pytest.mark.parametrize("name", ROWS)
def test_both_dtypes_meet_the_same_chances(name):
    if name == "noise":  # draws as many bits as it needs
        return
    x = images()
    narrow = applied(make(name, **ROWS[name][0]), x.astype(np.float32))
    np.testing.assert_allclose(
        narrow, applied(make(name, **ROWS[name][0]), x), rtol=1e-4, atol=1e-2
    )


@pytest.mark.parametrize("name", ROWS)
def test_an_augmentation_survives_yaml(name):
    augmentation = make(name, **ROWS[name][0])
    assert Augmentation.parse(to_mapping(augmentation)) == augmentation


SMALL = [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(("down", "right", "fill", "expected"), [
    (1, 0, "black", [[0, 0, 0], [1, 2, 3]]),
    (0, 1, "black", [[0, 1, 2], [0, 4, 5]]),
    (-1, -1, "black", [[5, 6, 0], [0, 0, 0]]),
    (0, 2, "edge", [[1, 1, 1], [4, 4, 4]]),
    (0, 2, "reflect", [[3, 2, 1], [6, 5, 4]]),
    (1, -1, "reflect", [[5, 6, 5], [2, 3, 2]]),
])  # fmt: skip
def test_a_shift_by_hand(down, right, fill, expected):
    x = np.array(SMALL, dtype=np.float32)[np.newaxis, :, :, np.newaxis]
    assert shifted(x, np.array([down]), np.array([right]), fill)[0, :, :, 0].tolist() == expected


def test_each_image_is_shifted_by_its_own_amount():
    x = images((4, 5, 5, 3))
    down, right = np.array([0, 1, -2, 0]), np.array([0, -1, 0, 2])
    y = shifted(x, down, right, "black")
    assert np.array_equal(y[0], x[0])
    assert (
        np.array_equal(y[1, 1:, :4], x[1, :4, 1:])
        and (y[1, 0] == 0).all()
        and (y[1, :, 4] == 0).all()
    )
    assert np.array_equal(y[2, :3], x[2, 2:]) and (y[2, 3:] == 0).all()
    assert np.array_equal(y[3, :, 2:], x[3, :, :3]) and (y[3, :, :2] == 0).all()


@pytest.mark.parametrize(("augmentation", "highest", "expected"), [
    (make("shift", pixels=1), True, [[0, 0, 0], [0, 1, 2]]),
    (make("shift", pixels=1), False, [[5, 6, 0], [0, 0, 0]]),
    (make("shift", pixels=1, direction="vertical"), True, [[0, 0, 0], [1, 2, 3]]),
    (make("shift", share=0.34, direction="horizontal", fill="edge"), True, [[1, 1, 2], [4, 4, 5]]),
    (make("crop", padding=1, fill="black"), True, [[5, 6, 0], [0, 0, 0]]),
    (make("crop", padding=1), False, [[5, 4, 5], [2, 1, 2]]),
    (make("rotate", degrees=180), True, [[6, 5, 4], [3, 2, 1]]),
    (make("scale", low=2, high=2), True, [[2.25, 2.75, 3.25], [3.75, 4.25, 4.75]]),
    (make("cutout", size=1, value=9), True, [[1, 2, 3], [4, 5, 9]]),
    (make("cutout", size=2, value=9), False, [[9, 2, 3], [4, 5, 6]]),
    (make("brightness", strength=0.5), True, [[1.5, 3, 4.5], [6, 7.5, 9]]),
    (make("brightness", strength=1), False, [[0, 0, 0], [0, 0, 0]]),
    (make("contrast", strength=1), True, [[-1.5, 0.5, 2.5], [4.5, 6.5, 8.5]]),
    (make("contrast", strength=1), False, [[3.5, 3.5, 3.5], [3.5, 3.5, 3.5]]),
], ids=str)  # fmt: skip
def test_what_becomes_of_a_small_image(augmentation, highest, expected):
    np.testing.assert_allclose(drawn(augmentation, SMALL, highest), expected, atol=1e-12)


@pytest.mark.parametrize("fill", ["black", "edge", "reflect"])
def test_a_quarter_turn_is_numpys_rot90(fill):
    square = images((1, 6, 6, 1))[0, :, :, 0]
    np.testing.assert_allclose(
        drawn(make("rotate", degrees=90, fill=fill), square), np.rot90(square), rtol=1e-12
    )
    np.testing.assert_allclose(
        drawn(make("rotate", degrees=90, fill=fill), square, highest=False),
        np.rot90(square, -1),
        rtol=1e-12,
    )


def bilinear(image, row, column, fill):
    """The value between four pixels, one after the other: what `warped` does to all at once."""
    mode = {"black": "constant", "edge": "edge", "reflect": "reflect"}[fill]
    wide = np.pad(image, 30, mode)
    r, s = int(np.floor(row)), int(np.floor(column))
    a, b = row - r, column - s
    at = [[wide[r + i + 30, s + j + 30] for j in (0, 1)] for i in (0, 1)]
    return (1 - a) * ((1 - b) * at[0][0] + b * at[0][1]) + a * ((1 - b) * at[1][0] + b * at[1][1])


@pytest.mark.parametrize("fill", ["black", "edge", "reflect"])
@pytest.mark.parametrize("shape", [(5, 4), (1, 6), (3, 1)])
def test_warping_is_bilinear_and_fills_what_comes_from_outside(fill, shape):
    x = images((6, *shape, 2))
    matrix = generator(1, "matrix").normal(size=(6, 2, 2)) * 1.5
    y = warped(x, matrix, fill)
    middle = (np.array(shape) - 1) / 2
    for i, r, s, c in np.ndindex(x.shape):
        row, column = middle + matrix[i] @ (np.array([r, s]) - middle)
        assert y[i, r, s, c] == pytest.approx(bilinear(x[i, :, :, c], row, column, fill), abs=1e-9)


def many(shape=(4000, 9, 9, 1)):
    """Images in which every pixel has a value of its own."""
    return np.repeat(
        1 + np.arange(np.prod(shape[1:]), dtype=np.float64).reshape(1, *shape[1:]), shape[0], axis=0
    )


def test_so_many_are_flipped_as_was_asked_for():
    x = many()
    y = applied(make("flip", probability=0.3), x)
    mirrored = (y == x[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (mirrored | (y == x).all(axis=(1, 2, 3))).all()
    assert mirrored.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / 4000))
    assert np.array_equal(applied(make("flip", direction="vertical", probability=1), x), x[:, ::-1])


@pytest.mark.parametrize(
    "augmentation", [make("shift", pixels=2), make("crop", padding=2, fill="black")], ids=str
)
def test_every_shift_is_as_likely(augmentation):
    middle = applied(augmentation, many())[:, 4, 4, 0] - 1  # the pixel that came to the middle
    counts = np.bincount(middle.astype(int), minlength=81).reshape(9, 9)
    assert (counts[2:7, 2:7] > 0).all() and counts[2:7, 2:7].sum() == 4000
    chi_squared = ((counts[2:7, 2:7] - 160) ** 2 / 160).sum()
    assert chi_squared < 60  # 24 degrees of freedom: beyond that once in 15,000


def test_angles_and_factors_are_uniform():
    # A plane that rises to the right, a pixel a unit: what a pixel beside the middle holds tells the angle, or the factor.
    plane = np.repeat(np.arange(9.0)[np.newaxis, np.newaxis, :, np.newaxis], 9, axis=1)
    x = np.repeat(plane, 4000, axis=0)
    turned = applied(make("rotate", degrees=30), x)
    sine, cosine = (
        (turned[:, 4, 4, 0] - turned[:, 5, 4, 0]),
        (turned[:, 4, 5, 0] - turned[:, 4, 4, 0]),
    )
    uniform(np.degrees(np.arctan2(sine, cosine)), -30, 30)
    scaled = applied(make("scale", low=0.8, high=1.4), x)
    uniform(1 / (scaled[:, 4, 5, 0] - scaled[:, 4, 4, 0]), 0.8, 1.4)
    bright = applied(make("brightness", strength=0.3), x)
    uniform(bright[:, 4, 4, 0] / x[:, 4, 4, 0], 0.7, 1.3)
    sharp = applied(make("contrast", strength=0.3), x)
    uniform((sharp[:, 4, 5, 0] - sharp[:, 4, 4, 0]), 0.7, 1.3)


def uniform(values, low, high):
    """Kolmogorov and Smirnov's distance of the values from the uniform distribution."""
    ranks = np.arange(len(values)) / len(values)
    assert low - 1e-9 <= values.min() and values.max() <= high + 1e-9
    assert np.abs(np.sort((values - low) / (high - low)) - ranks).max() < 2 / np.sqrt(len(values))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise_is_normal_with_the_deviation(dtype):
    x = images((200, 9, 9, 3), dtype)
    noise = applied(make("noise", deviation=8), x) - x
    assert noise.std() == pytest.approx(8, rel=0.02) and noise.mean() == pytest.approx(0, abs=0.15)
    assert (np.abs(noise) < 8).mean() == pytest.approx(0.6827, abs=0.01)


def test_a_hole_has_its_size_and_is_cut_by_the_edge_alone():
    holes = applied(make("cutout", size=3, value=-1), many()) == -1
    rows, columns = holes.any(axis=(2, 3)).sum(axis=1), holes.any(axis=(1, 3)).sum(axis=1)
    assert np.array_equal(holes.sum(axis=(1, 2, 3)), rows * columns)
    assert rows.max() == columns.max() == 3 and rows.min() == columns.min() == 2
    assert (rows == 2).mean() == pytest.approx(
        2 / 9, abs=0.03
    )  # the middle on the first or the last row


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_is_equation_1_of_its_paper(alpha):
    x, shares = images((6, 3, 3, 2)), []
    for step in range(1500):
        y = x.copy()
        mix = make("mixup", alpha=alpha).apply(y, StepStream(3, "mixup").seek(step))
        if step < 50:
            np.testing.assert_allclose(
                y, mix.share * x + (1 - mix.share) * x[mix.partner], rtol=1e-12
            )
            assert sorted(mix.partner) == list(range(6))
        shares.append(mix.share)
    # Beta(a, a): mean 1/2, variance 1 / (4 (2a + 1))
    assert np.mean(shares) == pytest.approx(0.5, abs=0.05) and np.var(shares) == pytest.approx(
        1 / (4 * (2 * alpha + 1)), rel=0.1
    )


# The same images whichever way: changed before the transforms, as here, or in a batch that has been transformed.


def pipeline(x, *transforms):
    features, chain = Features(x), []
    for transform in map(Transform.parse, transforms):
        chain.append(Fitted(transform, transform.fit(features)))
        features = transform.apply(features, chain[-1].state)
    schema = Schema(x.shape[1:], (), (), "classification", ("y",), ("a", "b"))
    return Pipeline(schema, tuple(chain), (), features.numbers.shape[1:], ())


SCALE = {"type": "scale", "divide_by": 255}
UNIFORM = [[], [SCALE], ["center"], [SCALE, "center"], ["center", {"type": "scale", "factor": 3}]]
SINGLY = [
    ["standardize"],
    [{"type": "minmax", "low": -1}],
    [SCALE, "standardize", {"type": "minmax", "low": -3, "high": 5}],
]


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("transforms", UNIFORM + SINGLY, ids=str)
def test_images_are_changed_in_the_units_of_the_source(name, transforms):
    x = images((20, 7, 6, 2))
    augmentation, fitted = make(name, **ROWS[name][0]), pipeline(x, *transforms)
    if augmentation.moves and transforms in SINGLY:
        return
    y = fitted.inputs(Features(x), "float64")
    Augmenter([augmentation], fitted, y, seed=5, dtype=np.dtype(np.float64))(y, 7, 2)
    first = x - x.min()
    augmentation.apply(first, StepStream(5, f"augmentation.0.{name}").seek(7, 2))
    np.testing.assert_allclose(
        y, fitted.inputs(Features(first + x.min()), "float64"), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("transforms", UNIFORM + SINGLY, ids=str)
def test_linear_transforms_together_are_one(transforms):
    x = images((20, 7, 6, 2))
    fitted = pipeline(x, *transforms)
    shift, unit = linear(fitted.transforms)
    np.testing.assert_allclose(
        (x - shift) / unit, fitted.inputs(Features(x), "float64"), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize(
    "transforms", [[], ["center"], [{"type": "scale", "factor": 100}]], ids=str
)
@pytest.mark.parametrize("name", ["shift", "crop", "rotate", "scale", "cutout"])
def test_black_is_the_darkest_value_of_the_source(name, transforms):
    x = np.full((30, 7, 6, 1), 1.0)
    x[0, 0, 0] = -1  # numbers from -1 to 1, as the USPS digits have
    fitted = pipeline(x, *transforms)
    y = fitted.inputs(Features(x), "float64")
    augmentation = make(name, **ROWS[name][0] | ({"fill": "black"} if name == "crop" else {}))
    Augmenter([augmentation], fitted, y, seed=5, dtype=np.dtype(np.float64))(y, 7, 2)
    darkest = np.broadcast_to(
        fitted.inputs(Features(np.full((1, 7, 6, 1), -1.0)), "float64"), y.shape
    )
    assert np.isclose(y, darkest).mean() > 0.015  # of 0.005: here it has come in
    assert (y >= darkest - 1e-9).all()


@pytest.mark.parametrize(("raw", "expected"), [
    (np.arange(7, 31, dtype=np.uint8).reshape(2, 3, 4, 1), 0), (np.arange(7, 31).reshape(2, 3, 4, 1) - 10.0, -3),
], ids=["bytes", "numbers"])  # fmt: skip
def test_black_of_rows_that_are_transformed_later_is_known_too(raw, expected):
    fitted = pipeline(raw.astype(float), SCALE)
    waiting = MappedRows(
        raw, lambda x, out: np.divide(x, 255, out=out), raw.shape[1:], np.dtype(np.float64)
    )
    assert black(waiting, *linear(fitted.transforms)) == pytest.approx(expected)
    assert black(raw / 255, *linear(fitted.transforms)) == pytest.approx(raw.min())


def test_each_place_in_the_list_has_chances_of_its_own():
    x = many((50, 9, 9, 1))
    flips = [make("flip"), make("flip")]
    once, twice = x.copy(), x.copy()
    fitted = pipeline(x)
    Augmenter(flips[:1], fitted, x, seed=0, dtype=x.dtype)(once, 0, 0)
    Augmenter(flips, fitted, x, seed=0, dtype=x.dtype)(twice, 0, 0)
    assert not np.array_equal(twice, x) and not np.array_equal(twice, once)


IMAGES, FIRST, SECOND = (4, 7, 6, 1), r"dataset.augmentation\[0\]: ", r"dataset.augmentation\[1\]: "
REFUSED = {
    "moving pixels of different units": (
        ["flip"],
        ["standardize"],
        IMAGES,
        FIRST + r"flip moves pixels.*\(standardize\).*divide_by: 255",
    ),
    "minmax too": (["brightness", "rotate"], ["minmax"], IMAGES, SECOND + "rotate moves pixels"),
    "what cannot be undone": (
        ["brightness"],
        ["quantile"],
        IMAGES,
        "what quantile does to pixels cannot be undone",
    ),
    "too far": (
        [{"type": "shift", "pixels": 6}],
        [],
        IMAGES,
        FIRST + "shift of images of 7 x 6 pixels moves by up to 6",
    ),
    "too much padding": (
        ["flip", {"type": "crop", "padding": 6}],
        [],
        IMAGES,
        SECOND + "crop of .* with 6 pixels",
    ),
    "too large a hole": (
        [{"type": "cutout", "size": 6}],
        [],
        IMAGES,
        FIRST + "cutout of .* a square of 6 pixels",
    ),
    "a table": (
        ["flip"],
        [],
        (4, 7),
        r"dataset.augmentation: is for images, .* and these rows have \(7,\): leave it out",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_says_why(case):
    chain, transforms, shape, message = REFUSED[case]
    x = images(shape)
    with pytest.raises(ConfigError, match=message):
        Augmenter(
            [Augmentation.parse(item) for item in chain],
            pipeline(x, *transforms),
            x,
            seed=0,
            dtype=np.dtype(np.float32),
        )


@pytest.mark.parametrize("mapping", [
    "shift", {"type": "shift", "pixels": 1, "share": 0.1}, {"type": "shift", "pixels": -1}, {"type": "shift", "share": 1},
    {"type": "flip", "probability": 1.1}, {"type": "flip", "direction": "diagonal"}, {"type": "rotate", "degrees": 181},
    {"type": "scale", "low": 1.2, "high": 1.1}, {"type": "scale", "low": 0}, "noise", {"type": "noise", "deviation": -1},
    {"type": "cutout"}, {"type": "brightness", "strength": 1.5}, {"type": "mixup", "alpha": -0.1}, {"type": "crop", "fill": "wrap"}, "flop",
], ids=str)  # fmt: skip
def test_fields_out_of_bounds_are_refused(mapping):
    with pytest.raises((ValidationError, ValueError)):
        Augmentation.parse(mapping)


def test_a_chain_is_described_by_what_is_not_at_its_default():
    assert (
        described([make("flip"), make("shift", pixels=2, fill="edge")])
        == "flip, shift (pixels 2, fill edge)"
    )
