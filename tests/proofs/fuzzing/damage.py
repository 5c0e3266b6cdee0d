"""Sound bytes, changed as disks, transfers and attackers change them."""

from fuzzing.pick import pick
from hypothesis import strategies as st

_NUMBERS = [
    b"\0" * 4,
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80",
    b"\xff" * 8,
]


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The bytes with a few of them changed, cut out, repeated, or the end cut off."""
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        length = pick(draw, [1, 2, 4, 8, 40])
        piece = draw(
            st.binary(min_size=1, max_size=4)
            | st.sampled_from([*_NUMBERS, b"", content[at : at + length] * 2])
        )
        content = content[:at] + piece + content[at + pick(draw, [len(piece), 0, length]) :]
    return (
        content[: draw(st.integers(0, len(content)))] if draw(st.integers(0, 9)) == 7 else content
    )
