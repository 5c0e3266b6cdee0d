"""Named sets: which files they have, where those are kept, and where absent ones come from.

They are kept in $NETTRAIN_DATA, or in the user's cache folder.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nettrain.data.cache import cache_folder
from nettrain.data.readers.download import download
from nettrain.errors import DataError


@dataclass(frozen=True)
class SetFile:
    """One file of a set; a copy on the disk may be packed, with `.gz` behind its name.

    A copy that is there already is taken as it is.

    Attributes:
        name: Of the file, unpacked.
        address: Where it is downloaded from, packed if that ends in .gz; None: nowhere reliable.
        checksum: Of the bytes at the address: "md5:..." or "sha256:..."
    """

    name: str
    address: str | None = None
    checksum: str = ""

    @property
    def saved_as(self) -> str:
        """The name of a downloaded copy."""
        return f"{self.name}.gz" if str(self.address).endswith(".gz") else self.name


@dataclass(frozen=True)
class NamedSet:
    """What a set consists of.

    Attributes:
        name: Of the set.
        files: In the order that its source wants.
        source: The page where its addresses and checksums stand, or which offers the files.
        folder: In the data folder; "": the set's name.
    """

    name: str
    files: tuple[SetFile, ...]
    source: str
    folder: str = ""

    @property
    def directory(self) -> Path:
        """Where the files are kept."""
        return data_directory() / (self.folder or self.name)

    def find(self) -> list[Path]:
        """The files, in their order; absent ones are downloaded.

        Raises:
            DataError: A file cannot be had; it says which files to put where.
        """
        absent = [file for file in self.files if _copy(self.directory, file) is None]
        for file in absent:
            if file.address is None:
                raise self._incomplete("")
            try:
                download(file.address, file.checksum, self.directory / file.saved_as)
            except DataError as error:
                raise self._incomplete(f" ({error})") from None
        return [found for file in self.files if (found := _copy(self.directory, file)) is not None]

    def _incomplete(self, reason: str) -> DataError:
        directory = self.directory
        missing = ", ".join(file.name for file in self.files if _copy(directory, file) is None)
        return DataError(
            f"the set {self.name!r} is not complete in {directory}{reason}: put there {missing} "
            f"(plain or .gz; see {self.source}), or set NETTRAIN_DATA to the folder that holds the "
            f"folder {directory.name}"
        )


def packed_files(address: str, checksums: Mapping[str, str]) -> tuple[SetFile, ...]:
    """Files that one address offers packed: name.gz below it, of this checksum."""
    return tuple(
        SetFile(name, f"{address}/{name}.gz", checksum) for name, checksum in checksums.items()
    )


def plain_files(address: str, checksums: Mapping[str, str]) -> tuple[SetFile, ...]:
    """Files that one address offers as they are: name below it, of this checksum."""
    return tuple(
        SetFile(name, f"{address}/{name}", checksum) for name, checksum in checksums.items()
    )


def data_directory() -> Path:
    """$NETTRAIN_DATA if it is set, otherwise nettrain's place in the user's cache folder."""
    given = os.environ.get("NETTRAIN_DATA")
    return Path(given).expanduser() if given else cache_folder()


def _copy(directory: Path, file: SetFile) -> Path | None:
    return next(
        (path for path in (directory / file.name, directory / f"{file.name}.gz") if path.is_file()),
        None,
    )
