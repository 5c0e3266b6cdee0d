"""What the convolution layers have in common: a kernel that moves over images."""

from nettrain.autodiff.ops.windows import Pair, Windows
from nettrain.layers._image import Kernel, Padding, Size
from nettrain.layers._weights import WeightedLayer
from nettrain.nn.parameter import Shape
from nettrain.nn.receptive_field import ReceptiveField


class Convolution(WeightedLayer):
    """A convolution. Its subclasses declare these fields, and those of `WeightedLayer`."""

    independent_rows = True

    kernel: Size
    stride: Size
    padding: Padding
    dilation: Size

    def windows(self, shape: Shape) -> tuple[Windows, Pair]:
        """Returns the windows on images of this shape, and how many there are, down and across.

        Raises:
            ConfigError: the kernel is larger than the images.
        """
        kernel = Kernel(self.kernel, self.stride, self.padding, self.dilation)
        return kernel.on(self.name(), shape)

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        windows, _ = self.windows(shape)
        return ReceptiveField(windows.reach, windows.stride)
