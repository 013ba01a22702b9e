"""Which events are meant: a pure test of one event, made of everything that was asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from pop_stream.analysis.batches import Glance, places_of
from pop_stream.analysis.condition import Condition, test_of
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.period import Played, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """All of it must hold."""

    conditions: Sequence[Condition] = ()
    played: Played | None = None
    stored: Stored | None = None
    #: Of any of these ids; None: of any id at all.
    pop_ids: frozenset[str] | None = None

    def glance(self) -> Glance | None:
        """A test that costs next to nothing: False only when no event can be meant.

        It looks for texts before anything is parsed, which costs ten times as much. None: there is
        nothing to look for.
        """
        known = (*(each.literals for each in self.conditions), self._starts)
        wanted = [each for each in known if each]
        return Glance(_value_glance(wanted), partial(places_of, wanted[0])) if wanted else None

    @property
    def _starts(self) -> tuple[bytes, ...]:
        """Texts of which an event that was played then holds one, unless it holds an escape."""
        return tuple(each.encode() for each in self.played.prefixes) if self.played else ()

    def test(self) -> Callable[[EventView], bool]:
        """The test of an event: the cheapest questions first."""
        tests: list[Callable[[EventView], bool]] = []
        if (stored := self.stored) is not None:
            tests.append(lambda event: event.timestamp in stored)
        if (pop_ids := self.pop_ids) is not None:
            tests.append(lambda event: event.pop_id in pop_ids)
        tests += [test_of(each) for each in self.conditions]
        if (played := self.played) is not None:
            tests.append(lambda event: event.fields.get("startTimestamp") in played)
        if not tests:
            return lambda _: True
        if len(tests) == 1:
            return tests[0]
        return lambda event: all(test(event) for test in tests)

    def told(self) -> list[str]:
        """What is asked for, for people and for receipts."""
        said = [str(each) for each in (*self.conditions, self.played, self.stored) if each]
        if self.pop_ids is not None:
            said.append(f"one of {len(self.pop_ids):,} ids")
        return said or ["everything"]


def _value_glance(wanted: Sequence[Sequence[bytes]]) -> Callable[[bytes | None], bool]:
    if len(wanted) == len(wanted[0]) == 1:
        # By far the most usual: it is tried twice as fast as many are.
        literal = wanted[0][0]
        return lambda value: value is not None and (literal in value or b"\\" in value)

    def may_be_meant(value: bytes | None) -> bool:
        if value is None:
            return False
        for literals in wanted:
            for literal in literals:
                if literal in value:
                    break
            else:
                # What is written with an escape may read the same.
                return b"\\" in value
        return True

    return may_be_meant
