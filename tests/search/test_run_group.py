"""The work in one search's directory: what an earlier, killed process has left half written is gone."""

import pytest

from nettrain.search.directory import SearchKind
from nettrain.search.executors.registry import executor_for
from nettrain.search.layouts import LAYOUTS
from nettrain.search.run_group import RunGroup

SEARCHES = {kind: layout for kind, layout in LAYOUTS.items() if kind != "run"}


@pytest.mark.parametrize("kind", SEARCHES)
def test_half_written_files_are_removed_from_each_folder_that_a_search_writes_to(kind, tmp_path):
    inner = SEARCHES[kind].folders
    folders = [name for name in inner if inner[name].files and inner[name] is not LAYOUTS["run"]]
    for folder in [tmp_path, *(tmp_path / name for name in folders)]:
        folder.mkdir(exist_ok=True)
        (folder / ".some.npz.4711.tmp").touch()
        (folder / "some.npz").touch()
    search = SearchKind(kind, f"nettrain {kind}", SEARCHES[kind].marks[0])
    with RunGroup.at_work(tmp_path, search, executor_for("serial")):
        left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"some.npz"}
