"""The memory of a plan: arrays that are not needed at the same time share their bytes."""

import bisect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nettrain.autodiff.plan.schedule import Action
from nettrain.autodiff.primitive import Array

ALIGNMENT = 64  # bytes: a cache line


class Arena:
    """Bytes for plans that never run at the same time, as those of a full and of a short batch."""

    def __init__(self) -> None:
        self._bytes = np.empty(0, np.uint8)

    def take(self, size: int) -> Array:
        """At least so many bytes, aligned."""
        if len(self._bytes) < size + ALIGNMENT:
            self._bytes = np.empty(size + ALIGNMENT, np.uint8)
        return self._bytes[-self._bytes.ctypes.data % ALIGNMENT :]

    def __len__(self) -> int:
        return len(self._bytes)


@dataclass
class LiveRange:
    """From the action that fills an array to the last one that needs what it then holds.

    Attributes:
        size: Of the array, in bytes.
        begin: Index of the first action.
        end: Index of the last action.
        offset: Of the array in the arena, unless it reuses the memory of another.
        reused: The live range that ends where this one begins, and whose memory it takes over: the
            action works in place.
    """

    size: int
    begin: int
    end: int
    offset: int = -1
    reused: "LiveRange | None" = None

    def origin(self) -> "LiveRange":
        """The live range whose memory this one has: the first of those that took it over."""
        return self.reused.origin() if self.reused else self


def share_memory(
    actions: Sequence[Action], own: Iterable[Array], kept: Iterable[Array], arena: Arena
) -> list[Action]:
    """The same actions on arrays in the arena.

    Args:
        actions: In the order in which they run.
        own: The arrays that may move there, which nothing but these actions uses.
        kept: Those of them that are read by others after all.
        arena: Where.
    """
    movable = {id(array): array for array in own}
    for array in kept:
        movable.pop(id(_root(array)), None)
    ranges = _live_ranges(actions, movable)
    _reuse_in_place(actions, ranges)
    size = _pack([r for of_array in ranges.values() for r in of_array if r.reused is None])
    memory = arena.take(size)

    def moved(array: Array, index: int) -> Array:
        root = _root(array)
        of_array = ranges.get(id(root))
        if not of_array or not array.size:
            return array
        start = _range_at(of_array, index).origin().offset
        offset = start + array.ctypes.data - root.ctypes.data
        return np.ndarray(array.shape, array.dtype, memory, offset, array.strides)

    return [_moved(action, index, moved) for index, action in enumerate(actions)]


def _moved(action: Action, index: int, moved: Callable[[Array, int], Array]) -> Action:
    """The action on moved arrays."""
    return replace(
        action,
        args=tuple(_move(value, index, moved) for value in action.args),
        scratch={name: _move(array, index, moved) for name, array in action.scratch.items()},
    )


def _move(value: Any, index: int, moved: Callable[[Array, int], Array]) -> Any:
    if isinstance(value, np.ndarray):
        return moved(value, index)
    return [_move(item, index, moved) for item in value] if isinstance(value, list) else value


def _root(array: Array) -> Array:
    """The array whose memory this one is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _live_ranges(
    actions: Sequence[Action], movable: dict[int, Array]
) -> dict[int, list[LiveRange]]:
    """The live ranges of each array, in order.

    A new one begins whenever an action fills the array without reading it.
    """
    ranges: dict[int, list[LiveRange]] = {}
    for index, action in enumerate(actions):
        read = {id(_root(array)) for array in action.reads} & movable.keys()
        for key in read:
            if key in ranges:
                ranges[key][-1].end = index
            else:
                del movable[key]  # it is filled elsewhere
        for array in (*action.works, *action.writes):
            key = id(_root(array))
            if key in movable and key not in read:
                ranges.setdefault(key, []).append(LiveRange(movable[key].nbytes, index, index))
    return {key: of_array for key, of_array in ranges.items() if key in movable}


def _range_at(ranges: list[LiveRange], index: int) -> LiveRange:
    """The last live range that has begun at this action, or the first of all."""
    return ranges[max(0, bisect.bisect_right([r.begin for r in ranges], index) - 1)]


def _reuse_in_place(actions: Sequence[Action], ranges: dict[int, list[LiveRange]]) -> None:
    """Let an action that may work in place write over what it is the last to read."""
    for index, action in enumerate(actions):
        for read, written in action.reuses:
            of_read, of_written = (ranges.get(id(_root(array))) for array in (read, written))
            if not of_read or not of_written:
                continue
            old, new = _range_at(of_read, index), _range_at(of_written, index)
            if (
                old.end == index
                and new.begin == index
                and new.reused is None
                and old.size == new.size
                and read.strides == written.strides
            ):
                new.reused = old
                first = old.origin()
                first.end = max(first.end, new.end)
                break


def _pack(ranges: list[LiveRange]) -> int:
    """Give every live range its offset; the number of bytes needed in all.

    The largest come first, each as low as those that overlap in time allow.
    """
    placed: list[LiveRange] = []
    total = 0
    for new in sorted(ranges, key=lambda r: (-r.size, r.begin)):
        overlapping = sorted(
            (other for other in placed if other.begin <= new.end and new.begin <= other.end),
            key=lambda other: other.offset,
        )
        offset = 0
        for other in overlapping:
            if offset + new.size <= other.offset:
                break
            offset = max(offset, _aligned(other.offset + other.size))
        new.offset = offset
        placed.append(new)
        total = max(total, offset + new.size)
    return total


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT
