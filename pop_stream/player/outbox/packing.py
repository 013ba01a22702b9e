"""Packs the oldest plays that wait, when there is little room: they take a fifth of it then."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import orjson

from pop_stream.player.outbox.row import COLUMNS, Row, row_from, seal_of

#: Written as hexadecimal digits: JSON holds no bytes.
_BYTES: Final = frozenset(("pop_id", "boot", "body", "extra"))


def packed(rows: Sequence[Row], *, pop_id: bytes) -> Row:
    """One row for several, which wait; it stands where the first of them stood."""
    told = [[_told(name, getattr(row, name)) for name in COLUMNS] for row in rows]
    first = rows[0]
    pack = replace(
        first,
        pop_id=pop_id,
        key="",
        seq=0,
        ended=rows[-1].ended,
        lasted=None,
        body=zlib.compress(orjson.dumps(told)),
        extra=None,
        number=len(rows),
    )
    return replace(pack, seal=seal_of(pack))


def unpacked(row: Row) -> Iterator[Row]:
    """The plays of a row: itself, when it is none of several. Raises ValueError for a damaged one.

    They have the states that they had when they were packed: they waited.
    """
    if row.number == 1:
        yield row
        return
    try:
        told = orjson.loads(zlib.decompress(row.body))
    except (zlib.error, orjson.JSONDecodeError) as error:
        raise ValueError("a pack that cannot be read") from error
    for values in told:
        yield row_from([_read(name, each) for name, each in zip(COLUMNS, values, strict=True)])


def _told(name: str, value: object) -> object:
    return value.hex() if name in _BYTES and isinstance(value, bytes) else value


def _read(name: str, value: object) -> object:
    return bytes.fromhex(value) if name in _BYTES and isinstance(value, str) else value
