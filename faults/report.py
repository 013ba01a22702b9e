"""The table of a whole run of the suite."""

from collections import Counter
from collections.abc import Sequence

from faults.run import Played

_HEADER = (
    "| scenario | rows | events | faults | kills | lost | failed checks | seconds |",
    "| --- | --- | ---: | --- | ---: | ---: | --- | ---: |",
)


def as_markdown(played: Sequence[Played]) -> str:
    """One line a scenario, and a line for all."""
    return "\n".join([*_HEADER, *map(_line, played), _sum(played)]) + "\n"


def _line(one: Played) -> str:
    return f"| {one.scenario.name} |"


def _sum(played: Sequence[Played]) -> str:
    return f"| {len(played)} scenarios |"
