"""How an outbox stands: what waits in it, since when, and whether anything is wrong with it."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import orjson

from pop_stream.player.outbox import facts, losses
from pop_stream.player.outbox.clock import kernel_sync
from pop_stream.player.outbox.holders import recorder_of, sender_of
from pop_stream.player.outbox.limits import Limits, noted_limits
from pop_stream.player.outbox.log_check import log_of
from pop_stream.player.outbox.losses import Loss
from pop_stream.player.outbox.marks import read_marks
from pop_stream.player.outbox.modes import mode_of
from pop_stream.player.outbox.reading import reading
from pop_stream.player.outbox.room import used_bytes
from pop_stream.player.outbox.row import State
from pop_stream.player.outbox.schema import ForeignFileError
from pop_stream.player.outbox.verifying import log_damage, marks_damage
from pop_stream.player.sending.record import ASIDE_REASON

#: More are counted, and not named.
NAMED_MOST: Final = 100
_UNFINISHED: Final = (State.OPEN, State.READY, State.LEASED)
_BY_INDEX: Final = "FROM plays INDEXED BY unfinished WHERE state < 3 AND state = ?"
_ROWS: Final = f"SELECT count(*) {_BY_INDEX}"
_FIRST: Final = f"SELECT min(id) {_BY_INDEX}"
_OLDEST: Final = f"SELECT started {_BY_INDEX} ORDER BY id LIMIT 1"
_LOOKED_AT: Final = 5000
_ACKED_BELOW: Final = (
    "SELECT max(acked) FROM (SELECT acked FROM plays WHERE id < ? ORDER BY id DESC LIMIT ?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A play that the broker refuses for what it is."""

    pop_id: str
    key: str
    #: In epoch milliseconds.
    started: int
    #: What the broker said; empty when that is not known.
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What stands in the file, all of it as it was at one moment. Times are epoch milliseconds."""

    #: Plays, also those in packs; without those that are confirmed, where they were not counted.
    plays: Mapping[State, int]
    #: When the oldest play began that the broker has not confirmed.
    oldest: int | None
    #: When the broker last confirmed one.
    last_ack: int | None
    #: When the player last noted that it lives.
    heartbeat: int | None
    #: What was known of the clock at the latest play; None: there is none.
    last_clock: str | None
    #: Losses that no play has told of yet.
    untold: tuple[Loss, ...]
    #: The first of those that are set aside.
    aside: tuple[Aside, ...]
    used_bytes: int

    @property
    def is_well(self) -> bool:
        """Whether nothing is set aside or lost."""
        return not self.plays[State.ASIDE] and not self.untold

    @property
    def lost(self) -> int:
        """Plays that are declared lost, and that nobody has been told of."""
        return sum(each.plays for each in self.untold)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an outbox stands."""

    path: Path
    #: None: the file cannot be read.
    contents: Contents | None
    #: What is wrong with the file; none: it is sound, as far as it was looked at.
    damage: tuple[str, ...]
    #: Of the player that recorded last; None: they cannot be read.
    limits: Limits | None
    #: Of the file, and of the log beside it.
    file_bytes: int
    log_bytes: int
    #: Who can do what with the file; None: it is not there.
    mode: int | None
    #: Of this machine, now.
    clock: str
    #: Processes; None: nobody.
    recorder: int | None
    sender: int | None

    @property
    def is_well(self) -> bool:
        """Whether nobody need look after it."""
        return not self.damage and self.contents is not None and self.contents.is_well


def standing_of(path: Path, *, with_confirmed: bool = True) -> Standing:
    """Look at an outbox; writes nothing. Raises OSError.

    To count what is confirmed, all of the file must be read.
    """
    marks, damage = read_marks(path), list[str]()
    contents, limits = None, None
    if said := log_damage(path):
        damage.append(said)
    try:
        with reading(path) as connection:
            connection.execute("BEGIN")
            damage += [each.text for each in marks_damage(connection, marks)]
            contents = _contents(connection, with_confirmed=with_confirmed)
            limits = noted_limits(connection)
    except (sqlite3.Error, ForeignFileError, UnicodeDecodeError, ValueError) as error:
        damage.append(str(error))
    return Standing(
        path=path,
        contents=contents,
        damage=tuple(damage),
        limits=limits,
        file_bytes=_size(path),
        log_bytes=_size(log_of(path)),
        mode=mode_of(path),
        clock=kernel_sync(),
        recorder=recorder_of(path),
        sender=sender_of(path),
    )


def _contents(connection: sqlite3.Connection, *, with_confirmed: bool) -> Contents:
    last = connection.execute("SELECT clock FROM plays ORDER BY id DESC LIMIT 1").fetchone()
    oldest = [_one(connection, _OLDEST, state) for state in (State.READY, State.LEASED)]
    return Contents(
        plays=_counted(connection, with_confirmed=with_confirmed),
        oldest=min((each for each in oldest if each is not None), default=None),
        last_ack=_last_ack(connection),
        heartbeat=facts.facts(connection).get(facts.HEARTBEAT),
        last_clock=last[0] if last else None,
        untold=tuple(losses.waiting(connection)),
        aside=tuple(_aside(connection)),
        used_bytes=used_bytes(connection),
    )


def _counted(connection: sqlite3.Connection, *, with_confirmed: bool) -> dict[State, int]:
    """Plays by state. By indexes: a terminal may have a million of them on a slow card."""
    rows = {state: _one(connection, _ROWS, state) or 0 for state in _UNFINISHED}
    rows[State.ASIDE] = _one(connection, "SELECT count(*) FROM plays WHERE state = 4") or 0
    if with_confirmed:
        (everything,) = connection.execute("SELECT count(*) FROM plays").fetchone()
        rows[State.ACKED] = everything - sum(rows.values())
    more = connection.execute("SELECT state, sum(number - 1) FROM plays INDEXED BY packs "
                              "WHERE number > 1 GROUP BY state")  # fmt: skip
    packed = {State(state): plays for state, plays in more}
    return {state: rows[state] + packed.get(state, 0) for state in State if state in rows}


def _last_ack(connection: sqlite3.Connection) -> int | None:
    """The latest among those just below what waits: plays are confirmed in about their order."""
    oldest = [_one(connection, _FIRST, state) for state in _UNFINISHED]
    below = min((each for each in oldest if each is not None), default=1 << 62)
    return _one(connection, _ACKED_BELOW, below, _LOOKED_AT)


def _one(connection: sqlite3.Connection, statement: str, *values: object) -> int | None:
    found = connection.execute(statement, values).fetchone()
    return None if found is None else found[0]


def _aside(connection: sqlite3.Connection) -> list[Aside]:
    found = connection.execute(
        "SELECT pop_id, key, started, extra FROM plays WHERE state = 4 ORDER BY id LIMIT ?",
        (NAMED_MOST,),
    )
    return [
        Aside(pop_id=str(UUID(bytes=pop_id)), key=key, started=started, error=_error_in(extra))
        for pop_id, key, started, extra in found
    ]


def _error_in(extra: bytes | None) -> str:
    told = orjson.loads(extra) if extra else {}
    return str(told.get(ASIDE_REASON, ""))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
