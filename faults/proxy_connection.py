"""A client's connection through the proxy: two sockets, and a stream of bytes each way."""

import asyncio
import socket
from typing import Final

from faults.proxy_faults import StreamFault, Tally, Way
from faults.proxy_socket import Side
from faults.proxy_stream import CutDueError, ResetNeededError, Stream


class Connection:
    """A client's connection and the proxy's own to the server."""

    def __init__(self, client: socket.socket, upstream: tuple[str, int], seed: str, tally: Tally):
        self._upstream = upstream
        self._tally = tally
        self._client = Side(client)
        self._server = Side(socket.socket())
        up = Stream("up", (self._client, self._server), f"{seed}/up", tally)
        down = Stream("down", (self._server, self._client), f"{seed}/down", tally)
        up.back, down.back = down, up
        self._streams: Final[dict[Way, Stream]] = {"up": up, "down": down}
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Connect to the server, and hand on until both sides have finished or one breaks off."""
        try:
            await self._streams["up"].passable()
            await self._connect()
            async with asyncio.TaskGroup() as group:
                self._tasks = [group.create_task(each.run()) for each in self._streams.values()]
        except* CutDueError:
            # Once, even if it was due in both directions.
            self._tally.cut += 1
            self.close(reset=True)
        except* ResetNeededError:
            self.close(reset=True)
        finally:
            self.close(reset=False)

    def apply(self, fault: StreamFault) -> None:
        """Begin a fault in the directions that it names."""
        for way, stream in self._streams.items():
            if fault.direction in {way, "both"}:
                stream.apply(fault)

    def heal(self) -> None:
        """End all faults."""
        for stream in self._streams.values():
            stream.heal()

    def held_bytes(self, way: Way) -> int:
        """What Blackhole holds back now in this direction."""
        return self._streams[way].held_bytes

    def close(self, *, reset: bool) -> None:
        """Close both sockets at once. Whoever closes while `run` goes on must cancel that, too."""
        self._client.close(reset=reset)
        self._server.close(reset=reset)
        # Cancelling `run` alone would let them take one more step, on closed sockets.
        for task in self._tasks:
            task.cancel()

    async def _connect(self) -> None:
        try:
            await self._server.connect(self._upstream)
        except OSError as error:
            self._tally.unreachable += 1
            raise ResetNeededError from error
