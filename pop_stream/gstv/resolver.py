"""Where a host name leads, asked for once and remembered for a few seconds."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Final

_REMEMBERED_SECONDS: Final = 5.0

Lookup = Callable[[str, int], Awaitable[list[str]]]


async def system_lookup(host: str, port: int) -> list[str]:
    """Ask the system. Raises socket.gaierror when there is no address."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Resolver:
    """The addresses of one host and port. Many connections at once ask the name server once."""

    def __init__(self, host: str, port: int, *, lookup: Lookup = system_lookup) -> None:
        self._ask = lookup
        self._host = host
        self._port = port
        self._addresses: list[str] = []
        self._until = 0.0
        self._lookup: asyncio.Task[list[str]] | None = None

    async def addresses(self) -> list[str]:
        """All addresses, the preferred first. Raises socket.gaierror when there is none."""
        if self._addresses and time.monotonic() < self._until:
            return list(self._addresses)
        if self._lookup is None:
            self._lookup = asyncio.create_task(self._look_up())
        # Shielded: one connection that gives up must not end the lookup of the others.
        return list(await asyncio.shield(self._lookup))

    def failed(self, address: str) -> None:
        """Do not offer an address again before the next lookup, unless it is the last."""
        if len(self._addresses) > 1 and address in self._addresses:
            self._addresses.remove(address)

    async def _look_up(self) -> list[str]:
        try:
            self._addresses = await self._ask(self._host, self._port)
            self._until = time.monotonic() + _REMEMBERED_SECONDS
            return self._addresses
        finally:
            self._lookup = None
