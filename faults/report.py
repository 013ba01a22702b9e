"""The tables of a whole run of the suite."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from faults.run import Played

_SCENARIOS = (
    "| scenario | rows | events | faults | lost | duplicates | recovered in s | failed checks |",
    "| --- | --- | ---: | --- | ---: | --- | ---: | --- |",
)
_CONTROLS = ("| planted defect | what it does | caught by |", "| --- | --- | --- |")


@dataclass(frozen=True, slots=True)
class Caught:
    """What came of a planted defect."""

    name: str
    title: str
    #: The checks that had to find it, and did; none: it was not caught.
    by: tuple[str, ...]
    #: All checks that failed.
    failed: tuple[str, ...]


def scenarios_as_markdown(played: Sequence[Played]) -> str:
    """One line a scenario, and one for all."""
    faults: Counter[str] = Counter()
    for one in played:
        faults += one.faults
    failed = sum(bool(one.failed) for one in played)
    everything = (
        f"| {len(played)} scenarios | | {sum(one.events for one in played):,} | "
        f"{_counted(faults)} | {sum(one.measured('loss') for one in played):g} | "
        f"{sum(one.measured('duplicate budget') for one in played):,g} | "
        f"{max((one.measured('progress') for one in played), default=0):.1f} | {failed} failed |"
    )
    return "\n".join([*_SCENARIOS, *map(_line, played), everything]) + "\n"


def controls_as_markdown(caught: Sequence[Caught]) -> str:
    """One line a defect."""
    lines = [
        f"| {one.name} | {one.title} | {', '.join(one.by) or '**not caught**'} |" for one in caught
    ]
    return "\n".join([*_CONTROLS, *lines]) + "\n"


def _line(one: Played) -> str:
    return (
        f"| {one.scenario.name} | {one.scenario.rows} | {one.events:,} | {_counted(one.faults)} | "
        f"{one.measured('loss'):g} | {one.detail('duplicates')} | "
        f"{one.measured('progress'):.1f} | {', '.join(one.failed)} |"
    )


def _counted(faults: Counter[str]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(faults.items()))
