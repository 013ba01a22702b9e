"""Checks events one after the other, and says which rules they break."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import orjson

from pop_stream.player.checking.evidence import Evidence
from pop_stream.player.checking.of_event import broken_by_event
from pop_stream.player.checking.of_headers import broken_by_headers, identity_of
from pop_stream.player.checking.rules import RULES, Level, Rule
from pop_stream.player.checking.together import Together
from pop_stream.player.outbox.event import key_of
from pop_stream.pop.event import Rules
from pop_stream.pop.trail import is_replayed


@dataclass(slots=True)
class Tally:
    """How often a rule is broken, and where for the first time."""

    rule: Rule
    #: False: nothing that was read says anything about it.
    is_checked: bool = False
    broken: int = 0
    place: str = ""
    reason: str = ""

    def add(self, place: str, reason: str, number: int = 1) -> None:
        """It is broken once more."""
        if not self.broken:
            self.place, self.reason = place, reason
        self.broken += number


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found."""

    events: int
    #: Came again as they were, under their old ids, as they may.
    repeats: int
    #: Were written by pop-stream itself, and say nothing of the player.
    replayed: int
    tallies: tuple[Tally, ...]

    @property
    def broken(self) -> list[Tally]:
        """Rules that must not be broken, and are."""
        return [each for each in self.tallies if each.broken and each.rule.level is Level.MUST]

    @property
    def conforms(self) -> bool:
        """Whether there were events, and none breaks a rule that it must not."""
        return bool(self.events) and not self.broken


class Check:
    """A check of events. Use it as a context manager: it keeps something on the disk."""

    def __init__(self, *, rules: Rules, latest: str) -> None:
        """`rules` and `latest` are those of `read_event`."""
        self._rules = rules
        self._latest = latest
        self._together = Together()
        self._tallies = {rule: Tally(rule) for rule in RULES}
        self._events = 0
        self._records = 0
        self._replayed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._together.close()

    def take(self, evidence: Evidence) -> None:
        """Check one more event. Raises WorkFailedError when the disk is full."""
        if evidence.is_record and is_replayed(evidence.headers):
            self._replayed += 1
            return
        self._events += 1
        self._count(evidence, broken_by_event(evidence, rules=self._rules, latest=self._latest))
        if not evidence.is_record:
            return
        self._records += 1
        identity = identity_of(evidence.headers)
        self._count(evidence, broken_by_headers(evidence, identity))
        self._count(evidence, self._together.take(evidence, identity, _screen(evidence)))

    def verdict(self) -> Verdict:
        """What was found in all of them."""
        for rule, place, reason, number in self._together.broken_numbers():
            self._tallies[rule].add(place, reason, number)
        for tally in self._tallies.values():
            tally.is_checked = bool(self._records if tally.rule.of_record else self._events)
        return Verdict(
            events=self._events,
            repeats=self._together.repeats,
            replayed=self._replayed,
            tallies=tuple(self._tallies.values()),
        )

    def _count(self, evidence: Evidence, broken: Iterable[tuple[Rule, str]]) -> None:
        for rule, reason in broken:
            self._tallies[rule].add(evidence.place, reason)


def _screen(evidence: Evidence) -> str:
    if evidence.key is not None:
        return evidence.key.decode("utf-8", "backslashreplace")
    try:
        fields = orjson.loads(evidence.value or b"null")
    except orjson.JSONDecodeError:
        return ""
    return key_of(fields) if isinstance(fields, dict) else ""
