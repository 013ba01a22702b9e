"""The proxy inside its thread: the listening socket, the connections, the faults for new ones."""

import asyncio
import dataclasses
import socket
from collections.abc import Callable
from typing import Final

from faults.proxy_connection import Connection
from faults.proxy_faults import WAYS, Counts, Fault, Refuse, Reset, StreamFault, Tally
from faults.proxy_socket import set_buffers, set_reset_on_close

_HOST: Final = "127.0.0.1"
_BACKLOG: Final = 1024


class Server:
    """Belongs to the event loop that runs `serve`; after that, `counts` may be asked anywhere."""

    def __init__(self, upstream: tuple[str, int], port: int, seed: int) -> None:
        self._upstream = upstream
        self._seed = seed
        # Never listens: it keeps the port ours while Refuse has the listening one closed.
        self._reservation = _bound(port)
        self.port: Final[int] = self._reservation.getsockname()[1]
        self._listener: socket.socket | None = None
        self._refusing: Refuse | None = None
        self._faults: list[StreamFault] = []
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._accepted = 0
        self._tally = Tally()
        self._stopping = asyncio.Event()
        self._failure: Exception | None = None

    async def serve(self, started: Callable[[asyncio.AbstractEventLoop], None]) -> None:
        """Serve until told to stop. Raises what went wrong by itself: OSError, out of sockets."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as self._group:
                self._listen()
                started(self._loop)
                await self._stopping.wait()
                self.close()
        finally:
            self.close()
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        """Have `serve` end."""
        self._stopping.set()

    def close(self) -> None:
        """Close all sockets."""
        self._stop_listening()
        self._reservation.close()
        self._end_connections(reset=False)

    def apply(self, fault: Fault) -> None:
        """Begin a fault."""
        # Who has connected before the fault is hit by it, even if still in the system's queue.
        self._accept_all()
        match fault:
            case Reset():
                self._tally.reset += self._end_connections(reset=True)
            case Refuse():
                self._refusing = fault
                self._tally.reset += self._end_connections(reset=True)
                if not fault.listening:
                    self._stop_listening()
            case _:
                if fault.connections != "current":
                    self._faults.append(fault)
                if fault.connections != "new":
                    for connection in self._connections:
                        connection.apply(fault)

    def heal(self) -> None:
        """End all faults. Raises OSError if the port cannot be listened on again."""
        self._refusing = None
        self._faults.clear()
        for connection in self._connections:
            connection.heal()
        self._listen()

    def counts(self) -> Counts:
        """The counts as they are now."""
        up, down = (sum(each.held_bytes(way) for each in self._connections) for way in WAYS)
        return Counts(
            **dataclasses.asdict(self._tally),
            current=len(self._connections),
            held_up=up,
            held_down=down,
        )

    def _listen(self) -> None:
        if self._listener is None and not self._stopping.is_set():
            self._listener = _bound(self.port)
            self._listener.setblocking(False)
            set_buffers(self._listener)
            self._listener.listen(_BACKLOG)
            self._loop.add_reader(self._listener.fileno(), self._on_ready)

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener.fileno())
            self._listener.close()
            self._listener = None

    def _on_ready(self) -> None:
        try:
            self._accept_all()
        except OSError as error:
            self._give_up(error)

    def _accept_all(self) -> None:
        while self._listener is not None:
            try:
                client, _ = self._listener.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            if self._refusing:
                self._tally.refused += 1
                set_reset_on_close(client)
                client.close()
            else:
                self._begin(client)

    def _begin(self, client: socket.socket) -> None:
        seed = f"{self._seed}/{self._accepted}"
        self._accepted += 1
        try:
            connection = Connection(client, self._upstream, seed, self._tally)
        except OSError:
            client.close()
            raise
        self._tally.opened += 1
        for fault in self._faults:
            connection.apply(fault)
        self._connections[connection] = self._group.create_task(self._run(connection))

    async def _run(self, connection: Connection) -> None:
        try:
            await connection.run()
        except Exception as error:  # noqa: BLE001 - raised again at the end
            self._give_up(error)
        finally:
            self._connections.pop(connection, None)

    def _give_up(self, error: Exception) -> None:
        """End it all: a fault that nobody asked for would be taken for one of the suite's."""
        self._failure = self._failure or error
        self.stop()

    def _end_connections(self, *, reset: bool) -> int:
        """Close all connections at once; give how many there were."""
        ended = dict(self._connections)
        self._connections.clear()
        for connection, task in ended.items():
            connection.close(reset=reset)
            task.cancel()
        return len(ended)


def _bound(port: int) -> socket.socket:
    """A socket on the port, with others of its kind there if none of them listens."""
    sock = socket.socket()
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((_HOST, port))
    except BaseException:
        sock.close()
        raise
    return sock
