"""What an event has been through, as the headers of its record tell it.

On the topic that players write, only what is the player's own is believed: `pop-id`, once it
parses. What a player sends under one of our names is neither believed nor carried along. Our own
topics are written by nobody else, and what they say is believed, once it parses.
"""

import re
from collections.abc import Container, Sequence
from typing import NamedTuple

from pop_stream.pop.identity import fallback_pop_id, parse_pop_id

Headers = Sequence[tuple[str, bytes]]

POP_ID = "pop-id"
_ATTEMPT = "pop-attempt"
_NOT_BEFORE = "pop-not-before"
_FIRST_FAILED_AT = "pop-first-failed-at"
_REASON = "pop-reason"
_STATUS = "pop-status"
_ERROR = "pop-error"
_ORIGIN = "pop-origin"
_FLAGS = "pop-flags"
_REDRIVES = "pop-redrives"
_REPLAY = "pop-replay"
#: The player's, and carried along.
_TRACEPARENT = "traceparent"
#: Tells what was left behind of an event too large for our topics.
TRIMMED = "pop-trimmed"

#: Headers that only pop-stream writes; each hand-off writes them anew.
_OURS = frozenset(
    (POP_ID, _ATTEMPT, _NOT_BEFORE, _FIRST_FAILED_AT, _REASON, _STATUS, _ERROR, _ORIGIN, _FLAGS)
)
#: Ours too, but not written anew: carried along when they come from our own topics.
_KEPT = frozenset((_REDRIVES, _REPLAY, TRIMMED))
_NOT_CARRIED = _OURS | _KEPT
_DUE = (POP_ID, _ATTEMPT, _NOT_BEFORE, _ORIGIN)
DUE_HEADERS = len(_DUE)
_ERROR_LIMIT = 512
#: Some letters take four bytes, and all our headers together must stay under 2 KiB.
_ERROR_BYTES = 1024
#: Kafka says with -1 that a record has no timestamp.
_origin_parts = re.compile(
    r"([A-Za-z0-9._-]+)/([0-9]{1,19})/([0-9]{1,19})/(-1|[0-9]{1,19})"
).fullmatch
#: The year 9999: later times are not times.
_LATEST_MS = 253_402_300_799_000


# Tuples, since a frozen dataclass takes three times as long to make: each failure makes several.


class Origin(NamedTuple):
    """Where the player's own record stands."""

    topic: str
    partition: int
    offset: int
    #: The record's Kafka timestamp in epoch milliseconds; -1 when it has none.
    timestamp: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}/{self.timestamp}"


class Trail(NamedTuple):
    """What one event has been through so far."""

    pop_id: str
    origin: Origin
    #: Attempts that were made and counted.
    attempts: int = 0
    #: The next attempt is not made before this, in epoch milliseconds.
    not_before: int = 0
    #: When an attempt failed for the first time, in epoch milliseconds; None before that.
    first_failed_at: int | None = None
    #: What travels untouched: the headers that are not ours.
    carried: Headers = ()


class Due(NamedTuple):
    """Of an event on one of our own topics what an attempt needs to know."""

    pop_id: str
    attempts: int
    #: In epoch milliseconds; 0: at once.
    not_before: int
    #: The Kafka timestamp of the player's record, in epoch milliseconds.
    produced_at: int


class Failure(NamedTuple):
    """Why an event goes to the retry or the failure topic, for the headers of its record."""

    reason: str
    #: The HTTP status of the last attempt; None when there was no answer.
    status: int | None = None
    #: For people; cut at 512 characters, and without secrets.
    error: str = ""
    flags: tuple[str, ...] = ()


def trail_from_player(headers: Headers, origin: Origin, *, pop_id: str | None = None) -> Trail:
    """Read the trail of a record that a player wrote. `pop_id`: where it was read already."""
    return Trail(
        pop_id or player_pop_id(headers, origin.topic, origin.partition, origin.offset),
        origin,
        carried=_without(headers, _NOT_CARRIED),
    )


def player_pop_id(headers: Headers, topic: str, partition: int, offset: int) -> str:
    """The id of an event that a player wrote: its own once it parses, else made of its place."""
    return told_pop_id(headers) or fallback_pop_id(topic, partition, offset)


def told_pop_id(headers: Headers) -> str | None:
    """The id that a record's headers tell, once it parses; None when they tell none."""
    return parse_pop_id(_latest(headers, POP_ID))


def trail_from_own_topic(headers: Headers, here: Origin) -> Trail:
    """Read the trail of a record on one of our own topics; `here` is where that record stands."""
    latest = dict(headers)
    origin = _origin_of(_text(latest.get(_ORIGIN))) or here
    pop_id = parse_pop_id(latest.get(POP_ID))
    return Trail(
        pop_id=pop_id or fallback_pop_id(origin.topic, origin.partition, origin.offset),
        origin=origin,
        attempts=_number(latest.get(_ATTEMPT), 0, 1_000_000) or 0,
        not_before=_number(latest.get(_NOT_BEFORE), 0, _LATEST_MS) or 0,
        first_failed_at=_number(latest.get(_FIRST_FAILED_AT), 1, _LATEST_MS),
        carried=_without(headers, _OURS),
    )


