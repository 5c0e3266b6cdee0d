"""Messages between our own processes: JSON over connections of the standard library."""

import json
from multiprocessing.connection import Connection
from typing import Any

Message = dict[str, Any]


def send(connection: Connection, message: Message) -> None:
    """Send one message. Raises EOFError where nobody is at the other end."""
    try:
        connection.send_bytes(json.dumps(message).encode())
    except OSError:
        raise EOFError from None


def receive(connection: Connection) -> Message:
    """Wait for one message. Raises EOFError where the other end is closed, even within one."""
    try:
        message: Message = json.loads(connection.recv_bytes())
    except OSError:
        raise EOFError from None
    return message
