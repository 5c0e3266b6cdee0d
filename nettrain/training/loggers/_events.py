"""TensorBoard's event files: one is written per session, and cut where a run is resumed."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nettrain.files import read_bytes
from nettrain.training.artifacts.files import disk_errors, open_new, write_atomically
from nettrain.training.loggers._png import png

PREFIX = "events.out.tfevents."
PATTERN = f"{PREFIX}*"  # of the names in a folder
BINS = 30  # of a histogram
_HEADER = struct.Struct("<QI")  # length, checksum; the data and its checksum follow


class EventFile:
    """A new event file in a folder.

    Args:
        folder: Is made if need be.
        name: What follows the prefix; None: the number of the session.
        step: Where the session begins: what a server still shows of later steps is outdated.
    """

    def __init__(self, folder: Path, name: str | None = None, *, step: int = 0) -> None:
        from tensorboard.compat.proto import event_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event = event_pb2.Event
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            number = len(list(folder.glob(PATTERN)))
            path = folder / f"{PREFIX}{name or f'{number:04}'}"
            self._writer = RecordWriter(open_new(path))
        self._write(self._event(file_version="brain.Event:2"))
        if step:
            start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            self._write(self._event(step=step + 1, session_log=start))

    def summary(self, summary: Any, step: int, time: float) -> None:
        """Write a `Summary`."""
        self._write(self._event(step=step, wall_time=time, summary=summary))

    def graph(self, graph: Any, time: float) -> None:
        """Write a `GraphDef`."""
        self._write(self._event(wall_time=time, graph_def=graph.SerializeToString()))

    def flush(self) -> None:
        """Hand everything to the system, so that a server sees it."""
        self._writer.flush()

    def close(self) -> None:
        """Flush and close."""
        self._writer.close()

    def _write(self, event: Any) -> None:
        self._writer.write(event.SerializeToString())


def cut(folder: Path, step: int) -> None:
    """Remove the events after a step, and a torn last one, from the event files of a folder."""
    from tensorboard.compat.proto import event_pb2

    for path in sorted(folder.glob(PATTERN)):
        content, kept, place = read_bytes(path), bytearray(), 0
        while (stop := _record_end(content, place)) is not None:
            data = content[place + _HEADER.size : stop - 4]
            if event_pb2.Event.FromString(data).step <= step:
                kept += content[place:stop]
            place = stop
        if len(kept) < len(content):
            write_atomically(path, bytes(kept))


def _record_end(content: bytes, place: int) -> int | None:
    """Where the record at a place ends; None where none is complete."""
    if place + _HEADER.size > len(content):
        return None
    length, _ = _HEADER.unpack_from(content, place)
    stop: int = place + _HEADER.size + length + 4
    return stop if stop <= len(content) else None


def scalars(values: Mapping[str, float]) -> Any:
    """A `Summary` of numbers by tag."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    return Summary(
        value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
    )


def histograms(arrays: Mapping[str, np.ndarray]) -> Any:
    """A `Summary` of the distributions of arrays by tag; what is not finite is left out."""
    from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary

    found = []
    for tag, array in arrays.items():
        values = array[np.isfinite(array)].astype(np.float64)
        if not values.size:
            continue
        counts, edges = np.histogram(values, BINS)
        histogram = HistogramProto(
            min=values.min(),
            max=values.max(),
            num=values.size,
            sum=values.sum(),
            sum_squares=np.square(values).sum(),
            bucket_limit=edges[1:],
            bucket=counts,
        )
        found.append(Summary.Value(tag=tag, histo=histogram))
    return Summary(value=found)


def image(tag: str, pixels: np.ndarray) -> Any:
    """A `Summary` of one picture, uint8 (h, w, 1 or 3)."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    height, width, channels = pixels.shape
    encoded = Summary.Image(
        height=height, width=width, colorspace=channels, encoded_image_string=png(pixels)
    )
    return Summary(value=[Summary.Value(tag=tag, image=encoded)])
