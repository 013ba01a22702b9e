"""Brings changes to the disk, whatever state the disk and the file are in.

What fails is tried again with more room, or with a mended file. What can still not be written is
declared lost, with its number: never passed over.
"""

import logging
import secrets
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pop_stream.player.outbox import losses, opening, patrol, room
from pop_stream.player.outbox.changes import Ended, Started
from pop_stream.player.outbox.clock import Clock
from pop_stream.player.outbox.file import OutboxFile, is_damage, is_full
from pop_stream.player.outbox.interrupted import close_interrupted, note_heartbeat
from pop_stream.player.outbox.locks import FileLock, recording_lock
from pop_stream.player.outbox.losses import Loss, Reason
from pop_stream.player.outbox.marks import Marks, MarksFile
from pop_stream.player.outbox.room import Limits, Reserve
from pop_stream.player.outbox.writer import Change

log = logging.getLogger(__name__)

_TRIES: Final = 20
_LOOKED_AT_ONCE: Final = 200
#: What a disk that takes nothing leaves in memory.
_LATE_MOST: Final = 10_000


class Recording:
    """The outbox of one recording process. All but the constructor is the writer's to call."""

    def __init__(self, path: Path, *, boot: bytes, limits: Limits, clock: Clock) -> None:
        """Open the outbox, mended where it is damaged.

        Raises OutboxBusyError when another process records into it, and UsageError when the file
        is none of ours. A disk that takes nothing is no error: it is tried again and again.
        """
        self._path = path
        self._boot = boot
        self._limits = limits
        self._clock = clock
        self._numbers: dict[str, int] = {}
        self._kept_from: dict[str, int] = {}
        #: Losses that no play has told of, by screen.
        self._untold: dict[str, list[Loss]] = {}
        #: Those of them that are written down nowhere.
        self._unwritten: list[Loss] = []
        #: Those that the plays being written tell of.
        self._telling: list[Loss] = []
        #: Ends that could not be written.
        self._late: list[Ended] = []
        #: Which file it was when the losses were read.
        self._generation = 0
        #: The last row that was looked at again.
        self._patrolled = 0
        self._lock: FileLock | None = None
        self._file: OutboxFile | None = None
        self._marks: MarksFile | None = None
        self._reserve = Reserve(path)
        self._open()

    @property
    def boot(self) -> bytes:
        """16 random bytes: this start of this process."""
        return self._boot

    @property
    def file(self) -> OutboxFile | None:
        """The file; None as long as it cannot be opened."""
        return self._file

    def next_number(self, key: str) -> int:
        """Give the next number of a screen; no two plays ever get the same."""
        number = self._numbers.get(key, 0) + 1
        self._numbers[key] = number
        return number

    def take_losses(self, connection: sqlite3.Connection, key: str) -> list[Loss]:
        """Losses of a screen that the play which is being written tells of."""
        waiting = [each for each in self._untold.get(key, ()) if each not in self._telling]
        told = waiting[: losses.AT_ONCE]
        losses.forget(connection, told)
        self._telling += told
        return told

    def write(self, changes: Sequence[Change]) -> None:
        """Bring changes to the disk, or declare them lost. Raises nothing."""
        late, self._late = self._late, []
        everything = [*late, *changes]
        reason = self._try_to_write(everything)
        if reason is not None:
            self._refuse(everything, reason)
            return
        for change in everything:
            if isinstance(change, Started):
                change.is_written = True
        for loss in self._telling:
            self._untold[loss.key].remove(loss)
        self._unwritten = [each for each in self._unwritten if each not in self._telling]
        self._write_marks()

    def beat(self) -> None:
        """Note that this process lives: a play that is cut off ends with the last such note."""
        if self._file is None:
            self._open()
        if self._file is None:
            return
        self.write([_Beat(self._clock)])
        self._follow()
        self._patrol()
        if self._unwritten:
            self._write_untold()
        elif not self._is_near_full():
            self._reserve.keep()

    def close(self) -> None:
        """Give everything back."""
        for each in (self._file, self._marks, self._lock):
            if each is not None:
                each.close()
        self._file = None

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._lock is None:
                lock = recording_lock(self._path)
                lock.take("records plays")
                self._lock = lock
            if self._marks is None:
                self._marks = MarksFile(self._path.with_name(f"{self._path.name}.marks"))
            opened = opening.open_outbox(self._path, self._marks.read(), self._boot)
            self._numbers |= {
                key: max(number, self._numbers.get(key, 0))
                for key, number in opened.numbers.items()
            }
            self._kept_from = dict(opened.kept_from)
            self._file = opened.file
            with self._file.transaction() as connection:
                close_interrupted(connection, except_boot=self._boot)
            self._follow()
            self._reserve.keep()
        except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
            log.error(  # noqa: TRY400 - the message says it all, and comes every few seconds
                "outbox.not_opened", extra={"path": str(self._path), "error": str(error)}
            )

    def _try_to_write(self, changes: Sequence[Change]) -> Reason | None:
        """Write all, with whatever it takes. Gives why that cannot be done; None: it was done."""
        for _ in range(_TRIES):
            if self._file is None:
                return Reason.FAILED
            if self._is_near_full() and not self._make_room():
                return Reason.FULL
            self._telling = []
            try:
                with self._file.transaction() as connection:
                    for change in changes:
                        change.apply(connection)
            except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
                reason = self._helped(error)
                if reason is not None:
                    log.error("outbox.not_written", extra={"error": str(error)})  # noqa: TRY400
                    return reason
            else:
                return None
        return Reason.FULL

    def _helped(self, error: Exception) -> Reason | None:
        """Do what lets it be tried again. Gives why it need not; None: it may work now."""
        if is_full(error):
            return None if self._reserve.give() or self._make_room() else Reason.FULL
        if is_damage(error) and self._mend(str(error)):
            return None
        return Reason.FAILED

    def _is_near_full(self) -> bool:
        return (
            self._file is not None and room.used_bytes(self._file.connection) >= self._limits.hard
        )

    def _make_room(self) -> bool:
        if self._file is None:
            return False
        try:
            with self._file.transaction() as connection:
                made = room.make_room(connection, lambda: secrets.token_bytes(16))
            self._file.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error:
            return False
        return made

    def _mend(self, why: str) -> bool:
        """Put a sound file in the place of the damaged one. Gives whether that was possible."""
        if self._file is None:
            return False
        try:
            opening.mend(self._file, Marks(self._numbers, self._kept_from), self._boot, why)
        except (OSError, sqlite3.Error, UnicodeDecodeError) as worse:
            log.error("outbox.not_mended", extra={"error": str(worse)})  # noqa: TRY400
            self._file.close()
            self._file = None
            return False
        return True

    def _follow(self) -> None:
        """Know what was declared lost by whoever has mended the file."""
        if self._file is not None and self._file.generation != self._generation:
            self._generation = self._file.generation
            self._untold = {}
            known = losses.waiting(self._file.connection)
            for loss in [*known, *self._unwritten]:
                self._untold.setdefault(loss.key, []).append(loss)

    def _patrol(self) -> None:
        """Look at some rows again."""
        if self._file is None:
            return
        try:
            looked = patrol.look(self._file.connection, self._patrolled, _LOOKED_AT_ONCE)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            if not is_damage(error):
                raise
            self._mend(str(error))
            return
        self._patrolled = looked.last
        if looked.damaged:
            self._mend(f"{looked.damaged} of its rows are not what was written")

    def _refuse(self, changes: Sequence[Change], reason: Reason) -> None:
        for change in changes:
            if isinstance(change, Started):
                self._declare(change, reason)
            elif isinstance(change, Ended) and len(self._late) < _LATE_MOST:
                self._late.append(change)
        self._write_untold()

    def _declare(self, change: Started, reason: Reason) -> None:
        change.is_lost = True
        key, at = change.row.key, change.row.started
        number = change.number or self.next_number(key)
        loss = Loss(key=key, boot=self._boot, reason=reason, first=number, last=number,
                    since=at, until=at)  # fmt: skip
        before = self._untold.setdefault(key, [])
        last = before[-1] if before else None
        if last in self._unwritten and last.last == number - 1 and last.reason is reason:
            joined = last.joined(loss)
            before[-1] = joined
            self._unwritten[self._unwritten.index(last)] = joined
        else:
            before.append(loss)
            self._unwritten.append(loss)
            log.error("outbox.play_lost", extra={"screen": key, "seq": number, "reason": reason})

    def _write_untold(self) -> None:
        """Have on the disk that something is lost: it needs little room, and the reserve has it."""
        if self._file is None:
            return
        try:
            with self._file.transaction() as connection:
                losses.note(connection, self._unwritten)
                connection.executemany(
                    "INSERT OR REPLACE INTO screens VALUES (?, ?)", list(self._numbers.items())
                )
        except (sqlite3.Error, OSError, UnicodeDecodeError):
            # It stays in memory, and is tried again with the next beat.
            self._reserve.give()
        else:
            self._unwritten.clear()

    def _write_marks(self) -> None:
        if self._marks is not None:
            try:
                self._marks.write(self._numbers, self._kept_from)
            except OSError as error:
                log.warning("outbox.marks_not_written", extra={"error": str(error)})


class _Beat:
    """The note that this process lives."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def apply(self, connection: sqlite3.Connection) -> None:
        """Write it."""
        note_heartbeat(connection, self._clock.wall_ms())
