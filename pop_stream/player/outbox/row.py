"""A play as it stands in the outbox, and the seal that tells whether it is still what was written.

SQLite notices much of what a failing disk does to a file, and not all of it. So each row has a
checksum of its own: a row is believed when its seal fits, wherever it was found.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final


class State(IntEnum):
    """How far a play is."""

    #: It is being shown.
    OPEN = 0
    #: It is over, and waits to be sent.
    READY = 1
    #: It is being sent.
    LEASED = 2
    #: The broker has confirmed it: all replicas in sync have it.
    ACKED = 3
    #: The broker refuses it for what it is; it is kept, and does not hold up the others.
    ASIDE = 4


#: What each state adds to a seal: far apart, so that no flipped bit turns one into another.
SALTS: Final = {
    State.OPEN: 0x5A3C_96E1,
    State.READY: 0xA1D2_4B7F,
    State.LEASED: 0x3EE7_D018,
    State.ACKED: 0xC49B_2F66,
    State.ASIDE: 0x7708_E9BD,
}
_NUMBERS: Final = struct.Struct(">qqqqqq")
_length: Final = struct.Struct(">I").pack
#: Stands for a number that is not there.
_NONE: Final = -(1 << 63)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One play; or, packed for want of room, several (`number`)."""

    #: The order of starts.
    id: int
    state: State
    #: Of the file; `is_sound` compares it.
    seal: int
    #: 16 bytes, as are `boot`'s.
    pop_id: bytes
    boot: bytes
    #: `siteId/screenId`: the record's key.
    key: str
    seq: int
    #: By the wall clock, in epoch milliseconds.
    started: int
    #: As `started`; None while it is open.
    ended: int | None
    #: Milliseconds by a clock that nobody sets; None when that is not known.
    lasted: int | None
    #: Of the site, from UTC, in minutes, at the start.
    offset: int
    #: By its IANA name.
    zone: str
    #: What is known of the wall clock (`clock.Sync`).
    clock: str
    #: The event, ready to be sent.
    body: bytes
    #: Further headers, as a JSON object; None: there are none.
    extra: bytes | None
    #: When the broker confirmed it, in epoch milliseconds. No part of the seal.
    acked: int | None = None
    #: Plays in it.
    number: int = 1

    @property
    def is_sound(self) -> bool:
        """Whether it is what was written."""
        try:
            return self.seal == seal_of(self)
        except (struct.error, TypeError, ValueError, AttributeError):
            return False  # a value of another kind than was written


COLUMNS: Final = tuple(Row.__dataclass_fields__)


_STATES: Final = {int(each): each for each in State}


def row_from(values: Any) -> Row:
    """A row of the table, in the order of COLUMNS. Raises ValueError and TypeError for others."""
    # By their names, one by one: a backlog is millions of them.
    (id_, state, seal, pop_id, boot, key, seq, started, ended, lasted, offset, zone, clock, body,
     extra, acked, number) = values  # fmt: skip
    return Row(
        id=id_, state=_STATES.get(state) or State(state), seal=seal, pop_id=pop_id, boot=boot,
        key=key, seq=seq, started=started, ended=ended, lasted=lasted, offset=offset, zone=zone,
        clock=clock, body=body, extra=extra, acked=acked, number=number,
    )  # fmt: skip


def sound_row(values: Any) -> Row | None:
    """A row of the table, if it is what was written."""
    try:
        row = row_from(values)
    except (ValueError, TypeError):
        return None
    return row if row.is_sound else None


def seal_of(row: Row) -> int:
    """The checksum of everything that a play is, and of its state."""
    return content_seal(row) ^ SALTS[row.state]


def content_seal(row: Row) -> int:
    """The checksum of everything but the state. Raises TypeError for what is no row of ours."""
    numbers = _NUMBERS.pack(
        row.seq, row.started, _or_none(row.ended), _or_none(row.lasted), row.offset, row.number
    )
    key, zone, clock, extra = (row.key.encode(), row.zone.encode(), row.clock.encode(),
                               row.extra or b"")  # fmt: skip
    pop_id, boot, body = row.pop_id, row.boot, row.body
    # Each with its length, so that nothing can move from one to the next.
    return zlib.crc32(
        b"".join((
            numbers, _length(len(pop_id)), pop_id, _length(len(boot)), boot, _length(len(key)), key,
            _length(len(zone)), zone, _length(len(clock)), clock, _length(len(body)), body,
            _length(len(extra)), extra,
        ))
    )  # fmt: skip


def turn(before: State, after: State) -> int:
    """What turns the seal of one state into that of another, by an exclusive or."""
    return SALTS[before] ^ SALTS[after]


def _or_none(number: int | None) -> int:
    return _NONE if number is None else number
