"""What is measured, by letters."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from bench.scenario import Choice, Scenario
from bench.scenarios import beside, growing, pairs
from bench.variants import ALL_CORES

#: In the order in which they are measured.
SCENARIOS: Mapping[str, Callable[[Choice], Scenario]] = {
    "a": beside.instant,
    "b": beside.slow,
    "c": beside.latency,
    "d": pairs.failing,
    "e": pairs.https,
    "f": growing.growing,
    "g": pairs.ordered,
    "h": pairs.receipts,
    "i": beside.start,
    "j": growing.memory,
}


def scenario(key: str, choice: Choice) -> Scenario:
    """Make one of them."""
    made = SCENARIOS[key](choice)
    if not choice.all_cores:
        return made
    rows = [replace(row, variant=replace(row.variant, cores=ALL_CORES)) for row in made.rows]
    notes = [*made.notes, "Run with `--all-cores`: everything may use all of them, in each row."]
    return replace(made, rows=rows, notes=notes)
