"""A GSTV client whose connections the test makes, answers and breaks in any order."""

import asyncio
import time

from pop_stream.gstv.client import GstvClient
from pop_stream.gstv.connection import Connection
from pop_stream.gstv.endpoint import parse_endpoint
from pop_stream.gstv.limits import ClientLimits
from pop_stream.gstv.proof import Proof
from pop_stream.pop.outcome import NoAnswer, Outcome, Trouble
from tests.support.gstv_wire import FakeTransport

REFUSED = NoAnswer(Trouble.CONNECT, sent=False, detail="refused")
MAX_IN_FLIGHT = 5
MAX_CONNECTS = 3
#: Far beyond every deadline of the client under test.
LONG = 1000.0


class Bench:
    """A client on a loop that turns only when told to, with connections made by hand."""

    def __init__(self, proof: Proof | None = None) -> None:
        self._proof = proof
        self.loop = asyncio.new_event_loop()
        self.told: list[tuple[int, Outcome]] = []
        self.started = 0
        self.attempts: list[asyncio.Future[Connection[int] | NoAnswer]] = []
        self.transports: dict[Connection[int], FakeTransport] = {}
        self.most_connects = 0
        self.inside_post = False
        self.client = self.loop.run_until_complete(self._make_client())
        self.client._connector = self

    async def _make_client(self) -> GstvClient[int]:
        limits = ClientLimits(
            max_in_flight=MAX_IN_FLIGHT,
            max_concurrent_connects=MAX_CONNECTS,
            total_timeout_seconds=LONG / 2,
            idle_seconds=LONG / 2,
        )
        return GstvClient(
            parse_endpoint("http://gstv.example/"), limits, self._take, proof=self._proof
        )

    def _take(self, token: int, outcome: Outcome) -> None:
        assert not self.inside_post
        self.told.append((token, outcome))

    async def connect(self) -> Connection[int] | NoAnswer:
        """Stand in for the connector: wait for the test to decide."""
        attempt = self.loop.create_future()
        self.attempts.append(attempt)
        try:
            return await attempt
        finally:
            self.attempts.remove(attempt)

    def turn(self) -> None:
        for _ in range(3):
            self.loop.run_until_complete(asyncio.sleep(0))
        self.most_connects = max(self.most_connects, len(self.attempts))

    def post(self) -> None:
        self.inside_post = True
        self.client.post(self.started, b"{}", f"id-{self.started}", 1)
        self.inside_post = False
        self.started += 1
        self.turn()

    def connected(self, index: int = 0) -> Connection[int]:
        connection = self.client._make()
        transport = FakeTransport()
        connection.connection_made(transport)
        connection.made_at = time.monotonic()
        self.transports[connection] = transport
        self.attempts[index].set_result(connection)
        self.turn()
        return connection

    def refuse(self, index: int = 0) -> None:
        self.attempts[index].set_result(REFUSED)
        self.turn()

    def end(self, connection: Connection[int], error: Exception | None = None) -> None:
        connection.connection_lost(error)
        self.transports.pop(connection).release()
        self.turn()

    def reap(self) -> None:
        """Do what a loop does after abort()."""
        for connection, transport in list(self.transports.items()):
            if transport.aborted:
                self.end(connection)

    def sweep(self) -> None:
        self.client._swept_at = time.monotonic()
        self.client._sweep()
        self.turn()
        self.reap()

    def close(self) -> None:
        closing = self.loop.create_task(self.client.aclose())
        for _ in range(5):
            self.turn()
            self.reap()
        assert closing.done()
        self.loop.close()

    def busy(self) -> list[Connection[int]]:
        return [connection for connection in self.transports if connection.busy]

    def idle(self) -> list[Connection[int]]:
        return [one for one in self.transports if not one.busy and not one.dead]
