"""A play as Kafka gets it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from pop_stream.player.outbox.row import Row

#: Why the broker refused a play: kept with it, and no part of its record.
ASIDE_REASON: Final = "pop-error"
#: What nobody may set from outside: by these the play is known.
_OURS: Final = frozenset((
    "pop-id", "pop-seq", "pop-boot", "pop-start-utc", "pop-end-utc", "pop-tz", "pop-utcoffset",
    "pop-clock", "pop-mono-ms",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """What is sent."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def record_of(row: Row) -> Record:
    """The record of one play that is over. Raises ValueError and TypeError for no play of ours."""
    headers = [
        ("pop-id", _uuid_text(row.pop_id)),
        ("pop-seq", b"%d" % row.seq),
        *_of_the_player(row.boot, row.zone, row.offset, row.clock),
    ]
    _add_time(headers, "pop-start-utc", row.started)
    if row.ended is not None:
        _add_time(headers, "pop-end-utc", row.ended)
    if row.lasted is not None:
        headers.append(("pop-mono-ms", b"%d" % row.lasted))
    if row.extra is not None:
        headers += _further(orjson.loads(row.extra))
    return Record(row.key.encode(), row.body, headers)


def _further(extra: Any) -> Iterator[tuple[str, bytes]]:
    if not isinstance(extra, dict):
        raise TypeError("its further headers are no object")
    for name, value in extra.items():
        if name not in _OURS and name != ASIDE_REASON:
            text = value if isinstance(value, str) else orjson.dumps(value).decode()
            yield name, text.encode()


def _uuid_text(pop_id: bytes) -> bytes:
    # str(UUID(...)) takes five times as long, and this is done for every play.
    digits = pop_id.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}".encode()


@lru_cache(maxsize=1024)
def _of_the_player(
    boot: bytes, zone: str, offset: int, clock: str
) -> tuple[tuple[str, bytes], ...]:
    """The headers that are the same for many plays."""
    hours, minutes = divmod(abs(offset), 60)
    return (
        ("pop-boot", boot.hex().encode()),
        ("pop-tz", zone.encode()),
        ("pop-utcoffset", b"%s%02d:%02d" % (b"-" if offset < 0 else b"+", hours, minutes)),
        ("pop-clock", clock.encode()),
    )


def _add_time(headers: list[tuple[str, bytes]], name: str, epoch_ms: int) -> None:
    """Without the header, where the clock showed a time that no calendar has."""
    seconds, ms = divmod(epoch_ms, 1000)
    minutes, second = divmod(seconds, 60)
    minute = _minute(minutes)
    if minute is not None:
        headers.append((name, b"%s:%02d.%03dZ" % (minute, second, ms)))


@lru_cache(maxsize=1024)
def _minute(minutes: int) -> bytes | None:
    try:
        return datetime.fromtimestamp(minutes * 60, UTC).isoformat()[:16].encode()
    except (ValueError, OverflowError, OSError):
        return None
