from datetime import UTC, datetime
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.player.sending.record import ASIDE_REASON, record_of
from tests.support.filled_outbox import BOOT, row

_OURS = {
    "pop-id", "pop-seq", "pop-boot", "pop-start-utc", "pop-end-utc", "pop-tz", "pop-utcoffset",
    "pop-clock", "pop-mono-ms",
}  # fmt: skip


def test_a_record_tells_all_that_is_known_of_a_play() -> None:
    """Key, event and headers, word for word."""
    record = record_of(row(3, extra=orjson.dumps({"pop-interrupted": "true", "x-own": "ä"})))

    assert record.key == b"7/1"
    assert record.value == row(3).body
    assert dict(record.headers) == {
        "pop-id": b"01a00000-0000-0000-0000-000000000003",
        "pop-seq": b"3",
        "pop-boot": BOOT.hex().encode(),
        "pop-start-utc": b"2026-09-21T14:14:05.000Z",
        "pop-end-utc": b"2026-09-21T14:14:20.000Z",
        "pop-tz": b"America/Chicago",
        "pop-utcoffset": b"-06:00",
        "pop-clock": b"synced",
        "pop-mono-ms": b"15000",
        "pop-interrupted": b"true",
        "x-own": "ä".encode(),
    }


def test_what_is_not_known_has_no_header() -> None:
    """How long a play lasted that was cut off nobody knows."""
    assert "pop-mono-ms" not in dict(record_of(row(lasted=None)).headers)


def test_a_player_cannot_give_a_play_another_identity() -> None:
    """Of two headers of one name the last counts: so there is only one."""
    forged = orjson.dumps(dict.fromkeys(_OURS, "forged"))
    record = record_of(row(extra=forged))

    assert sorted(name for name, _ in record.headers) == sorted(_OURS)
    assert b"forged" not in {value for _, value in record.headers}


def test_why_it_was_refused_once_does_not_travel() -> None:
    """That is kept for people."""
    record = record_of(row(extra=orjson.dumps({ASIDE_REASON: "too large"})))

    assert ASIDE_REASON not in dict(record.headers)


def test_a_header_that_is_no_text_becomes_one() -> None:
    """A player's program may give numbers."""
    record = record_of(row(extra=orjson.dumps({"n": 5, "b": True, "z": None})))

    assert dict(record.headers) | {"n": b"5", "b": b"true", "z": b"null"} == dict(record.headers)


@given(
    started=st.integers(min_value=-(10**12), max_value=4 * 10**12),
    lasted=st.integers(min_value=0, max_value=10**9),
    offset=st.integers(min_value=-840, max_value=840),
)
def test_times_are_told_to_the_millisecond(started: int, lasted: int, offset: int) -> None:
    """Before 1970 and after 2038, too."""
    headers = dict(record_of(row(started=started, ended=started + lasted, offset=offset)).headers)
    begin = datetime.fromisoformat(headers["pop-start-utc"].decode())
    sign, hours, minutes = headers["pop-utcoffset"][:1], *headers["pop-utcoffset"][1:].split(b":")

    assert round((begin - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000) == started
    assert (int(hours) * 60 + int(minutes)) * (-1 if sign == b"-" else 1) == offset
    assert len(headers["pop-end-utc"]) == len("2026-11-27T00:00:00.000Z")


@given(st.integers(min_value=-(1 << 62), max_value=1 << 62))
def test_a_clock_beyond_all_calendars_leaves_its_header_out(started: int) -> None:
    """Better no time than a made-up one; the play goes out."""
    headers = dict(record_of(row(started=started)).headers)

    assert headers["pop-id"]
    assert headers.get("pop-start-utc", b"Z").endswith(b"Z")


@given(st.binary(min_size=16, max_size=16))
def test_an_id_is_told_in_the_form_of_a_uuid(pop_id: bytes) -> None:
    """As everybody else writes it."""
    assert dict(record_of(row(pop_id=pop_id)).headers)["pop-id"] == str(UUID(bytes=pop_id)).encode()
