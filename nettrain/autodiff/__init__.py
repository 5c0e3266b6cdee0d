"""Automatic differentiation on NumPy arrays; it needs nothing else of nettrain but `jit`.

from nettrain.autodiff import Tensor, backward, grad

a, b = Tensor(2.0, requires_grad=True), Tensor(1.0, requires_grad=True)
gradients = backward((a + b) * (b + 1))
gradients[a], gradients[b]                      # 2, 5
grad(lambda x: x**2 + 35 * x + 12)(3.0)         # 2 x + 35 = 41
"""

from nettrain.autodiff.backward import backward
from nettrain.autodiff.check import check
from nettrain.autodiff.functional import grad, jacobian, jvp, value_and_grad, vjp
from nettrain.autodiff.tensor import Tensor

__all__ = ["Tensor", "backward", "check", "grad", "jacobian", "jvp", "value_and_grad", "vjp"]
