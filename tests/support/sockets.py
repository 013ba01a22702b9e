"""The sockets of a process and of its children, as the kernel lists them."""

import re
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_inode = re.compile(r"socket:\[(\d+)\]").fullmatch
_LISTENS_TCP = "0A"
#: What the kernel calls __SO_ACCEPTCON.
_LISTENS_UNIX = 0x10000
_CONNECTED_TCP = "01"


class Sockets(NamedTuple):
    """What one look shows."""

    #: TCP addresses that take connections, each with its port.
    listening: set[tuple[str, int]]
    #: TCP connections that are open.
    connected: int
    #: UDP addresses, and what else takes packets.
    datagrams: list[str]
    #: Unix sockets that take connections.
    unix: list[str]


def sockets_of(pid: int) -> Sockets:
    """Look at a process and all below it, now."""
    processes = [pid, *_below(pid)]
    ours = {inode for each in processes for inode in _inodes(each)}
    tcp = [row for name in ("tcp", "tcp6") for row in _rows(pid, name) if row[9] in ours]
    names = ("udp", "udp6", "udplite", "udplite6", "raw", "raw6")
    return Sockets(
        listening={_address(row[1]) for row in tcp if row[3] == _LISTENS_TCP},
        connected=sum(row[3] == _CONNECTED_TCP for row in tcp),
        datagrams=[f"{n} {row[1]}" for n in names for row in _rows(pid, n) if row[9] in ours],
        unix=[
            " ".join(row)
            for row in _rows(pid, "unix")
            if row[6] in ours and int(row[3], 16) & _LISTENS_UNIX
        ],
    )


def _below(pid: int) -> Iterator[int]:
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, tasks.read_text().split()):
            yield child
            yield from _below(child)


def _inodes(pid: int) -> Iterator[str]:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            if found := _inode(str(entry.readlink())):
                yield found[1]


def _rows(pid: int, name: str) -> list[list[str]]:
    table = Path(f"/proc/{pid}/net/{name}")
    return [line.split() for line in table.read_text().splitlines()[1:]] if table.exists() else []


def _address(text: str) -> tuple[str, int]:
    # In words of four bytes, each as this machine has them in memory.
    address, port = text.split(":")
    words = (int(address[at : at + 8], 16) for at in range(0, len(address), 8))
    packed = b"".join(struct.pack("=I", word) for word in words)
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, packed), int(port, 16)
