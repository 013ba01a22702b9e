"""Writes changes to an outbox, or declares them lost: none is passed over.

What cannot be written is tried again with more room, or with a mended file. A play for which there
is no help has its number all the same, and the next play of its screen tells of it.
"""

import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from pop_stream.player.outbox import losses
from pop_stream.player.outbox.changes import Ended, Lived, Started
from pop_stream.player.outbox.clock import Clock
from pop_stream.player.outbox.disk import Disk, Why
from pop_stream.player.outbox.limits import Limits
from pop_stream.player.outbox.losses import Loss
from pop_stream.player.outbox.marks import Marks
from pop_stream.player.outbox.settled import settled
from pop_stream.player.outbox.untold import Untold
from pop_stream.player.outbox.writer import Change
from pop_stream.pop.loss import Reason

log = logging.getLogger(__name__)

_TRIES: Final = 20
#: What a disk that takes nothing leaves in memory.
_LATE_MOST: Final = 10_000
#: What a play takes beside its event.
_BESIDE_BYTES: Final = 300


class Recording:
    """The outbox of one recording process. Threads may `refuse`; the rest is the writer's."""

    def __init__(self, path: Path, *, boot: bytes, limits: Limits, clock: Clock) -> None:
        """Open the outbox, mended where it is damaged.

        Raises OutboxBusyError when another process records into it, and UsageError when the file
        is none of ours. A disk that takes nothing is no error: it is tried again and again.
        """
        self._clock = clock
        self._boot = boot
        self._disk = Disk(path, boot=boot, limits=limits)
        #: The last number of each screen that a play got, whatever has become of it.
        self._numbers: dict[str, int] = {}
        self._untold = Untold(boot)
        #: Ends that could not be written.
        self._late: list[Ended] = []
        #: Which file it was when the losses were read.
        self._generation = 0
        try:
            if self._disk.open():
                self._try_to_write(())
        except BaseException:
            self._disk.close()
            raise

    @property
    def boot(self) -> bytes:
        """16 random bytes: this start of this process."""
        return self._boot

    def next_number(self, key: str) -> int:
        """Give the next number of a screen; no two plays ever get the same."""
        self._numbers[key] = self._numbers.get(key, 0) + 1
        return self._numbers[key]

    def take_losses(self, connection: sqlite3.Connection, key: str) -> list[Loss]:
        """Losses of a screen that the play which is being written tells of."""
        return self._untold.take(connection, key)

    def refuse(self, started: Started) -> None:
        """Declare a play lost that cannot even wait; any thread may."""
        started.is_lost = True
        self._untold.refuse(started.row.key, Reason.FAILED, at=started.row.started)

    def write(self, changes: Sequence[Change]) -> None:
        """Bring changes to the disk, or declare them lost. Raises nothing."""
        todo: list[Change] = [*self._late, *changes]
        self._late = []
        why = self._try_to_write(todo)
        if why is None:
            return
        starts = [each for each in todo if isinstance(each, Started)]
        others = [each for each in todo if not isinstance(each, Started)]
        if why is Why.ODD and len(todo) > 1:
            for each in todo:
                self.write([each])
        elif why is Why.FULL and starts and others:
            # An end takes hardly any room, and there is a reserve for it.
            self._refuse(starts, why)
            self.write(others)
        else:
            self._refuse(todo, why)

    def beat(self) -> None:
        """Note that this process lives: a play that is cut off ends with the last such note."""
        lived = Lived(self._clock.wall_ms())
        self.write([lived])
        self._disk.patrol()
        if not self._untold.is_written:
            self._write_untold()
        else:
            self._disk.keep_reserve()

    def close(self) -> None:
        """Give everything back. Twice is no harm."""
        if self._late or not self._untold.is_written:
            self.write([])
        if self._late or not self._untold.is_written:
            log.error("outbox.closed_unwritten", extra={"ends": len(self._late)})
        self._disk.close()

    def _follow(self) -> bool:
        """Have the file open, and know what it knows. Gives whether that is so."""
        if not self._disk.open():
            return False
        if self._disk.generation != self._generation:
            with self._disk.transaction() as connection:
                self._untold.reload(losses.waiting(connection))
            self._generation = self._disk.generation
            for key, number in self._disk.marks.highest.items():
                self._numbers[key] = max(number, self._numbers.get(key, 0))
        return True

    def _try_to_write(self, changes: Sequence[Change]) -> Why | None:
        """Write all, with whatever it takes. Gives why that cannot be done; None: it was done."""
        starts = [each for each in changes if isinstance(each, Started)]
        size = sum(len(each.row.body) + _BESIDE_BYTES for each in starts)
        for _ in range(_TRIES):
            try:
                if not self._follow():
                    return Why.FAILED
                if starts and not self._disk.has_room_for(size):
                    return Why.FULL
                self._write_once(changes)
            except Exception as error:  # noqa: BLE001 - no change may ever stop those behind it
                why = self._disk.help(error)
                if why is not None:
                    log.error("outbox.not_written", extra={"error": str(error)})  # noqa: TRY400
                    return why
            else:
                return None
        return Why.FAILED

    def _write_once(self, changes: Sequence[Change]) -> None:
        self._number_refused()
        with self._disk.transaction() as connection:
            self._untold.begin(connection)
            for change in changes:
                change.apply(connection)
            spans = settled(connection) if any(isinstance(c, Lived) for c in changes) else None
        declared = self._untold.committed()
        marks = self._disk.marks
        if spans is not None:
            marks = replace(marks, settled=spans)
        self._disk.note(_with(marks, changes, declared))

    def _write_untold(self) -> None:
        """Have on the disk that something is lost: it needs little room, and the reserve has it."""
        try:
            self._write_once(())
        except Exception:  # noqa: BLE001 - it stays in memory, and is tried again with the next beat
            self._disk.give_reserve()

    def _refuse(self, changes: Sequence[Change], why: Why) -> None:
        for change in changes:
            if isinstance(change, Started):
                self._declare(change, Reason.FULL if why is Why.FULL else Reason.FAILED)
            elif isinstance(change, Ended) and not change.started.is_lost:
                if why is Why.ODD or len(self._late) >= _LATE_MOST:
                    # The next start of the player closes it.
                    log.error("outbox.end_lost", extra={"screen": change.started.row.key})
                else:
                    self._late.append(change)
        self._write_untold()

    def _declare(self, change: Started, reason: Reason) -> None:
        key, at = change.row.key, change.row.started
        change.is_lost = True
        if not self._generation:
            # Nobody knows yet what the last number in the file is.
            self._untold.refuse(key, reason, at=at)
            return
        number = change.number or self.next_number(key)
        self._untold.declare(key, reason, numbers=(number, number), times=(at, at))

    def _number_refused(self) -> None:
        if not self._generation:
            return
        for key, reason, plays, times in self._untold.take_refused():
            first = self._numbers.get(key, 0) + 1
            self._numbers[key] = last = first + plays - 1
            self._untold.declare(key, reason, numbers=(first, last), times=times)


def _with(marks: Marks, changes: Sequence[Change], declared: Sequence[Loss]) -> Marks:
    """The marks, after these were written."""
    highest, lived = dict(marks.highest), marks.lived
    for change in changes:
        if isinstance(change, Started):
            change.is_written = True
            highest[change.row.key] = max(highest.get(change.row.key, 0), change.number)
        elif isinstance(change, Lived):
            lived = change.wall_ms
    for loss in declared:
        highest[loss.key] = max(highest.get(loss.key, 0), loss.last)
    return replace(marks, highest=highest, lived=lived)