def due_from_first_headers(headers: Headers) -> Due | None:
    """Read what the first `DUE_HEADERS` headers tell of a record that `headers_of` wrote.

    None: they are of another record, or not as they should be; `trail_from_own_topic` reads it.
    """
    if tuple([name for name, _ in headers]) != _DUE:
        return None
    (_, pop_id), (_, attempts), (_, not_before), (_, origin) = headers
    known, place = parse_pop_id(pop_id), _origin_of(_text(origin))
    made, due = _number(attempts, 0, 1_000_000), _number(not_before, 0, _LATEST_MS)
    if known is None or place is None or made is None or due is None:
        return None
    return Due(known, made, due, place.timestamp)


def after_failure(trail: Trail, *, attempts: int, not_before: int, now_ms: int) -> Trail:
    """The trail after one more attempt failed at `now_ms`."""
    first_failed_at = trail.first_failed_at or now_ms
    return Trail(trail.pop_id, trail.origin, attempts, not_before, first_failed_at, trail.carried)


def headers_of(trail: Trail, failure: Failure) -> list[tuple[str, bytes]]:
    """The headers of the event's record on the retry or the failure topic."""
    # What the next attempt needs comes first: nearly always nothing else of them is read.
    ours = {
        POP_ID: trail.pop_id,
        _ATTEMPT: trail.attempts,
        _NOT_BEFORE: trail.not_before or None,
        _ORIGIN: trail.origin,
        _FIRST_FAILED_AT: trail.first_failed_at,
        _REASON: failure.reason,
        _STATUS: failure.status,
        _ERROR: _printable(failure.error) or None,
        _FLAGS: ",".join(failure.flags) or None,
    }
    written = [(name, str(value).encode()) for name, value in ours.items() if value is not None]
    return [*written, *trail.carried]


def redrives_of(headers: Headers) -> int:
    """How often an event was sent back from the failure topic, as its record there tells it."""
    return _number(_latest(headers, _REDRIVES), 0, 1_000_000) or 0


def reason_of(headers: Headers) -> str:
    """Why an event was parked, as its record on the failure topic tells it; else empty."""
    return _text(_latest(headers, _REASON))


def redriven(headers: Headers) -> list[tuple[str, bytes]]:
    """The headers with which a parked event goes back: those it has, one redrive more, due now.

    Its attempts stay counted: it is tried once, and parked again if that fails.
    """
    redrives = str(redrives_of(headers) + 1).encode()
    return [*_without(headers, (_REDRIVES, _NOT_BEFORE)), (_REDRIVES, redrives)]


def replayed(
    headers: Headers, trail: Trail, *, replay: str, is_ours: bool
) -> list[tuple[str, bytes]]:
    """The headers with which an event is written anew to a topic, under its same id.

    `replay` names the replay. What a player wrote under our names is left behind, unless the
    record stood on a topic of our own (`is_ours`).
    """
    ours = [(POP_ID, trail.pop_id), (_ORIGIN, str(trail.origin)), (_REPLAY, replay)]
    names = {_NOT_BEFORE, *(name for name, _ in ours)}
    kept = _without(headers, names) if is_ours else trail.carried
    return [*kept, *((name, text.encode()) for name, text in ours)]


def is_replayed(headers: Headers) -> bool:
    """Whether a record was written by a replay."""
    return _latest(headers, _REPLAY) is not None


def traceparent_of(headers: Headers) -> str | None:
    """The trace that a record belongs to (W3C Trace Context); None when it names none."""
    return _text(_latest(headers, _TRACEPARENT)) or None


def own_headers(headers: Headers) -> Headers:
    """Of a record's headers those that only pop-stream writes."""
    return tuple(header for header in headers if header[0] in _OURS or header[0] in _KEPT)


def _latest(headers: Headers, wanted: str) -> bytes | None:
    for name, value in reversed(headers):
        if name == wanted:
            return value
    return None


def _without(headers: Headers, names: Container[str]) -> Headers:
    return tuple([header for header in headers if header[0] not in names])


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("ascii", "replace")


def _number(value: bytes | None, least: int, most: int) -> int | None:
    # int() alone takes signs, spaces and underscores, and is slow on a million digits.
    if value is None or len(value) > 15 or not value.isdigit():
        return None
    number = int(value)
    return number if least <= number <= most else None


def _origin_of(text: str) -> Origin | None:
    parts = _origin_parts(text)
    if parts is None:
        return None
    topic, partition, offset, timestamp = parts.groups()
    return Origin(topic, int(partition), int(offset), int(timestamp))


def _printable(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text[:_ERROR_LIMIT]
    line = "".join(c if c.isprintable() else " " for c in text[:_ERROR_LIMIT])
    return line.encode()[:_ERROR_BYTES].decode(errors="ignore")
