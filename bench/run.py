"""Runs the rows of a scenario in turn, round by round."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.figures import Values, shown
from bench.measures import measure
from bench.scenario import Row, Scenario
from bench.stage import Stage
from bench.variants import How, Variant
from pop_stream.errors import WorkFailedError


@dataclass(frozen=True, slots=True)
class Found:
    """What came of the rows, by their names."""

    #: Empty for a row that failed.
    rounds: Mapping[str, Sequence[Values]]
    #: Why rows failed: their figures from before count no more.
    failures: Mapping[str, str]


class Runner:
    """Measures on one Kafka, and knows what was measured before."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        #: Runs that are made once.
        self._made: dict[Variant, Values] = {}
        self._runs = 0

    def run(self, scenario: Scenario, rounds: int) -> Found:
        """Run all rows. One whose system ends by itself, or delivers nothing any more, is out."""
        found: dict[str, list[Values]] = {row.name: [] for row in scenario.rows}
        failures: dict[str, str] = {}
        # Before the first run: what is still on its way to the disk should disturb none.
        for row in scenario.rows:
            try:
                self._prepare(row)
            except WorkFailedError as error:
                failures[row.name] = str(error)
        for number in range(rounds):
            for row in in_turn(scenario.rows, number):
                if (row.once and number) or row.name in failures:
                    continue
                self._stage.say(f"round {number + 1} of {rounds}: {row.name}")
                try:
                    found[row.name].append(self._measure(row))
                except WorkFailedError as error:
                    self._stage.say(f"  it failed: {error}")
                    failures[row.name] = str(error)
                    found[row.name].clear()
        return Found(found, failures)

    def _prepare(self, row: Row) -> None:
        if row.variant.how in {How.BACKLOG, How.START} and row.variant not in self._made:
            self._stage.filled(row.variant.topic)

    def _measure(self, row: Row) -> Values:
        if row.once and row.variant in self._made:
            self._stage.say("  was measured before")
            return self._made[row.variant]
        self._runs += 1
        begun_at = time.monotonic()
        values = measure(self._stage, row.variant, f"bench-run-{self._runs}")
        seconds = time.monotonic() - begun_at
        told = ", ".join(f"{name} {shown(value)}" for name, value in values.items())
        self._stage.say(f"  {told} ({seconds:.0f} s)")
        if row.once:
            self._made[row.variant] = values
        return values


def in_turn(rows: Sequence[Row], number: int) -> list[Row]:
    """The rows of a round: nobody is always the first."""
    begin = number % len(rows)
    return [*rows[begin:], *rows[:begin]]
