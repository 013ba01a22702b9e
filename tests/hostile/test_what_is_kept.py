"""Nothing of what somebody else has written is kept for longer than it is worked on."""

import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.export.columns import day_of
from pop_stream.analysis.report.play import Reader
from pop_stream.analysis.report.site_zones import SiteZones
from pop_stream.kafka.stored_records import StoredRecord, read_batch
from pop_stream.pop.event import Rules, read_event
from pop_stream.stream.ledger import Ledger, Limits, Place
from tests.support.header_names import NameInBytes
from tests.support.hostile_batches import batch_with_headers

TIMES = 300
LONG = 30_000
RULES = Rules()
READER = Reader(rules=RULES, zones=SiteZones(), period=None, now=datetime(2026, 11, 20, tzinfo=UTC))


def event(number: int) -> bytes:
    """An event whose times are long texts, no two alike."""
    long = f"{number:0>{LONG}}"
    return (
        b'{"filename":"a","assetId":"1","startTimestamp":"%b","endTimestamp":"%b",'
        b'"siteId":"1","screenId":"2"}' % (long.encode(), long[::-1].encode())
    )


def view(number: int) -> EventView:
    """The same as analysts have it."""
    return EventView("t", 0, number, timestamp=1, key=b"1/2", value=event(number), headers=[],
                     is_ours=False)  # fmt: skip


def headers(number: int) -> None:
    """A record whose header has a name of 30 KB, not all of it UTF-8."""
    name = NameInBytes(b"\xff%0*d" % (LONG, number))
    for record in read_batch(batch_with_headers((name, b""))):
        assert record.headers


WAYS: dict[str, Callable[[int], object]] = {
    "the worker reads an event": lambda number: read_event(
        event(number), b"1/2", rules=RULES, latest="2026-11-20 10:00:00"
    ),
    "the worker reads headers": headers,
    "a report reads an event": lambda number: READER.read(view(number)),
    "an export asks for its day": lambda number: day_of(view(number)),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_long_texts_are_let_go(way: Callable[[int], object]) -> None:
    """Ten megabytes of texts that never come twice leave nothing behind."""
    way(0)
    tracemalloc.start()
    try:
        for number in range(1, TIMES):
            way(number)
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert left < 1_000_000


@pytest.mark.parametrize("is_read", [False, True], ids=["as stored", "once read"])
def test_headers_count_as_held(*, is_read: bool) -> None:
    """Else ten thousand events with a megabyte of headers each would be held as nearly nothing."""
    (record,) = read_batch(batch_with_headers(("a", b"x" * 9_000), ("b", None)))
    if is_read:
        assert len(record.headers) == 2
    ledger: Ledger[StoredRecord] = Ledger({"t": Limits(bytes=9_000)})
    ledger.open({Place("t", 0)})

    run = ledger.take("t", 0, [record])

    assert run is not None
    assert ledger.with_room() == set()
    run.finish(0)
    assert ledger.with_room() == {Place("t", 0)}
