"""Messages between our own processes: JSON behind its length, over a socket; a torn one is never taken for a whole one."""

import json
import socket
from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]

LENGTH = 4  # bytes, big end first
PORTION = 1 << 16


def packed(message: Message) -> bytes:
    """The bytes of one message."""
    body = json.dumps(message).encode()
    return len(body).to_bytes(LENGTH, "big") + body


class Channel:
    """One end of a socket: whole messages go out, whole messages come in."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self._received = bytearray()

    def fileno(self) -> int:
        """For `select`."""
        return self.socket.fileno()

    def send(self, message: Message) -> None:
        """Wait until the message is on its way. Raises OSError where nobody is at the other end."""
        self.socket.sendall(packed(message))

    def receive(self) -> list[Message] | None:
        """Wait for bytes, give the messages that are complete with them; None where the other end is closed."""
        try:
            portion = self.socket.recv(PORTION)
        except ConnectionError:
            portion = b""
        if not portion:
            return None
        self._received += portion
        return list(self._complete())

    def close(self) -> None:
        """Both directions."""
        self.socket.close()

    def _complete(self) -> Iterator[Message]:
        while len(self._received) >= LENGTH:
            end = LENGTH + int.from_bytes(self._received[:LENGTH], "big")
            if len(self._received) < end:
                return
            message = json.loads(bytes(self._received[LENGTH:end]))
            del self._received[:end]
            yield message
