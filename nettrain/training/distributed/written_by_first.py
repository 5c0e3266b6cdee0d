"""A run directory that process 0 writes, and that the others read."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from nettrain.training.artifacts.run_directory import FollowedDirectory, RunDirectory
from nettrain.training.distributed.group import ProcessGroup


@contextmanager
def written_by_first(
    group: ProcessGroup, make: Callable[[], RunDirectory]
) -> Iterator[RunDirectory]:
    """Inside, no other run trains into the directory.

    Args:
        group: The processes.
        make: Creates or opens the directory; called in process 0.

    Raises:
        RunError, or FailedTogether in several processes: There can be none.
    """
    with ExitStack() as stack:

        def first() -> str:
            directory = make()
            stack.enter_context(directory.locked())
            return str(directory.path)

        path = Path(group.from_first(first))
        yield RunDirectory(path) if group.rank == 0 else FollowedDirectory(path)
