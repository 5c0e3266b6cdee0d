"""A sweep is told to the loggers of its trials: its beginning, and how it ended."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nettrain.config.logger import Logger, Status
from nettrain.training.callbacks.loggers import failure, status_of
from nettrain.training.logged_run import logged_group


@contextmanager
def logged_sweep(
    loggers: Sequence[Logger], directory: Path, note: Callable[[str], None]
) -> Iterator[None]:
    """Around the trials of a sweep.

    Args:
        loggers: Of the base configuration.
        directory: Of the sweep, which has its sweep.yaml.
        note: Takes the warning about a logger that failed.
    """
    group = logged_group(directory)
    if group is None or not loggers:
        yield
        return

    def tell(act: Callable[[Logger], None]) -> None:
        for logger in loggers:
            try:
                act(logger)
            except Exception as error:
                note(f"warning: {failure(logger, error)}")

    tell(lambda logger: logger.begin_group(group))
    status: Status = "finished"
    try:
        yield
    except BaseException as error:
        status = status_of(error)
        raise
    finally:
        tell(lambda logger: logger.end_group(group, status))
