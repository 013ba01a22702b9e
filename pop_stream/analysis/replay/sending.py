"""Does what a plan says: some events at a time, each written down once it is confirmed."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from threading import Event as Flag
from time import monotonic
from typing import Final

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.replay.done import SENT, is_error, together
from pop_stream.analysis.replay.error_rate import ErrorRate, too_many_come_back
from pop_stream.analysis.replay.file_target import FileTarget
from pop_stream.analysis.replay.journal import Journal
from pop_stream.analysis.replay.planned_events import Found
from pop_stream.analysis.replay.target import Target
from pop_stream.analysis.scan import Progress

#: So many are under way at once, at most: a kill may send them twice.
AT_ONCE: Final = 500
#: With a rate, so many of them a second: what is under way stays small.
_TIMES_A_SECOND: Final = 4


class Ending(StrEnum):
    """Why a run ended."""

    DONE = "done"
    PAUSED = "paused"
    MOST = "max"
    ERRORS = "errors"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a person allows a run."""

    #: Events a second; None: as many as the target takes.
    rate: float | None = None
    #: It ends after so many were sent.
    most: int | None = None
    #: It ends when more than so many of a hundred fail.
    stop_at_errors: float | None = None

    @property
    def at_once(self) -> int:
        """How many events are sent together."""
        if self.rate is None:
            return AT_ONCE
        return max(1, min(AT_ONCE, int(self.rate / _TIMES_A_SECOND)))


@dataclass(frozen=True, slots=True)
class Checks:
    """What is asked before each batch, for the world goes on while a plan runs."""

    #: Looks at the world again.
    refresh: Callable[[], None] = lambda: None
    #: Why an event is not sent after all; None: it is.
    objection: Callable[[EventView], str | None] = lambda _: None
    #: How many of those that were sent have failed later on.
    came_back: Callable[[], int] = lambda: 0


@dataclass(slots=True)
class Sending:
    """One run of a plan."""

    journal: Journal
    target: Target
    limits: Limits
    checks: Checks
    pause: Flag
    #: How many events were sent in this run.
    sent: int = 0
    _errors: ErrorRate = field(default_factory=ErrorRate)
    _not_before: float = 0.0

    def run(
        self, found: Iterator[Found], left: int, progress: Callable[[Progress], None]
    ) -> Ending:
        """Send what is found, of which there are `left`; returns why it ended."""
        done = 0
        while batch := list(itertools.islice(found, self._room())):
            self._wait(len(batch))
            if self.pause.is_set():
                return Ending.PAUSED
            done += self._send(batch)
            progress(Progress(done, left))
            if done < left and (ending := self._ending()) is not None:
                return ending
        return Ending.DONE if done >= left else Ending.MOST

    def _room(self) -> int:
        most = self.limits.most
        return self.limits.at_once if most is None else min(
            self.limits.at_once, max(most - self.sent, 0)
        )  # fmt: skip

    def _wait(self, count: int) -> None:
        """Keep to the rate."""
        if self.limits.rate is None:
            return
        while (seconds := self._not_before - monotonic()) > 0 and not self.pause.is_set():
            self.pause.wait(seconds)
        self._not_before = max(self._not_before, monotonic()) + count / self.limits.rate

    def _send(self, batch: Sequence[Found]) -> int:
        """Send a batch and write down how it ended; how many of it are done."""
        self.checks.refresh()
        ended: dict[int, str] = {}
        to_send = []
        for line, event in batch:
            why = event if isinstance(event, str) else self.checks.objection(event)
            if why is not None:
                ended[line.number] = why
            elif not isinstance(event, str):
                to_send.append((line.number, event))
        outcomes = self.target.send([event for _, event in to_send])
        for (number, _), outcome in zip(to_send, outcomes, strict=True):
            if outcome is not None:
                ended[number] = outcome
                self._errors.add([is_error(outcome)])
                self.sent += outcome == SENT
        self._note(ended)
        return len(ended)

    def _note(self, ended: dict[int, str]) -> None:
        if ended:
            length = self.target.bytes if isinstance(self.target, FileTarget) else None
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            self.journal.note(now, together(sorted(ended.items())), file_bytes=length)

    def _ending(self) -> Ending | None:
        if self.target.stopped is not None:
            return Ending.STOPPED
        percent = self.limits.stop_at_errors
        if percent is not None and (
            self._errors.exceeds(percent)
            or too_many_come_back(self.checks.came_back(), self.sent, percent)
        ):
            return Ending.ERRORS
        return Ending.PAUSED if self.pause.is_set() else None
