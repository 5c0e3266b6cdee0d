"""What twins have in common: they say their calls, and run by making them."""
from typing import Any

from nettrain.autodiff.primitive import Call, Primitive
from nettrain.kernel import entry


class Twin(Primitive):
    """First base of a twin, before its operation.

    A twin says `forward_calls` and `backward_calls`, or one of them; those here are the operation's own.
    """

    def forward(self, *args: Any, **scratch: Any) -> None:
        """Make the calls."""
        for function, arguments, named in self.forward_calls(*args, **scratch):
            function(*arguments, **named)

    def backward(self, *args: Any, **scratch: Any) -> None:
        """Make the calls."""
        for function, arguments, named in self.backward_calls(*args, **scratch):
            function(*arguments, **named)

    def forward_calls(self, *args: Any, **scratch: Any) -> list[Call]:
        """What the operation does without compiled loops."""
        return [(super().forward, args, scratch)]  # type: ignore[safe-super]

    def backward_calls(self, *args: Any, **scratch: Any) -> list[Call]:
        """What the operation does without compiled loops."""
        return [(super().backward, args, scratch)]  # type: ignore[safe-super]


def call(loop: Any, *args: Any) -> Call:
    """The call of a compiled loop on these arguments."""
    return entry(loop, *args), args, {}
