"""Asks a broker which brokers it knows, without a client: one Metadata request on a socket."""

import socket
import struct

#: Metadata, version 1, no client id, an empty list of topics (null would mean all).
_REQUEST = struct.pack(">hhih", 3, 1, 0, -1) + struct.pack(">i", 0)
_MAX_RESPONSE_BYTES = 1 << 20


def brokers_known_by(host: str, port: int, *, timeout_seconds: float) -> frozenset[int]:
    """Give the ids of the brokers that are up, as one broker sees them.

    Empty while that broker does not answer, or does not answer like a Kafka.
    """
    try:
        with socket.create_connection((host, port), timeout_seconds) as connection:
            connection.sendall(struct.pack(">i", len(_REQUEST)) + _REQUEST)
            (size,) = struct.unpack(">i", _read(connection, 4))
            if not 8 <= size <= _MAX_RESPONSE_BYTES:
                return frozenset()
            return _broker_ids(_read(connection, size))
    except (OSError, EOFError, struct.error):
        return frozenset()


def _broker_ids(response: bytes) -> frozenset[int]:
    (count,) = struct.unpack_from(">i", response, 4)
    position = 8
    ids = set()
    for _ in range(count):
        node_id, host_length = struct.unpack_from(">ih", response, position)
        position += 6 + host_length + 4
        (rack_length,) = struct.unpack_from(">h", response, position)
        position += 2 + max(rack_length, 0)
        ids.add(node_id)
    return frozenset(ids)


def _read(connection: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        piece = connection.recv(size - len(received))
        if not piece:
            raise EOFError
        received += piece
    return bytes(received)
