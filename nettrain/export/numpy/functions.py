"""The functions that a written predict.py may need, in plain NumPy: their source is copied into it.

Each stands by itself but for others of this file that it calls. x is (n, ...), images (n, h, w, c).
"""

import math
import zlib
from statistics import NormalDist

import numpy as np


def sigmoid(x):
    """1 / (1 + e^-x), without overflow for large |x|."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def softplus(x):
    """ln(1 + e^x), without overflow for large x."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def erf(x):
    """The error function of each number."""
    return np.vectorize(math.erf, otypes=[float])(x).astype(x.dtype)


def gelu(x):
    """x Phi(x), with the standard normal distribution function Phi."""
    return x * (1 + erf(x * x.dtype.type(math.sqrt(0.5)))) / 2


def elu(x, alpha, scale):
    """scale x where x > 0, else scale alpha (e^x - 1)."""
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def softmax(x):
    """e^x_k / sum_j e^x_j over the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def logsumexp(x):
    """ln sum_j e^x_j over the last axis."""
    largest = x.max(axis=-1)
    return largest + np.log(np.exp(x - largest[..., None]).sum(axis=-1))


def embedding(x, *tables):
    """The row of each table that the code in its column of x says."""
    codes = x.astype(int)
    return np.hstack([table[codes[:, j]] for j, table in enumerate(tables)])


def windows(x, size, stride, padding, dilation=(1, 1), fill=0):
    """The windows (n, h', w', c, kh, kw) that a kernel of some size sees."""
    x = np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=fill)
    whole = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    seen = np.lib.stride_tricks.sliding_window_view(x, whole, axis=(1, 2))
    return seen[:, :: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]


def convolution(x, w, stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1):
    """Cross-correlation: y_ijo = sum_klc w_klco x_(i+k)(j+l)c; w is (kh, kw, c / groups, o)."""
    seen = windows(x, w.shape[:2], stride, padding, dilation)
    inputs, outputs = seen.shape[3] // groups, w.shape[3] // groups
    parts = [
        np.tensordot(
            seen[:, :, :, g * inputs : (g + 1) * inputs],
            w[..., g * outputs : (g + 1) * outputs],
            axes=((3, 4, 5), (2, 0, 1)),
        )
        for g in range(groups)
    ]
    return np.concatenate(parts, axis=-1)


def max_pool(x, size, stride, padding=((0, 0), (0, 0))):
    """The largest number of each window."""
    return windows(x, size, stride, padding, fill=-np.inf).max(axis=(-2, -1))


def average_pool(x, size, stride, padding=((0, 0), (0, 0))):
    """The mean of each window; padding does not count."""
    counts = windows(np.ones_like(x), size, stride, padding).sum(axis=(-2, -1))
    return windows(x, size, stride, padding).sum(axis=(-2, -1)) / counts


def normalize(x, moments, gamma, beta, epsilon):
    """Batch normalization by the means and variances of training."""
    mean, variance = moments
    return (x - mean) / np.sqrt(variance + x.dtype.type(epsilon)) * gamma + beta


def layer_norm(x, gamma, beta, epsilon):
    """Layer normalization over the last axis."""
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + x.dtype.type(epsilon)) * gamma + beta


def group_norm(x, gamma, beta, groups, epsilon):
    """Group normalization: of adjacent channels of a row, at all of its places."""
    parts = x.reshape(len(x), -1, groups, x.shape[-1] // groups)
    mean = parts.mean(axis=(1, 3), keepdims=True)
    variance = parts.var(axis=(1, 3), keepdims=True)
    z = (parts - mean) / np.sqrt(variance + x.dtype.type(epsilon))
    return z.reshape(x.shape) * gamma + beta


def upsample_linear(x, axis, factor):
    """Linear interpolation between the centres of pixels along an axis."""
    size = x.shape[axis]
    at = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
    below = np.floor(at).astype(int)
    shape = [1] * x.ndim
    shape[axis] = len(at)
    t = (at - below).reshape(shape).astype(x.dtype)
    after = np.minimum(below + 1, size - 1)
    return np.take(x, below, axis) * (1 - t) + np.take(x, after, axis) * t


def log(x, shift):
    """ln(x + shift), which only numbers above -shift have."""
    if (x + shift <= 0).any():
        raise ValueError(f"no logarithm of {np.nanmin(x):g} + {shift:g}")
    return np.log1p(x + (shift - 1))


def quantile_fraction(x, quantiles):
    """The fraction of the training rows below each number, from their quantiles (q, ...)."""
    columns, learned = x.reshape(len(x), -1), quantiles.reshape(len(quantiles), -1)
    y = np.full(columns.shape, np.nan)
    last = len(quantiles) - 1
    for j in range(columns.shape[1]):
        known = ~np.isnan(columns[:, j]) & ~np.isnan(learned[0, j])
        value, q = columns[known, j], learned[:, j]
        first, after = np.searchsorted(q, value, "left"), np.searchsorted(q, value, "right")
        lower, upper = q[np.clip(first - 1, 0, last)], q[np.minimum(first, last)]
        inside = (first == after) & (lower < upper)
        step = np.divide(value - lower, upper - lower, out=np.zeros(value.shape), where=inside)
        middle = np.clip((first + after - 1) / 2, 0, last)
        y[known, j] = np.where(inside, first - 1 + step, middle) / last
    return y.reshape(x.shape)


def from_quantile_fraction(fraction, quantiles):
    """The numbers below which these fractions of the training rows are."""
    columns, learned = fraction.reshape(len(fraction), -1), quantiles.reshape(len(quantiles), -1)
    places = np.linspace(0, 1, len(quantiles))
    y = [np.interp(columns[:, j], places, learned[:, j]) for j in range(columns.shape[1])]
    return np.stack(y, axis=1).reshape(fraction.shape)


def normal_quantile(fraction, rim):
    """The number below which a fraction of the standard normal distribution is."""
    inverse = np.vectorize(NormalDist().inv_cdf, otypes=[float])
    known = ~np.isnan(fraction)
    y = np.full(fraction.shape, np.nan)
    if known.any():
        y[known] = inverse(np.clip(fraction[known], rim, 1 - rim))
    return y


def normal_fraction(x):
    """The fraction of the standard normal distribution below each number."""
    return np.vectorize(NormalDist().cdf, otypes=[float])(x)


def piecewise_linear(x, sources, lower, upper):
    """How far each number is through the bins of its column (n, bins): from 0 to 1."""
    return np.clip((x[:, sources] - lower) / (upper - lower), 0, 1)


def ordinal(texts, values):
    """The place of each text among the values; behind them those of a missing, and of a new one."""
    places = {str(value): place for place, value in enumerate(values)}
    places[""] = len(places)
    return [places.get(text, len(values) + 1) for text in texts]


def merge_rare(texts, kept, merged):
    """The texts, those renamed that are not kept; "" stays missing."""
    known = {*map(str, kept), ""}
    return [text if text in known else merged for text in texts]


def target_statistics(texts, values, means):
    """The numbers of each text's category; behind them those of a missing, and of a new one."""
    return means[ordinal(texts, values)]


def one_hot(cells, values):
    """A column for each known value: 1 where a cell is that value, else 0."""
    return (np.array(cells)[:, None] == values).astype(float)


def hash_words(cells, size):
    """A bag of hashed words, of length 1, for each cell."""
    bags = np.zeros((len(cells), size))
    for row, cell in enumerate(cells):
        word = ""
        for character in f"{cell.lower()} ":
            if character.isalnum() or character == "_":
                word += character
            elif word:
                code = zlib.crc32(word.encode())
                bags[row, code % size] += -1 if code >> 31 else 1
                word = ""
    return bags / np.maximum(np.linalg.norm(bags, axis=1, keepdims=True), 1e-12)
