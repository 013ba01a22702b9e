"""What is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A situation that every system is put in."""

    title: str
    #: How many POSTs may be under way at once.
    in_flight: int
    #: How many events wait when a system starts.
    backlog: int
    partitions: int = 12


SCENARIOS = {
    "a": Scenario(
        title="a backlog, and a partner that answers at once", in_flight=64, backlog=200_000
    ),
}
