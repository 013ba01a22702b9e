"""Reads delivery receipts anew, by what `docs/analysts.md` says of their form."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from uuid import UUID

_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Told:
    """What a receipt tells of one delivery."""

    #: Where the player's own record stands.
    partition: int
    offset: int
    id: str
    #: When GSTV took it, in epoch milliseconds, by the worker's clock.
    at_ms: int
    #: The attempt that was taken, counted from 1.
    attempts: int


@dataclass(frozen=True, slots=True)
class ReceiptText:
    """What one record of the receipts topic tells."""

    group: str
    topic: str
    deliveries: Sequence[Told]


def read_receipt(value: str | None) -> ReceiptText:
    """Read a record's value. Raises ValueError for whatever is no receipt."""
    try:
        told = json.loads(value or "")
        return ReceiptText(told["group"], told["topic"], tuple(_deliveries(told)))
    except (TypeError, KeyError, zlib.error) as error:
        raise ValueError(f"no receipt ({error!r})") from error


def _deliveries(told: Mapping[str, Any]) -> list[Told]:
    numbers = (told[name] for name in ("events", "partition", "from", "to", "at"))
    events, partition, first, end, at = map(_number, numbers)
    ids = base64.b64decode(told["ids"], validate=True)
    if events == 0 and not ids:
        return []
    steps, waits = _column(told["steps"], events - 1), _column(told["waits"], events - 1)
    offsets = list(accumulate(steps, initial=first))
    times = accumulate(waits, initial=at)
    if offsets[-1] + 1 != end:
        raise ValueError("it ends elsewhere than it says")
    starts = range(0, len(ids), _ID_BYTES)
    pop_ids = (str(UUID(bytes=ids[start : start + _ID_BYTES])) for start in starts)
    columns = zip(offsets, pop_ids, times, _column(told["attempts"], events), strict=True)
    return [Told(partition, *row) for row in columns]


def _column(column: object, count: int) -> list[int]:
    """A number for all, a list, or a list as JSON, compressed and in base64."""
    if isinstance(column, int):
        return [column] * count
    if isinstance(column, str):
        column = json.loads(zlib.decompress(base64.b64decode(column, validate=True)))
    if not isinstance(column, list) or len(column) != count:
        raise ValueError("a column has not a number for each")
    return list(map(_number, column))


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("not a number")
    return value
