"""A matrix product of its own for each feature."""

import numpy as np

from nettrain.autodiff.primitive import Array, Call, DefinedByCalls, Multilinear, Shape, Slots


class FeatureProduct(Multilinear, DefinedByCalls):
    """y_nj = x_nj w_j;  dx_nj = dy_nj w_j^T, dw_j = sum over n of x_nj dy_nj^T.

    x (n, d, i), w (d, i, o) -> y (n, d, o): one product (n, i) (i, o) for each of d features, on
    views in which the feature comes first; the rows stay the first axis, as shards need them.
    """

    reads = (0, 1)

    def infer(self, *shapes: Shape) -> Shape:
        """(n, d, o)."""
        x, w = shapes
        if len(x) != 3 or len(w) != 3 or x[1:] != w[:2]:
            raise ValueError(f"feature product: shapes {x} and {w} are not (n, d, i) and (d, i, o)")
        return (*x[:2], w[2])

    def forward_calls(self, out: Array, x: Array, w: Array) -> list[Call]:
        """The product."""
        return [(np.matmul, (x.swapaxes(0, 1), w, out.swapaxes(0, 1)), {})]

    def backward_calls(self, grads: Slots, dy: Array, out: Array, x: Array, w: Array) -> list[Call]:
        """dx, then dw; without sums, where o is 1, dx is no product."""
        dx, dw = grads
        calls: list[Call] = []
        if dx is not None and w.shape[2] == 1:
            calls.append((np.multiply, (dy, w[:, :, 0], dx), {}))
        elif dx is not None:
            pair = dy.swapaxes(0, 1), w.swapaxes(1, 2), dx.swapaxes(0, 1)
            calls.append((np.matmul, pair, {}))
        if dw is not None:
            calls.append((np.matmul, (x.transpose(1, 2, 0), dy.swapaxes(0, 1), dw), {}))
        return calls
