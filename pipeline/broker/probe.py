"""Questions to a port: is it free, does Kafka answer there, and is it the one we wait for?"""

from __future__ import annotations

import errno
import socket
import struct

from pipeline.errors import PortTakenError, SettingError

HOST = "127.0.0.1"
# Metadata of no topic, version 2: the first version that names the cluster.
_REQUEST = struct.pack("!hhihi", 3, 2, 1, -1, 0)
_LARGEST_ANSWER = 65_536


def is_ready(port: int, cluster_id: str) -> bool:
    """Whether the Kafka of that cluster answers on `port` and has a broker that is up.

    A KRaft broker is left out of the answer until its controller has let it in, so a broker in it means that topics
    can be made; an open port or an ApiVersions answer does not mean that.
    """
    answer = _metadata(port)
    return bool(cluster_id) and _brokers(answer) > 0 and cluster_id.encode() in answer


def is_kafka(port: int) -> bool:
    """Whether any Kafka answers on `port`."""
    return _brokers(_metadata(port)) >= 0


def _metadata(port: int) -> bytes:
    """The answer without its length and correlation id; empty where nobody answers like Kafka."""
    try:
        with socket.create_connection((HOST, port), 1.0) as connection:
            connection.sendall(struct.pack("!i", len(_REQUEST)) + _REQUEST)
            size, correlation = struct.unpack("!ii", _read(connection, 8))
            if correlation != 1 or not 8 <= size <= _LARGEST_ANSWER:
                return b""
            return _read(connection, size - 4)
    except OSError:
        return b""


def _read(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = connection.recv(size - len(found))
        if not part:
            raise ConnectionResetError("closed in the middle of an answer")
        found += part
    return found


def _brokers(answer: bytes) -> int:
    """How many brokers `answer` lists; -1 where it is none."""
    return int.from_bytes(answer[:4], "big", signed=True) if answer else -1


def choose_ports(wanted: int) -> tuple[int, int]:
    """A port for clients (`wanted`, or a free one where that is 0) and a free one for the controller.

    Nothing reserves them: whoever starts a server must still expect to find one taken.
    Raises PortTakenError where `wanted` is in use, SettingError where it cannot be listened on at all.
    """
    with socket.socket() as clients, socket.socket() as controller:
        controller.bind((HOST, 0))
        # As Kafka does, so that connections of an earlier run that linger do not count as taken.
        clients.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            clients.bind((HOST, wanted))
        except (OSError, OverflowError) as error:
            raise _unusable(wanted, error) from error
        return clients.getsockname()[1], controller.getsockname()[1]


def _unusable(port: int, error: OSError | OverflowError) -> PortTakenError | SettingError:
    if not isinstance(error, OSError) or error.errno != errno.EADDRINUSE:
        return SettingError(f"broker_port: cannot listen on {port} ({error}); choose one from 1024 to 65535, or 0")
    if is_kafka(port):
        who, use_it = "another Kafka", f"use that with --broker {HOST}:{port}, or "
    else:
        who, use_it = "another program", ""
    return PortTakenError(
        f"port {port} is taken by {who}; {use_it}give the embedded one another with --broker-port (0: any free one)"
    )
