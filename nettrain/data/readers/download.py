"""One file from the network: whole and of the right checksum, or not there at all."""

import logging
import os
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from nettrain.errors import DataError
from nettrain.locks import directory_lock

_LOG = logging.getLogger(__name__)
_ATTEMPTS = 3
_SILENCE = 30  # seconds without a byte until a connection counts as broken


def download(address: str, checksum: str, target: Path) -> None:
    """Download one file.

    It appears under its name only when its checksum is right. A broken connection is tried again
    from the start. Of several processes one downloads, and the others wait and find the file.

    Args:
        address: Where it is fetched from.
        checksum: "md5:..." or "sha256:..."
        target: The file to write.

    Raises:
        DataError: There is no connection, the server refuses, the connection breaks, the bytes are
            other than expected, or the folder cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with directory_lock(target.parent, wait=True):
            if not target.exists():
                _fetch(address, checksum, target)
    except OSError as error:
        raise DataError(
            f"{target.name} cannot be written into {target.parent}: {error.strerror or error}"
        ) from None


def _fetch(address: str, checksum: str, target: Path) -> None:
    partial = target.with_name(
        f".{target.name}.part"
    )  # one that a killed process left is written over
    partial.write_bytes(b"")  # a folder that cannot be written shows before anything is downloaded
    _LOG.warning("downloading %s into %s", address, target.parent)
    try:
        _transfer(address, partial)
        _check(partial, checksum, address)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _transfer(address: str, partial: Path) -> None:
    pooch, requests = (
        import_module("pooch"),
        import_module("requests"),
    )  # heavy, and needed only here
    # identity: of what a server packs, pooch would write other bytes than those of the checksum
    fetch = pooch.HTTPDownloader(timeout=_SILENCE, headers={"Accept-Encoding": "identity"})
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return fetch(address, str(partial), None)
        except requests.exceptions.HTTPError as error:
            answer = f"{error.response.status_code} {error.response.reason}"
            raise DataError(
                f"{address} cannot be downloaded: the server answers {answer}"
            ) from None
        except requests.exceptions.RequestException as error:
            if attempt == _ATTEMPTS:
                connected = partial.stat().st_size or not isinstance(
                    error, requests.exceptions.ConnectionError
                )
                reason = (
                    "the connection broke off"
                    if connected
                    else f"no connection to {urlsplit(address).hostname}"
                )
                raise DataError(
                    f"{address} cannot be downloaded: {reason} ({_ATTEMPTS} attempts)"
                ) from None


def _check(partial: Path, checksum: str, address: str) -> None:
    kind, _, expected = checksum.partition(":")
    actual = import_module("pooch").file_hash(str(partial), alg=kind)
    if actual != expected:
        size = partial.stat().st_size
        raise DataError(
            f"{address} is not the file that is expected: its {kind} is {actual} ({size} bytes), "
            f"not {expected}"
        )
