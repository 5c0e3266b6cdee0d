"""Files within files: members of a zip (npz, xlsx), header and metadata of a checkpoint.

A change to a byte of the whole fails at its checksum or length; a change to a part reaches what reads the part.
"""

import io
import json
import struct
import zipfile

_HEADER, _METADATA = "header", "metadata"


def parts(content: bytes) -> dict[str, bytes]:
    """The parts by name; none of what is no container, or a damaged one."""
    try:
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return {one.filename: archive.read(one) for one in archive.infolist()}
        header = json.loads(_header(content))
        return {_HEADER: _header(content), _METADATA: header["__metadata__"]["nettrain"].encode()}
    except Exception:  # zipfile has errors of many kinds for damaged files
        return {}


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """The container, sound but for one part."""
    found = parts(content) | {name: part}
    if content[:2] == b"PK":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for member, data in found.items():
                archive.writestr(zipfile.ZipInfo(member), data)
        return file.getvalue()
    header = part
    if name == _METADATA:
        changed = json.loads(found[_HEADER])
        changed["__metadata__"]["nettrain"] = part.decode(errors="replace")
        header = json.dumps(changed).encode()
    return struct.pack("<Q", len(header)) + header + content[8 + len(_header(content)) :]


def _header(content: bytes) -> bytes:
    """The JSON that a file of safetensors begins with."""
    [length] = struct.unpack("<Q", content[:8])
    return content[8 : 8 + length]
