"""A record that was written to a file is read as what it was."""

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pop_stream.analysis.as_object import as_object
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.from_object import from_line
from pop_stream.pop.moments import CALENDAR
from tests.unit.analysis.report.records import RECORDS, record

OURS = frozenset(("pop-events-failure",))


@given(RECORDS)
def test_what_is_written_is_read_as_the_same(event: EventView) -> None:
    """With its id, its place, its times, its key and its headers; whatever its value is."""
    told = orjson.dumps(as_object(event))
    again = from_line(told, ours=OURS)

    assert again is not None
    assert orjson.loads(orjson.dumps(as_object(again))) == orjson.loads(told)
    assert (again.timestamp, again.key, again.fields) == (event.timestamp, event.key, event.fields)


@given(st.integers(-1, CALENDAR[-1]))
@example(-1)
@example(CALENDAR[-1] - 998)
def test_when_it_was_stored_is_read_to_the_millisecond(stored: int) -> None:
    """However far ahead the clock was that said it; -1 is what Kafka says where it has no time."""
    again = from_line(orjson.dumps(as_object(record(stored=stored))), ours=OURS)

    assert again is not None
    assert again.timestamp == stored


def test_whether_players_can_write_its_topic_is_known_by_its_name() -> None:
    """So that our headers are believed where they are ours."""
    for is_ours in (True, False):
        event = record(is_ours=is_ours, headers=(("pop-origin", b"pop-events/1/2/3"),))
        again = from_line(orjson.dumps(as_object(event)), ours=OURS)
        assert again is not None
        assert (again.is_ours, again.trail) == (is_ours, event.trail)


def test_what_a_player_wrote_is_not_written_anew() -> None:
    """Neither its numbers nor a field that it told twice; and it stays one line."""
    written = b'{"siteId": 1.50,\r\n "n": 123456789012345678901234567890, "siteId": "\\u0037"}'
    line = orjson.dumps(as_object(record(value=written)))

    assert written.replace(b"\r\n", b"  ") in line
    assert line.count(b"\n") == 0


@pytest.mark.parametrize(
    "line",
    [b"", b"no JSON", b"7", b"[]", b"null", b"{}", b'{"topic":"x"}',
     orjson.dumps(as_object(record()) | {"storedAt": "soon"}),
     orjson.dumps(as_object(record()) | {"offset": "7"}),
     orjson.dumps(as_object(record()) | {"headers": []}),
     orjson.dumps(as_object(record()) | {"event": None, "valueBase64": "?"})],
)  # fmt: skip
def test_what_is_no_record_is_none(line: bytes) -> None:
    """It is not guessed at."""
    assert from_line(line, ours=OURS) is None
