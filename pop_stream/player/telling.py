"""Plays that are told of from outside: each is judged before any is kept or sent."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import IO, Any, Final
from zoneinfo import ZoneInfo

import orjson

from pop_stream.player.lines import LINE_BYTES, lines_of
from pop_stream.player.outbox.clock import Sync, local_time
from pop_stream.player.outbox.event import key_of
from pop_stream.player.outbox.row import Row, State
from pop_stream.player.sending.record import Record, record_of
from pop_stream.pop.event import REQUIRED_FIELDS, Fault, Quarantine, Rules, read_event
from pop_stream.pop.play_times import time_of_play

_TIMES: Final = ("startTimestamp", "endTimestamp")
_SAID: Final = {
    Fault.TOO_LARGE: "it is too large ({})",
    Fault.TOO_DEEP: "it nests too deep",
    Fault.NOT_UTF8: "it is not UTF-8 ({})",
    Fault.NOT_JSON: "it is no JSON ({})",
    Fault.NOT_AN_OBJECT: "it is no JSON object",
    Fault.REPEATED_REQUIRED_FIELD: "{} is there twice",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A play that may be kept or sent."""

    #: The event as it was told, byte for byte.
    body: bytes
    fields: dict[str, Any]
    #: What is odd about it, and possible.
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a play; each names a field, where there is one."""

    why: tuple[str, ...]


def told_in(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The events of a file with the numbers of their lines: one a line, or one over all lines."""
    start = file.tell()
    first = next(lines_of(file), (0, b""))[1]
    if first and not _is_json(first):
        file.seek(start)
        whole = file.read(LINE_BYTES + 1).strip()
        if len(whole) <= LINE_BYTES and _is_json(whole):
            yield 1, whole
            return
    file.seek(start)
    yield from lines_of(file)


def judged(body: bytes, *, rules: Rules, latest: str) -> Told | Wrong:
    """Judge an event as the worker will. `latest` is as in `read_event`.

    What the worker would park is wrong here, and so is a time that nobody can read.
    """
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        fields = None
    wrong = tuple(_wrong_fields(fields)) if isinstance(fields, dict) else ()
    if wrong:
        return Wrong(wrong)
    key = key_of(fields).encode() if isinstance(fields, dict) else None
    read = read_event(body, key, rules=rules, latest=latest)
    if isinstance(read, Quarantine):
        return Wrong((_SAID.get(read.fault, f"{read.fault} {{}}").format(read.detail).strip(),))
    return Told(body, fields, read.flags)


def _wrong_fields(fields: dict[str, Any]) -> Iterator[str]:
    for name in REQUIRED_FIELDS:
        value = fields.get(name)
        if name not in fields:
            yield f"{name} is missing"
        elif not isinstance(value, str):
            yield f"{name} must be a text"
        elif not value:
            yield f"{name} must not be empty"
        elif name in _TIMES and time_of_play(value) is None:
            yield f"{name} must be a time like 2026-11-20 10:00:00"


def row_of(told: Told, *, pop_id: bytes, boot: bytes, zone: ZoneInfo) -> Row:
    """The play as a row of an outbox: over, and waiting; without its number and its seal."""
    started, ended = _moments(told.fields[_TIMES[0]], told.fields[_TIMES[1]], zone)
    return Row(
        id=0, state=State.READY, seal=0, pop_id=pop_id, boot=boot, key=key_of(told.fields), seq=0,
        started=started, ended=ended, lasted=None, offset=local_time(started, zone).offset,
        # Whoever tells of it had another clock, of which nothing is known.
        zone=zone.key, clock=Sync.UNKNOWN, body=told.body, extra=None,
    )  # fmt: skip


def records_of(
    plays: Iterable[tuple[Told, bytes]], *, boot: bytes, zone: ZoneInfo
) -> Iterator[Record]:
    """The records of plays with their pop-ids, numbered by screen: for who has no outbox."""
    numbers: Counter[str] = Counter()
    for told, pop_id in plays:
        row = row_of(told, pop_id=pop_id, boot=boot, zone=zone)
        numbers[row.key] += 1
        yield record_of(replace(row, seq=numbers[row.key]))


def _moments(start: str, end: str, zone: tzinfo) -> tuple[int, int]:
    """When a play began and ended, in epoch milliseconds.

    An end before the start is one in the repeated hour, if that makes it come after.
    """
    started, ended = _moment(start, zone, 0), _moment(end, zone, 0)
    again = _moment(end, zone, 1)
    return started, again if ended < started <= again else ended


def _moment(text: str, zone: tzinfo, fold: int) -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)
    return round(local.astimezone(UTC).timestamp() * 1000)


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
