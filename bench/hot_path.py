"""The way of an event through a worker's own code, without Kafka and without a network.

Batches as Kafka stores them are read, entered in the ledger, and delivered by the real forwarder
over the real client, whose connections answer at the next turn of the loop. The clock goes on by a
microsecond a look, and chance is drawn from a seed, so that each run does exactly the same.

    python -m bench.hot_path 10000                # as many events; says nothing
    python -m bench.hot_path 10000 --reference    # a piece of Python that never changes, as often
"""

import asyncio
import gc
import os
import random
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import uvloop
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from pop_stream.gstv import client as gstv_client
from pop_stream.gstv.client import GstvClient
from pop_stream.gstv.connection import Connection
from pop_stream.gstv.endpoint import parse_endpoint
from pop_stream.gstv.limits import ClientLimits
from pop_stream.kafka.stored_records import read_batch
from pop_stream.player.play_headers import play_headers, time_headers
from pop_stream.pop.event import Rules
from pop_stream.pop.identity import uuid7
from pop_stream.pop.outcome import NoAnswer
from pop_stream.pop.verdict import Policy
from pop_stream.stream import claim, deliveries, forwarder, gate, pacer
from pop_stream.stream.abort import Abort
from pop_stream.stream.claim import Claim, Stage
from pop_stream.stream.forwarder import Conduct, Forwarder
from pop_stream.stream.handoff import Handoff
from pop_stream.stream.ledger import Ledger, Limits, Place
from pop_stream.stream.record import KafkaRecord
from pop_stream.watch.tally import Tally

PER_BATCH = 500
_BEGAN_MS = 1_795_168_800_000
_PLACE = Place("pop-events", 0)
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Fri, 20 Nov 2026 10:00:00 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n{}"
)


class _Wire:
    """Stands in for transport and socket: what is written is answered when told."""

    def __init__(self, written: list["_Wire"]) -> None:
        self._written = written
        self.connection: Connection[Claim]
        #: Something that can be asked for signs of death, and never shows one.
        self.readable, self.writable = os.pipe()

    def write(self, _: bytes) -> None:
        self._written.append(self)

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        """There is nothing to end."""

    def get_extra_info(self, _: str) -> "_Wire":
        return self

    def fileno(self) -> int:
        return self.readable


class _Connector:
    """Stands in for the connector: connections are there at once."""

    def __init__(self, client: GstvClient[Claim]) -> None:
        self._client = client
        self.written: list[_Wire] = []

    async def connect(self) -> Connection[Claim] | NoAnswer:
        connection, wire = self._client._make(), _Wire(self.written)
        wire.connection = connection
        connection.connection_made(cast(asyncio.BaseTransport, wire))
        return connection


async def deliver(events: int) -> int:
    """Deliver so many events, in batches of `PER_BATCH`. Returns how many were finished."""
    made: list[GstvClient[Claim]] = []

    def make_client(on_outcome: Callable[[Claim, Any], None]) -> GstvClient[Claim]:
        limits = ClientLimits(max_connection_age_seconds=1e9)
        made.append(GstvClient(parse_endpoint("http://127.0.0.1:9/pops"), limits, on_outcome))
        return made[0]

    ledger: Ledger[KafkaRecord] = Ledger({_PLACE.topic: Limits()})
    ledger.open({_PLACE}, {})
    tally, abort = Tally(), Abort()
    conduct = Conduct(rules=Rules(), policy=Policy(), retry_topic="retry", failure_topic="failure")
    forwarder = Forwarder(
        conduct,
        make_client=make_client,
        handoff=Handoff(_refuse, _refuse, abort),
        tally=tally,
        abort=abort,
    )
    connector = made[0]._connector = _Connector(made[0])  # type: ignore[assignment]  # noqa: SLF001
    forwarder.resume()
    batch = _batch()
    for first in range(0, events, PER_BATCH):
        batch[:8] = first.to_bytes(8, "big")
        run = ledger.take(*_PLACE, list(read_batch(bytes(batch))))
        if run is None:
            raise ValueError("the ledger takes nothing")
        forwarder.take(run, Stage.FORWARD)
        while ledger.unfinished:
            await asyncio.sleep(0)
            written = connector.written.copy()
            connector.written.clear()
            for wire in written:
                wire.connection.data_received(_ANSWER)
    if tally.events_flagged:
        raise ValueError("these are no ordinary events")
    return ledger.finished


async def _refuse(*_: object, **__: object) -> None:
    raise AssertionError("nothing is to fail here")


def _batch() -> bytearray:
    """Ordinary events with the headers of a player, as Kafka stores them."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1_000_000)
    for number in range(PER_BATCH):
        at = _BEGAN_MS + number * 15_000
        times = time_headers(started=at, ended=at + 15_000, lasted=15_000, offset=-360,
                             zone="America/Chicago", clock="synced")  # fmt: skip
        event = (
            f'{{"filename": "GSTV.spot.{number}.webm", "assetId": "{5942 + number}", '
            f'"ioNumber": "IO-{number}", "startTimestamp": "{_wall(number * 15)}", '
            f'"endTimestamp": "{_wall(number * 15 + 15)}", "screenState": "Full", '
            f'"siteId": "site-{number % 50}", "screenId": "{number % 12}"}}'
        )
        key = f"site-{number % 50}/{number % 12}".encode()
        pop_id = uuid7(at, random.getrandbits(74)).encode()
        headers = play_headers(pop_id, number, b"4f0e", times)
        builder.append(number, at, key, event.encode(), [*headers])
    return bytearray(builder.build())


def _wall(seconds: int) -> str:
    return f"2026-11-19 {10 + seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def refer(times: int) -> int:
    """Do so often what never changes: calls, bytes, a pattern, a dictionary, an object."""
    pattern = re.compile(rb'"name": "([a-z]+)", "number": "([0-9]+)"').fullmatch
    seen: dict[bytes, int] = {}
    text = b'"name": "reference", "number": "%d"'
    for number in range(times):
        found = pattern(text % (number % 100))
        for part in () if found is None else found.groups():
            seen[part] = seen.get(part, 0) + len(part)
        one = SimpleNamespace(number=number, name=text[:9].decode(), parts=[text, number])
        seen[b"all"] = one.number
    return seen[b"all"] + 1


@contextmanager
def steady_clock() -> Iterator[None]:
    """Let the modules of the hot path see a clock that only their looks move on."""
    looks = count(1000.0, 1e-6)
    clock = SimpleNamespace(
        monotonic=looks.__next__,
        time=count(_BEGAN_MS / 1000, 1e-6).__next__,
        time_ns=count(_BEGAN_MS * 1_000_000, 1000).__next__,
    )
    modules = (claim, deliveries, forwarder, gate, gstv_client, pacer)
    before = [vars(module)["time"] for module in modules]
    for module in modules:
        vars(module)["time"] = clock
    try:
        yield
    finally:
        for module, its in zip(modules, before, strict=True):
            vars(module)["time"] = its


if __name__ == "__main__":
    random.seed(1)
    gc.disable()
    number = int(sys.argv[1])
    with steady_clock():
        done = refer(number) if "--reference" in sys.argv else uvloop.run(deliver(number))
    sys.exit(0 if done == number else f"{done} of {number} done")
