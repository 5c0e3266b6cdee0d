"""The memory of a plan: arrays that are not needed at the same time share their bytes."""

import bisect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nettrain.autodiff.plan.schedule import Action
from nettrain.autodiff.primitive import Array

ALIGNMENT = 64  # bytes: a line of the cache


class Arena:
    """Bytes for plans that never run at the same time: that of a full batch and that of a short last one take the same."""

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
class _Life:
    """From the action that fills an array to the last that needs what it then holds; places in the order of the actions, both included."""

    size: int
    begin: int
    end: int
    offset: int = -1
    heir_of: "_Life | None" = (
        None  # whose memory it takes over while that is read for the last time
    )

    def place(self) -> int:
        return self.heir_of.place() if self.heir_of else self.offset


def share_memory(
    actions: Sequence[Action], own: Iterable[Array], kept: Iterable[Array], arena: Arena
) -> list[Action]:
    """The same actions on arrays in the arena.

    own   the arrays that may move there: nobody but these actions looks at them
    kept  those of them that somebody does look at after all
    """
    movable = {id(array): array for array in own if array.flags.c_contiguous and array.nbytes}
    for array in kept:
        movable.pop(id(_root(array)), None)
    lives = _lives(actions, movable)
    _inherit(actions, lives)
    size = _pack([life for found in lives.values() for life in found if life.heir_of is None])
    memory = arena.take(size)

    def moved(array: Array, place: int) -> Array:
        root = _root(array)
        found = lives.get(id(root))
        if not found or not array.size:
            return array
        life = _at(found, place)
        offset = life.place() + array.ctypes.data - root.ctypes.data
        return np.ndarray(array.shape, array.dtype, memory, offset, array.strides)

    return [_moved(action, place, moved) for place, action in enumerate(actions)]


def _moved(action: Action, place: int, moved: Callable[[Array, int], Array]) -> Action:
    def anew(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return moved(value, place)
        return [anew(item) for item in value] if isinstance(value, list) else value

    return replace(
        action,
        args=tuple(map(anew, action.args)),
        scratch={name: anew(array) for name, array in action.scratch.items()},
    )


def _root(array: Array) -> Array:
    """The array whose memory this one looks at."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _lives(actions: Sequence[Action], movable: dict[int, Array]) -> dict[int, list[_Life]]:
    """The lives of each array, in order: it lives anew whenever it is filled without having been read in the same call."""
    lives: dict[int, list[_Life]] = {}
    for place, action in enumerate(actions):
        read = {id(_root(array)) for array in action.reads} & movable.keys()
        for key in read:
            if key in lives:
                lives[key][-1].end = place
            else:
                del movable[key]  # somebody else fills it
        for array in (*action.works, *action.writes):
            key = id(_root(array))
            if key in movable and key not in read:
                lives.setdefault(key, []).append(_Life(movable[key].nbytes, place, place))
    return {key: found for key, found in lives.items() if key in movable}


def _at(lives: list[_Life], place: int) -> _Life:
    """The life at this place; where an action is handed an array that holds nothing for it, the last one before, or the first."""
    return lives[max(0, bisect.bisect_right([life.begin for life in lives], place) - 1)]


def _inherit(actions: Sequence[Action], lives: dict[int, list[_Life]]) -> None:
    """Where an action may write over what it reads, and nobody else reads that afterwards, what it writes takes that memory over."""
    for place, action in enumerate(actions):
        for read, written in action.reuses:
            source, heir = (lives.get(id(_root(array))) for array in (read, written))
            if (
                not source
                or not heir
                or source is heir
                or read.nbytes != _root(read).nbytes
                or written.nbytes != _root(written).nbytes
            ):
                continue
            old, new = _at(source, place), _at(heir, place)
            if (
                old.end == place
                and new.begin == place
                and new.heir_of is None
                and old.size == new.size
                and read.strides == written.strides
            ):
                new.heir_of = old
                first = old
                while first.heir_of is not None:
                    first = first.heir_of
                first.end = max(first.end, new.end)
                break


def _pack(lives: list[_Life]) -> int:
    """Give every life its offset, the largest first, each as low as those allow that live at the same time; the bytes needed in all."""
    placed: list[_Life] = []
    total = 0
    for life in sorted(lives, key=lambda life: (-life.size, life.begin)):
        beside = sorted(
            (other for other in placed if other.begin <= life.end and life.begin <= other.end),
            key=lambda other: other.offset,
        )
        offset = 0
        for other in beside:
            if offset + life.size <= other.offset:
                break
            offset = max(offset, _aligned(other.offset + other.size))
        life.offset = offset
        placed.append(life)
        total = max(total, offset + life.size)
    return total


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT
