"""A play as Kafka gets it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson

from pop_stream.player.outbox.row import Row
from pop_stream.player.play_headers import NAMES, Header, play_headers, time_headers

#: Why the broker refused a play: kept with it, and no part of its record.
ASIDE_REASON: Final = "pop-error"


@dataclass(frozen=True, slots=True)
class Record:
    """What is sent."""

    key: bytes
    value: bytes
    headers: list[Header]


def record_of(row: Row) -> Record:
    """The record of one play that is over. Raises ValueError and TypeError for no play of ours."""
    times = time_headers(
        started=row.started, ended=row.ended, lasted=row.lasted, offset=row.offset, zone=row.zone,
        clock=row.clock,
    )  # fmt: skip
    headers = play_headers(_uuid_text(row.pop_id), row.seq, _boot_text(row.boot), times)
    if row.extra is not None:
        headers += _further(orjson.loads(row.extra))
    return Record(row.key.encode(), row.body, headers)


def _further(extra: Any) -> Iterator[Header]:
    if not isinstance(extra, dict):
        raise TypeError("its further headers are no object")
    for name, value in extra.items():
        if name not in NAMES and name != ASIDE_REASON:
            text = value if isinstance(value, str) else orjson.dumps(value).decode()
            yield name, text.encode()


def _uuid_text(pop_id: bytes) -> bytes:
    # str(UUID(...)) takes five times as long, and this is done for every play.
    digits = pop_id.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}".encode()


@lru_cache(maxsize=1024)
def _boot_text(boot: bytes) -> bytes:
    return boot.hex().encode()
