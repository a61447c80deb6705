"""Questions to a port: is it free, does Kafka answer there, and is that Kafka ready for work?"""

from __future__ import annotations

import errno
import socket
import struct

from pipeline.errors import PortTakenError, SettingError

HOST = "127.0.0.1"
_METADATA, _METADATA_VERSION = 3, 1


def ready_brokers(port: int, timeout_seconds: float = 1.0) -> int | None:
    """How many brokers the Kafka on `port` counts as up; None where no Kafka answers.

    Asks for metadata of no topic. A KRaft broker leaves itself out of the answer until its controller has let it in,
    so 1 means that topics can be made, which an open port or an ApiVersions answer does not.
    """
    body = struct.pack("!hhihi", _METADATA, _METADATA_VERSION, 1, -1, 0)
    try:
        with socket.create_connection((HOST, port), timeout_seconds) as connection:
            connection.sendall(struct.pack("!i", len(body)) + body)
            return _brokers(connection)
    except (OSError, struct.error):
        return None


def _brokers(connection: socket.socket) -> int | None:
    """Size, correlation id and the length of the broker list, which come first in the answer."""
    answer = b""
    while len(answer) < 12:
        part = connection.recv(12 - len(answer))
        if not part:
            return None
        answer += part
    size, correlation, brokers = struct.unpack("!iii", answer)
    return int(brokers) if correlation == 1 and 0 <= brokers < size else None


def choose_ports(wanted: int) -> tuple[int, int]:
    """A port for clients (`wanted`, or a free one where that is 0) and a free one for the controller.

    Nothing reserves them: whoever starts a server must still expect to find one taken.
    Raises PortTakenError where `wanted` is in use, SettingError where it cannot be listened on at all.
    """
    with socket.socket() as clients, socket.socket() as controller:
        controller.bind((HOST, 0))
        clients.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            clients.bind((HOST, wanted))
        except (OSError, OverflowError) as error:
            raise _unusable(wanted, error) from error
        return clients.getsockname()[1], controller.getsockname()[1]


def _unusable(port: int, error: OSError | OverflowError) -> PortTakenError | SettingError:
    if not isinstance(error, OSError) or error.errno != errno.EADDRINUSE:
        return SettingError(f"broker_port: cannot listen on {port} ({error}); choose one from 1024 to 65535, or 0")
    if ready_brokers(port) is not None:
        who, use_it = "another Kafka", f"use it with --broker {HOST}:{port}, or "
    else:
        who, use_it = "another program", ""
    return PortTakenError(
        f"port {port} is taken by {who}; {use_it}give the embedded one another with --broker-port (0: any free one)"
    )
