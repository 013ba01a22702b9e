"""The simulation and the sender tell the same of the same play."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from pop_stream.player.sending.record import Record, record_of
from pop_stream.player.simulation.batches import Batches, Event
from pop_stream.player.simulation.plays import Network, Play, plays
from pop_stream.pop.moments import CALENDAR
from tests.support.filled_outbox import BOOT, pop_id_of, row

_ORDER = ["pop-id", "pop-seq", "pop-boot", "pop-start-utc", "pop-end-utc", "pop-tz",
          "pop-utcoffset", "pop-clock", "pop-mono-ms"]  # fmt: skip


class Records:
    """Stands in for a producer, and for its batches: takes every record."""

    def __init__(self) -> None:
        self.taken: list[Record] = []

    def append(
        self, *, timestamp: int | None, key: bytes, value: bytes, headers: list[tuple[str, bytes]]
    ) -> object:
        """Take a record."""
        assert timestamp is None
        self.taken.append(Record(key, value, headers))
        return self

    def create_batch(self) -> "Records":
        """One is enough."""
        return self

    async def partitions_for(self, _topic: str) -> set[int]:
        """There is one."""
        return {0}


def simulated(found: list[Play]) -> list[Record]:
    """The records by which the simulation sends plays; the n-th has the n-th id."""
    producer = Records()

    async def put() -> None:
        batches = Batches(producer, "t", None)  # type: ignore[arg-type]
        for number, play in enumerate(found):
            pop_id = str(UUID(bytes=pop_id_of(number)))
            await batches.put(Event(play, pop_id, BOOT.hex().encode()))

    asyncio.run(put())
    return producer.taken


def from_outbox(number: int, simulated: Record) -> Record:
    """The record by which the outbox's sender sends the same play."""
    told = {name: value.decode() for name, value in simulated.headers}
    sign, hours, minutes = told["pop-utcoffset"][0], *told["pop-utcoffset"][1:].split(":")
    return record_of(
        row(
            pop_id=pop_id_of(number), key=simulated.key.decode(), seq=int(told["pop-seq"]),
            started=moment(told, "pop-start-utc"), ended=moment(told, "pop-end-utc"),
            lasted=int(told["pop-mono-ms"]), zone=told["pop-tz"], clock=told["pop-clock"],
            offset=int(f"{sign}1") * (60 * int(hours) + int(minutes)), body=simulated.value,
        )
    )  # fmt: skip


def moment(told: Mapping[str, str], name: str) -> int:
    """A time that was told, in epoch milliseconds; one in no calendar where none was told."""
    if name not in told:
        return CALENDAR.stop
    since = datetime.fromisoformat(told[name]) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "begins_at",
    [datetime(2026, 11, 1, 5, 59, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, tzinfo=UTC),
     datetime(9999, 12, 31, 23, 59, 30, tzinfo=UTC)],
)  # fmt: skip
def test_a_play_has_the_same_headers_whoever_sends_it(begins_at: datetime) -> None:
    """In the order of docs/players.md; at whatever time, and by clocks that jump, too."""
    network = Network(sites=4, screens_per_site=3, seed=5, begins_at=begins_at, clock_jumps=0.5)
    sent = simulated(list(plays(network, 120)))

    assert len(sent) == 120
    assert sent == [from_outbox(number, record) for number, record in enumerate(sent)]
    for record in sent:
        names = [name for name, _ in record.headers]
        assert names == [name for name in _ORDER if name in names]


def test_what_is_in_no_calendar_is_not_told_by_the_simulation_either() -> None:
    """Better no time than a made-up one: the sender says so, too (`test_record.py`)."""
    begins_at = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    network = Network(sites=1, screens_per_site=1, seed=5, begins_at=begins_at)
    first, second = (dict(each.headers) for each in simulated(list(plays(network, 2))))

    assert first["pop-start-utc"] == b"9999-12-31T23:59:59.000Z"
    assert "pop-end-utc" not in first
    assert not {"pop-start-utc", "pop-end-utc"} & set(second)
    assert second["pop-mono-ms"]
