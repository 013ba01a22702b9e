"""What players declare lost: how much of it, why, and on which screens.

A player that could not keep a play says so with a later event of the same screen. A number that is
declared more than once is lost once; one that is here all the same is not lost: after a damage a
player tells of what it has no more, and some of that may have been sent before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from pop_stream.analysis.report.spill import SpilledLoss, SpilledNumber

#: So many declarations, and so many screens, are told one by one: the first. All are counted.
MOST_TOLD: Final = 10_000


class Declared(NamedTuple):
    """Numbers that a player declares lost, and what is known of them here."""

    loss: SpilledLoss
    #: How many of them are here all the same.
    here: int
    #: When it must have been, in days since 1970, by what is here before and behind; None: not
    #: known.
    first_day: int | None
    last_day: int | None

    @property
    def plays(self) -> int:
        """How many are lost."""
        return self.loss.last - self.loss.first + 1 - self.here


class OnScreen(NamedTuple):
    """What is declared lost on a screen for one reason."""

    screen: int
    reason: int
    plays: int
    here: int


@dataclass(slots=True)
class OfReason:
    """What is declared lost for one reason."""

    plays: int = 0
    here: int = 0
    screens: int = 0


@dataclass(slots=True)
class Lost:
    """What players declare lost."""

    plays: int = 0
    #: By the number of the reason's name.
    reasons: dict[int, OfReason] = field(default_factory=dict)
    #: The first of all declarations.
    ranges: list[Declared] = field(default_factory=list)
    all_ranges: int = 0
    #: The first of all screens and reasons.
    screens: list[OnScreen] = field(default_factory=list)
    all_screens: int = 0
    #: Events that declare something of which nobody knows what it is.
    unread: int = 0


def apart(losses: Iterable[SpilledLoss]) -> Iterator[SpilledLoss]:
    """Each number once: of a screen, and of losses in the order of their first numbers.

    What is declared again is left to the loss that has it first.
    """
    for _, group in groupby(losses, attrgetter("screen")):
        reach = 0
        for loss in group:
            if loss.last > reach:
                yield loss._replace(first=max(loss.first, reach + 1))
                reach = loss.last


def count_lost(
    losses: Iterable[SpilledLoss], numbers: Iterable[SpilledNumber], *, unread: int = 0
) -> Lost:
    """Go through losses that are apart, and the numbers that are here, of the same screens.

    Both come screen by screen, ascending, and each number once.
    """
    lost, here = Lost(unread=unread), _Here(numbers)
    for screen, group in groupby(losses, attrgetter("screen")):
        reasons: dict[int, OfReason] = {}
        for loss in group:
            declared = here.look(loss)
            _note(lost, declared)
            of_reason = reasons.setdefault(loss.reason, OfReason())
            of_reason.plays += declared.plays
            of_reason.here += declared.here
        for reason, of_reason in sorted(reasons.items()):
            _note_screen(lost, OnScreen(screen, reason, of_reason.plays, of_reason.here))
    return lost


def _note(lost: Lost, declared: Declared) -> None:
    lost.plays += declared.plays
    lost.all_ranges += 1
    if len(lost.ranges) < MOST_TOLD:
        lost.ranges.append(declared)


def _note_screen(lost: Lost, on_screen: OnScreen) -> None:
    of_all = lost.reasons.setdefault(on_screen.reason, OfReason())
    of_all.plays += on_screen.plays
    of_all.here += on_screen.here
    of_all.screens += 1
    lost.all_screens += 1
    if len(lost.screens) < MOST_TOLD:
        lost.screens.append(on_screen)


class _Here:
    """Numbers that are here; they are gone through once."""

    def __init__(self, numbers: Iterable[SpilledNumber]) -> None:
        self._rest = iter(numbers)
        self._next = next(self._rest, None)
        self._screen = 0
        #: Of the last number of the screen that has one.
        self._day: int | None = None

    def look(self, loss: SpilledLoss) -> Declared:
        """What is here of a loss, and beside it."""
        if loss.screen != self._screen:
            self._screen, self._day = loss.screen, None
        self._pass(loss.screen, loss.first)
        before = self._day
        here = self._pass(loss.screen, loss.last + 1)
        after = self._next
        behind = None if after is None or after.screen != loss.screen else after.day
        days = sorted(day for day in (before, behind) if day is not None)
        return Declared(loss, here, *((days[0], days[-1]) if days else (None, None)))

    def _pass(self, screen: int, seq: int) -> int:
        """Pass by what comes before a number of a screen; gives how many of that screen it were."""
        passed = 0
        while (at := self._next) is not None and (at.screen, at.seq or 0) < (screen, seq):
            if at.screen == screen:
                passed += 1
                self._day = self._day if at.day is None else at.day
            self._next = next(self._rest, None)
        return passed
