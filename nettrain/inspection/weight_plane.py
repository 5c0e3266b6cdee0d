"""A plane in the space of all weights: two parameters, or two principal directions of paths."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nettrain.errors import ConfigError, nearest
from nettrain.inspection.trace import element
from nettrain.nn.vector import ParameterVector

MOST_NAMES = 2000  # elements among which the nearest name is looked for
FLAT = 1e-9  # fraction of the variance below which a path has no such direction


@dataclass(frozen=True)
class Plane:
    """The points theta(a, b) = origin + a directions[0] + b directions[1].

    Attributes:
        origin: (p,).
        directions: (2, p), orthonormal.
        names: Of the two directions.
        scale_free: Whether both directions have the same unit, as principal directions do.
    """

    origin: np.ndarray
    directions: np.ndarray
    names: tuple[str, str]
    scale_free: bool

    def coordinates(self, points: np.ndarray) -> np.ndarray:
        """Returns the orthogonal projections (n, 2) of weights (n, p)."""
        return (points - self.origin) @ self.directions.T

    def point(self, a: float, b: float) -> np.ndarray:
        """Returns the weights (p,) at two coordinates."""
        return np.asarray(self.origin + a * self.directions[0] + b * self.directions[1])


def parameter_plane(
    vector: ParameterVector, final: np.ndarray, names: tuple[str, str], key: str
) -> Plane:
    """Returns the plane of two parameters; all others stay where they are in `final`.

    Args:
        vector: Of the network.
        final: The weights (p,).
        names: Such as `dense_1.w[0, 1]`; a coordinate is the value of the parameter.
        key: What to blame in messages, such as `--parameters`.

    Raises:
        ConfigError: There is no such parameter (the nearest is named), or it is named twice.
    """
    places = [_place(vector, name, key) for name in names]
    if places[0] == places[1]:
        raise ConfigError(f"{key} {names[0]}: is named twice; name two different parameters")
    directions = np.zeros((2, len(vector)))
    directions[[0, 1], places] = 1
    origin = final.astype(np.float64)
    origin[places] = 0
    elements = parameter_names(vector)
    return Plane(origin, directions, (elements[places[0]], elements[places[1]]), scale_free=False)


def principal_plane(paths: Sequence[np.ndarray]) -> Plane | None:
    """Returns the plane in which paths move most, through the end of the first path.

    Its directions are the first two principal components of all points (Li et al. 2018,
    "Visualizing the Loss Landscape of Neural Nets", section 7.2). Each points to where the first
    path goes.

    Args:
        paths: Of each run (s, p).

    Returns:
        None where all points are on one line.
    """
    points = np.concatenate(paths).astype(np.float64)
    centred = points - points.mean(axis=0)
    variances, vectors = np.linalg.eigh(centred @ centred.T)  # s x s: there are few snapshots
    first, second = variances[-1], variances[-2] if len(variances) > 1 else 0.0
    if second <= FLAT * first or first <= 0:
        return None
    directions = (vectors[:, [-1, -2]] / np.sqrt([first, second])).T @ centred
    end = paths[0][-1].astype(np.float64)
    ahead = directions @ (end - paths[0][0])
    directions[ahead < 0] *= -1
    shares = np.array([first, second]) / variances.clip(min=0).sum()
    names = [
        f"principal direction {place} ({share:.0%} of the path's variance)"
        for place, share in enumerate(shares, start=1)
    ]
    return Plane(end, directions, (names[0], names[1]), scale_free=True)


def parameter_names(vector: ParameterVector) -> list[str]:
    """Returns the name of every element of a vector, as `nettrain trace` writes it."""
    names = [""] * len(vector)
    for name, places in vector.named(np.arange(len(vector))).items():
        for index, place in np.ndenumerate(places):
            names[int(place)] = element(name, index)
    return names


def _place(vector: ParameterVector, name: str, key: str) -> int:
    """The index in the vector of `dense_1.w[0, 1]`; of an array of one element `dense_1.b` too."""
    arrays = vector.named(np.arange(len(vector)))
    match = re.fullmatch(r"\s*([^\[\]\s]+)\s*(?:\[([\d\s,]*)\])?\s*", name, re.ASCII)
    array = None if match is None else arrays.get(match[1])
    if match is None or array is None:
        known = parameter_names(vector) if len(vector) <= MOST_NAMES else list(arrays)
        hint = nearest(name, known) or f"; there are {', '.join(list(arrays)[:8])}"
        raise ConfigError(f"{key} {name}: there is no such parameter{hint}")
    if match[2] is None and array.size == 1:
        return int(array.flat[0])
    index = tuple(int(part) for part in (match[2] or "").split(",") if part.strip())
    try:
        if len(index) != array.ndim:
            raise IndexError
        return int(array[index])
    except IndexError:
        shape = " x ".join(map(str, array.shape))
        example = element(match[1], tuple(size - 1 for size in array.shape))
        raise ConfigError(
            f"{key} {name}: {match[1]} has the shape {shape}; name one element, up to {example}"
        ) from None
