"""Downloads from a server on loopback that misbehaves in the ways that servers do."""

import errno
import gc
import gzip
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nettrain.data.readers.download import download
from nettrain.data.readers.named_set import NamedSet, SetFile
from nettrain.data.source import Source
from nettrain.errors import DataError
from nettrain.sources import wine_quality

# pooch leaves a response open when its connection breaks: it is closed when it is collected, which is done here, not in a later test.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.usefixtures("collected"),
]

CONTENT = b'"acid";"quality"\n7.4;5\n7.8;6\n' * 5000
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@dataclass
class Server:
    """good: whole; cut: breaks off, always; flaky: breaks off once; other: another file; slow: a trickle; gone: 404."""

    address: str
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def collected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            manner = self.path.split("/")[1]
            found.asked.append(manner)
            if manner == "gone":
                return self.send_error(404)
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            if manner == "cut" or (manner == "flaky" and found.asked.count("flaky") == 1):
                self.wfile.write(CONTENT[:1000])
            elif manner == "other":
                self.wfile.write(CONTENT[::-1])
            elif manner == "slow":
                self.trickle()
            elif manner == "held":  # it does not end before the test does
                self.wfile.write(CONTENT[:-1000])
                released.wait()
            else:
                self.wfile.write(CONTENT)

        def trickle(self) -> None:
            for start in range(0, len(CONTENT), 1000):
                try:
                    self.wfile.write(CONTENT[start : start + 1000])
                except OSError:  # the one who asked was killed
                    return
                time.sleep(0.01)

        def log_message(self, *arguments: object) -> None:
            pass

    released = threading.Event()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Server(f"http://127.0.0.1:{running.server_port}")
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield found
    released.set()
    running.shutdown()
    running.server_close()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NETTRAIN_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def wine(address: str, checksum: str = CHECKSUM) -> NamedSet:
    return NamedSet(
        "wine",
        (SetFile("red.csv", f"{address}/red.csv", checksum),),
        "wine.org/data",
        folder="tables",
    )


def left(data: Path) -> list[str]:
    return sorted(entry.name for entry in (data / "tables").iterdir())


@pytest.mark.parametrize("manner", ["good", "flaky"])
def test_an_absent_file_is_downloaded_once(manner: str, server: Server, data: Path) -> None:
    found = wine(f"{server.address}/{manner}")
    assert [file.read_bytes() for file in found.find()] == [CONTENT] and left(data) == ["red.csv"]
    requests = len(server.asked)
    assert found.find() == [data / "tables" / "red.csv"] and len(server.asked) == requests == (
        2 if manner == "flaky" else 1
    )


def test_only_what_is_absent_is_downloaded(server: Server, data: Path) -> None:
    (data / "tables").mkdir(parents=True)
    (data / "tables" / "white.csv.gz").write_bytes(gzip.compress(b"x"))
    (red,) = wine(f"{server.address}/good").files
    both = NamedSet(
        "wine",
        (SetFile("white.csv", f"{server.address}/gone/white.csv", "md5:0"), red),
        "wine.org",
        folder="tables",
    )
    assert [file.name for file in both.find()] == ["white.csv.gz", "red.csv"] and server.asked == [
        "good"
    ]


