"""A normalization by given moments with its activation: what fusion replaces that sequence by."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.compiled import compiled_form, compiles
from nettrain.autodiff.ops.normalization import Normalize, backward_loop, forward_loop
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.primitive import Array, Call, ElementWise, Primitive, Scratch, Shape, Slots


@dataclass(frozen=True)
class NormalizationBlock(Primitive):
    """y = act(gamma (x - m) s + beta);  da = dy act'(y), and from it the other gradients.

    Bitwise identical to its operations one after the other.

    Attributes:
        normalization: gamma (x - m) s + beta.
        activation: Element-wise; its derivative follows from its output (relu, sigmoid, tanh).
    """

    normalization: Normalize
    activation: ElementWise
    reads = (*Normalize.reads, "out")

    def infer(self, *shapes: Shape) -> Shape:
        """The shape of x."""
        return self.normalization.infer(*shapes)

    def scratch(self, *shapes: Shape) -> Scratch:
        """That of the normalization; da: the gradient before the activation."""
        return self.normalization.scratch(*shapes) | {"da": (shapes[0], None)}

    def forward(self, out: Array, *inputs: Array, da: Array, **scratch: Array) -> None:
        self.normalization.forward(out, *inputs, **scratch)
        self.activation.forward(out, out)

    def backward(
        self, grads: Slots, dy: Array, out: Array, *inputs: Array, da: Array, **scratch: Array
    ) -> None:
        self.activation.backward([da], dy, out, out)
        self.normalization.backward(grads, da, out, *inputs, **scratch)

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, *inputs: Array, da: Array, **scratch: Any
    ) -> None:
        """act'(y) times that of the normalization."""
        total = np.empty_like(dout)
        self.normalization.tangent(total, dinputs, out, *inputs, **scratch)
        self.activation.backward([dout], total, out, out)


@compiles(NormalizationBlock)
class CompiledNormalizationBlock(NormalizationBlock):
    """One pass over the rows forward and one backward, with relu in the same loops."""

    reads = (0, 1, 2, "inverse", "out")  # not `ones`

    def forward_calls(self, out: Array, *inputs: Array, da: Array, **scratch: Array) -> list[Call]:
        relu = isinstance(self.activation, Relu)
        epsilon = self.normalization.epsilon
        loop = forward_loop(epsilon, out, inputs, scratch, relu=relu)
        if not loop:
            return super().forward_calls(out, *inputs, da=da, **scratch)
        return loop if relu else [*loop, *compiled_form(self.activation).forward_calls(out, out)]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, *inputs: Array, da: Array, **scratch: Array
    ) -> list[Call]:
        relu = isinstance(self.activation, Relu)
        loop = backward_loop(grads, dy if relu else da, out, inputs, scratch, relu=relu)
        if not loop:
            ones = (scratch["ones"].fill, (1,), dict[str, Any]())
            return [ones, *super().backward_calls(grads, dy, out, *inputs, da=da, **scratch)]
        if relu:
            return loop
        return [*compiled_form(self.activation).backward_calls([da], dy, out, out), *loop]
