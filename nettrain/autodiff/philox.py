"""Philox in compiled loops: the draws of NumPy's generator, bit for bit, in half the time.

Salmon et al. 2011 (Parallel random numbers: as easy as 1, 2, 3), Philox4x64-10. A block of four
64-bit words is a function of a counter and a key alone. So the blocks of several counters are
computed side by side, by vector instructions; NumPy computes one after the other.
"""

from typing import Any

import numpy as np

from nettrain.autodiff.primitive import Array
from nettrain.jit import jit

LANES = 32  # blocks that are computed side by side
PER_BLOCK = 8  # numbers of 32 bits, the halves of its words
MANY = 8192  # draws: fewer take longer, as reading the state and setting it takes 7 us
_ROUNDS = 10
_FACTORS = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_STEPS = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


@jit
def _high(a: Any, b: Any) -> Any:
    """The upper 64 bits of the product a b, from products of halves."""
    low, left = (a & _LOW) * (b & _LOW), (a >> _HALF) * (b & _LOW)
    right, high = (a & _LOW) * (b >> _HALF), (a >> _HALF) * (b >> _HALF)
    middle = (low >> _HALF) + (left & _LOW) + (right & _LOW)
    return high + (left >> _HALF) + (right >> _HALF) + (middle >> _HALF)


@jit
def _draw_loop(out: Array, counter: Array, key: Array) -> None:
    a, b = np.empty(LANES, np.uint64), np.empty(LANES, np.uint64)
    c, d = np.empty(LANES, np.uint64), np.empty(LANES, np.uint64)
    drawn = np.empty(PER_BLOCK * LANES, np.uint32)
    unit = np.float32(2**-24)
    for start in range(0, out.size, drawn.size):
        first, second = key
        before = counter[0] + np.uint64(start // PER_BLOCK)
        for lane in range(LANES):
            a[lane] = before + np.uint64(lane + 1)
            b[lane], c[lane], d[lane] = counter[1], counter[2], counter[3]
        for _ in range(_ROUNDS):
            for lane in range(LANES):
                x, y = a[lane], c[lane]
                a[lane] = _high(_FACTORS[1], y) ^ b[lane] ^ first
                b[lane] = _FACTORS[1] * y
                c[lane] = _high(_FACTORS[0], x) ^ d[lane] ^ second
                d[lane] = _FACTORS[0] * x
            first += _STEPS[0]
            second += _STEPS[1]
        for lane in range(LANES):
            place = PER_BLOCK * lane
            for word in (a[lane], b[lane], c[lane], d[lane]):
                drawn[place] = np.uint32(word & _LOW)
                drawn[place + 1] = np.uint32(word >> _HALF)
                place += 2
        part = out[start : start + drawn.size]
        for i in range(part.size):
            part[i] = np.float32(drawn[i] >> np.uint32(8)) * unit


def fill_uniform(generator: np.random.Generator, out: Array) -> None:
    """Fill out with uniform numbers in [0, 1), as `generator.random` does, and move it as far."""
    bits, whole = generator.bit_generator, (out.size - 1) // PER_BLOCK * PER_BLOCK
    if (
        isinstance(bits, np.random.Philox)
        and out.size >= MANY
        and out.dtype == np.float32
        and out.flags.c_contiguous
    ):
        state: Any = bits.state
        counter, key = state["state"]["counter"], state["state"]["key"]
        between_blocks = state["buffer_pos"] == 4 and not state["has_uint32"]
        if between_blocks and counter[0] < 2**63:
            out = out.reshape(-1)
            _draw_loop(out[:whole], counter, key)
            counter[0] += np.uint64(whole // PER_BLOCK)
            bits.state = state
            out = out[whole:]  # the last block, so that the generator keeps what is left of it
    generator.random(dtype=out.dtype.type, out=out)