def test_a_source_downloads_its_set(
    server: Server, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = replace(
        wine_quality.SETS["red"].files[0], address=f"{server.address}/good", checksum=CHECKSUM
    )
    monkeypatch.setitem(wine_quality.SETS, "red", replace(wine_quality.SETS["red"], files=(file,)))
    with pytest.raises(
        DataError, match="expected a number, got 'acid'"
    ):  # the test's file repeats its header: it was read
        Source.parse("wine_quality").load(0)
    assert left(data) == ["winequality-red.csv"]


# How the server behaves, the checksum, the reason that the error gives.
BAD = {
    "broken off": ("cut", CHECKSUM, "the connection broke off (3 attempts)"),
    "another file": (
        "other",
        CHECKSUM,
        f"is not the file that is expected: its sha256 is {hashlib.sha256(CONTENT[::-1]).hexdigest()}",
    ),
    "another file by md5": (
        "good",
        "md5:" + "0" * 32,
        f"its md5 is {hashlib.md5(CONTENT).hexdigest()} (145000 bytes), not 000",
    ),
    "not found": ("gone", CHECKSUM, "the server answers 404 Not Found"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_download_that_fails_says_why_what_to_do_and_leaves_nothing(
    case: str, server: Server, data: Path
) -> None:
    manner, checksum, reason = BAD[case]
    with pytest.raises(DataError) as caught:
        wine(f"{server.address}/{manner}", checksum).find()
    remedy = f"complete in {data / 'tables'}", "put there red.csv (plain or .gz; see wine.org/data)"
    for part in (reason, f"{server.address}/{manner}/red.csv", *remedy):
        assert part in str(caught.value)
    assert left(data) == []


def test_a_file_that_came_wrong_is_asked_for_again_the_next_time(
    server: Server, data: Path
) -> None:
    with pytest.raises(DataError):
        wine(f"{server.address}/other").find()
    assert wine(f"{server.address}/good").find()[0].read_bytes() == CONTENT


def test_without_a_network_the_error_names_the_host(data: Path) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(
            DataError, match=r"no connection to 127.0.0.1 \(3 attempts\)\): put there red.csv"
        ):
            wine(f"http://127.0.0.1:{taken.getsockname()[1]}").find()
    assert left(data) == []


def test_a_folder_that_cannot_be_made_is_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("NETTRAIN_DATA", str(tmp_path / "file"))
    with pytest.raises(
        DataError,
        match=r"red.csv cannot be written into .*file/tables: Not a directory.*NETTRAIN_DATA",
    ):
        wine(f"{server.address}/good").find()
    assert server.asked == []


@pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0, reason="root writes into any folder"
)
def test_a_read_only_folder_is_named_before_anything_is_downloaded(
    server: Server, data: Path
) -> None:
    (data / "tables").mkdir(parents=True)
    (data / "tables").chmod(0o500)
    try:
        with pytest.raises(
            DataError, match=r"red.csv cannot be written into .*tables: Permission denied"
        ):
            wine(f"{server.address}/good").find()
    finally:
        (data / "tables").chmod(0o700)
    assert server.asked == []


def test_a_folder_that_refuses_a_file_is_named_before_anything_is_downloaded(
    server: Server, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(
        DataError,
        match=r"red.csv cannot be written into .*tables: Permission denied\): put there red.csv",
    ):
        wine(f"{server.address}/good").find()
    assert server.asked == []


def start(address: str, target: Path) -> subprocess.Popen[bytes]:
    code = "import sys; from pathlib import Path; from nettrain.data.readers.download import download; download(*sys.argv[1:3], Path(sys.argv[3]))"
    return subprocess.Popen(
        [sys.executable, "-c", code, address, CHECKSUM, str(target)], stderr=subprocess.PIPE
    )


def test_two_processes_at_once_get_one_whole_file(server: Server, data: Path) -> None:
    target = data / "tables" / "red.csv"
    both = [start(f"{server.address}/slow/red.csv", target) for _ in range(2)]
    assert [process.communicate(timeout=240) and process.returncode for process in both] == [0, 0]
    assert target.read_bytes() == CONTENT and left(data) == ["red.csv"] and server.asked == ["slow"]


def test_what_a_killed_process_left_is_no_file_and_the_next_download_clears_it(
    server: Server, data: Path
) -> None:
    target = data / "tables" / "red.csv"
    process = start(f"{server.address}/held/red.csv", target)
    partial = data / "tables" / ".red.csv.part"
    while not (partial.exists() and partial.stat().st_size):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert left(data) == [".red.csv.part"]
    download(f"{server.address}/good/red.csv", CHECKSUM, target)
    assert target.read_bytes() == CONTENT and left(data) == ["red.csv"]


def test_nothing_that_downloads_is_imported_before_it_is_needed() -> None:
    code = "import sys, nettrain.data.readers.named_set, nettrain.sources.mnist; print({'pooch', 'requests'} & set(sys.modules))"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "set()\n"
    )
