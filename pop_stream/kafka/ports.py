"""Ports for the embedded Kafka."""

import random
import socket
from pathlib import Path

from pop_stream.errors import EmbeddedKafkaError
from pop_stream.kafka.broker_config import HOST

EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST = 12_000
#: Where every system's ephemeral range that we know of has not begun yet.
HIGHEST = 32_000


def free_ports(count: int) -> list[int]:
    """Give ports that nobody listens on.

    They lie below the ports that the system gives to outgoing connections. Otherwise, while a
    broker is down, a client that tries to reach it could be given that very port, connect to
    itself, and keep the broker from coming back.
    """
    ports = range(LOWEST, min(HIGHEST, _first_ephemeral_port()))
    if len(ports) < 1000:
        ports = range(LOWEST, HIGHEST)
    found: list[int] = []
    for port in random.sample(ports, len(ports)):
        if is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise EmbeddedKafkaError(f"no {count} free ports between {ports.start} and {ports.stop}")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the broker does: connections that linger in TIME_WAIT do not matter.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _first_ephemeral_port() -> int:
    try:
        return int(EPHEMERAL_RANGE.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return HIGHEST
