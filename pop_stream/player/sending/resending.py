"""Has plays sent again that are done with: what Kafka confirmed once, and what was set aside."""

import sqlite3
from collections.abc import Callable, Container, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Final

import orjson

from pop_stream.errors import WorkFailedError, why
from pop_stream.player.outbox.clock import local_time
from pop_stream.player.outbox.file import OutboxFile, is_full
from pop_stream.player.outbox.packing import unpacked
from pop_stream.player.outbox.row import COLUMNS, Row, State, seal_of, sound_row
from pop_stream.player.sending.record import ASIDE_REASON

#: Plays are written down and sent meanwhile: each turn is short.
_AT_ONCE: Final = 1000
_NEXT: Final = (
    f"SELECT {', '.join(COLUMNS)} FROM plays "  # noqa: S608 - our own names
    "WHERE id > ? AND id <= ? AND state = ? ORDER BY id LIMIT ?"
)
#: By its seal, which tells its state, too: nobody has changed it meanwhile.
_AGAIN: Final = (
    f"UPDATE plays SET state = {State.READY:d}, seal = ?, extra = ?, acked = NULL "  # noqa: S608
    "WHERE id = ? AND pop_id = ? AND seal = ?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which plays are to be sent again. What is None may be anything."""

    #: ACKED, or ASIDE.
    state: State = State.ACKED
    #: Times like `2026-11-20 10:00:00`, in the time of the site.
    played: Container[object] | None = None
    #: When Kafka confirmed them, in epoch milliseconds.
    stored: Container[object] | None = None
    #: `siteId/screenId`.
    screens: frozenset[str] | None = None
    pop_ids: frozenset[bytes] | None = None

    def has(self, row: Row) -> bool:
        """Whether it is one of them; a pack is, when one of its plays is.

        Raises ValueError and TypeError for a pack that cannot be read.
        """
        if self.stored is not None and row.acked not in self.stored:
            return False
        return any(self._has(play) for play in unpacked(row))

    def _has(self, play: Row) -> bool:
        return (
            (self.screens is None or play.key in self.screens)
            and (self.pop_ids is None or play.pop_id in self.pop_ids)
            and (self.played is None or _begin_of(play) in self.played)
        )


@dataclass(slots=True)
class Resent:
    """What has become of it."""

    #: Plays that wait again; counted twice when the file was mended meanwhile.
    plays: int = 0
    #: Rows that are not what was written. They stay as they are.
    damaged: int = 0


def resend(
    path: Path, wanted: Wanted, *, is_dry_run: bool = False,
    told: Callable[[int, int], None] = lambda _done, _total: None,
) -> Resent:  # fmt: skip
    """Have plays wait again, under their old pop-ids; others may record and send meanwhile.

    `told` is called with the rows that were looked at, and how many there are.

    Raises WorkFailedError when the file cannot be read or written; what was done by then stays.
    """
    try:
        with closing(OutboxFile(path)) as file:
            return _walk(file, wanted, is_dry_run=is_dry_run, told=told)
    except (OSError, sqlite3.Error) as error:
        said = "the disk is full" if is_full(error) else why(error)
        raise WorkFailedError(
            f"{path} cannot be used ({said}); this user must be able to write to it, and to its "
            "folder, and `pop-stream player verify` says whether it is damaged"
        ) from error


def _walk(
    file: OutboxFile, wanted: Wanted, *, is_dry_run: bool, told: Callable[[int, int], None]
) -> Resent:
    resent, after, generation = Resent(), 0, file.generation
    last = _newest(file)
    while True:
        values = (after, last, wanted.state, _AT_ONCE)
        found = file.connection.execute(_NEXT, values).fetchall()
        rows = [row for each in found if (row := sound_row(each)) is not None]
        chosen = [row for row in rows if _is_wanted(row, wanted, resent)]
        if not is_dry_run:
            chosen = _sent_again(file, chosen)
        resent.plays += sum(row.number for row in chosen)
        if file.generation != generation:
            # Somebody has mended the file: its rows have other numbers now.
            resent, after, generation = Resent(resent.plays), 0, file.generation
            last = _newest(file)
            continue
        resent.damaged += len(found) - len(rows)
        if len(found) < _AT_ONCE:
            told(last, last)
            return resent
        after = found[-1][0]
        told(after, last)


def _newest(file: OutboxFile) -> int:
    """The row that was begun last: what is confirmed while it walks was not meant."""
    (last,) = file.connection.execute("SELECT coalesce(max(id), 0) FROM plays").fetchone()
    return int(last)


def _is_wanted(row: Row, wanted: Wanted, resent: Resent) -> bool:
    try:
        return wanted.has(row)
    except (ValueError, TypeError):
        resent.damaged += 1
        return False


def _sent_again(file: OutboxFile, rows: Sequence[Row]) -> list[Row]:
    """Have these wait; gives those that nobody has changed meanwhile."""
    done = []
    if rows:
        with file.transaction() as connection:
            for row in rows:
                again = replace(row, state=State.READY, extra=_without_reason(row.extra))
                values = (seal_of(again), again.extra, row.id, row.pop_id, row.seal)
                if connection.execute(_AGAIN, values).rowcount:
                    done.append(row)
    return done


def _begin_of(play: Row) -> str:
    """When it began, as its site's clock showed it."""
    return local_time(play.started, timezone(timedelta(minutes=play.offset))).text


def _without_reason(extra: bytes | None) -> bytes | None:
    told = orjson.loads(extra) if extra else None
    if not isinstance(told, dict) or ASIDE_REASON not in told:
        return extra
    del told[ASIDE_REASON]
    return orjson.dumps(told) if told else None
