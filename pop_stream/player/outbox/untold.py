"""The losses of which no play has told yet: those of the file, and those in memory only."""

import logging
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pop_stream.player.outbox import losses
from pop_stream.player.outbox.facts import note_number
from pop_stream.player.outbox.losses import Loss
from pop_stream.pop.loss import Reason

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Refused:
    """Plays of a screen that have got no number yet."""

    plays: int
    since: int
    until: int


class Untold:
    """Losses on their way to the next play of their screens. All but `refuse` is the writer's."""

    def __init__(self, boot: bytes) -> None:
        """`boot` is this start of this process."""
        self._boot = boot
        self._waiting: dict[str, list[Loss]] = {}
        #: Those of them that are written down nowhere.
        self._unwritten: list[Loss] = []
        #: Those that the plays being written tell of.
        self._telling: list[Loss] = []
        self._refused: dict[tuple[str, Reason], _Refused] = {}
        self._door = threading.Lock()

    @property
    def is_written(self) -> bool:
        """Whether the file has all of them."""
        return not self._unwritten and not self._refused

    def refuse(self, key: str, reason: Reason, *, at: int) -> None:
        """A play that cannot be taken, at a moment in which nobody can say what its number is."""
        with self._door:
            before = self._refused.get((key, reason))
            if before is None:
                log.error("outbox.play_refused", extra={"screen": key, "reason": reason})
            self._refused[key, reason] = (
                _Refused(1, at, at) if before is None
                else replace(before, plays=before.plays + 1, until=at)
            )  # fmt: skip

    def take_refused(self) -> list[tuple[str, Reason, int, tuple[int, int]]]:
        """What was refused since, to be declared: screen, reason, number, and from when to when."""
        if not self._refused:
            return []
        with self._door:
            taken, self._refused = self._refused, {}
        return [(key, reason, each.plays, (each.since, each.until))
                for (key, reason), each in taken.items()]  # fmt: skip

    def declare(
        self, key: str, reason: Reason, *, numbers: tuple[int, int], times: tuple[int, int]
    ) -> None:
        """Numbers of a screen whose plays will never be there."""
        (first, last), (since, until) = numbers, times
        loss = Loss(key=key, boot=self._boot, reason=reason, first=first, last=last, since=since,
                    until=until)  # fmt: skip
        waiting = self._waiting.setdefault(key, [])
        before = waiting[-1] if waiting else None
        if before is not None and before.is_followed_by(loss):
            waiting[-1] = before.joined(loss)
            if before in self._unwritten:
                self._unwritten.remove(before)
        else:
            waiting.append(loss)
            log.error("outbox.play_lost", extra={"screen": key, "seq": first, "reason": reason})
        self._unwritten.append(waiting[-1])

    def begin(self, connection: sqlite3.Connection) -> None:
        """Write down, in a transaction, those that stand nowhere."""
        self._telling = []
        # One that has grown takes the place of what it was.
        losses.forget(connection, self._unwritten)
        losses.note(connection, self._unwritten)
        for loss in self._unwritten:
            note_number(connection, loss.key, loss.last)

    def take(self, connection: sqlite3.Connection, key: str) -> list[Loss]:
        """What the play of a screen that is being written tells of."""
        waiting = [each for each in self._waiting.get(key, ()) if each not in self._telling]
        told = waiting[: losses.AT_ONCE]
        losses.forget(connection, told)
        self._telling += told
        return told

    def committed(self) -> list[Loss]:
        """The transaction that has begun is on the disk. Gives what of them it wrote."""
        for loss in self._telling:
            self._waiting[loss.key].remove(loss)
        self._telling = []
        written, self._unwritten = self._unwritten, []
        return written

    def reload(self, known: Sequence[Loss]) -> None:
        """Begin anew with what a file knows."""
        self._waiting = {}
        for loss in _once([*known, *self._unwritten]):
            self._waiting.setdefault(loss.key, []).append(loss)


def _once(found: Iterable[Loss]) -> list[Loss]:
    return list(dict.fromkeys(found))
