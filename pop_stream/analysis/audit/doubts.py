"""What keeps an audit from proving anything: evidence that is gone, or cannot be."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pop_stream.analysis.audit.commits import Commits
from pop_stream.analysis.audit.elsewhere import ToldHole
from pop_stream.analysis.roles import Role
from pop_stream.analysis.scan import Span


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why something that counts as delivered may not have been."""

    text: str
    #: Only what was stored before may be concerned, in epoch milliseconds; None: everything.
    before_ms: int | None = None

    def concerns(self, oldest_ms: int | None) -> bool:
        """Whether it does an account whose oldest record was stored then; None: nobody knows."""
        return self.before_ms is None or oldest_ms is None or oldest_ms <= self.before_ms


def doubts_of(
    spans: Iterable[Span],
    roles: Mapping[str, Role],
    commits: Commits,
    holes: Iterable[ToldHole],
    first_stored: Mapping[tuple[str, int], int],
) -> Iterator[Doubt]:
    """Look at where the topics begin and end.

    `first_stored` tells when the first record that a partition keeps was stored, in epoch
    milliseconds, of each that keeps one.
    """
    for span in spans:
        role, place = roles[span.topic], (span.topic, span.partition)
        committed, since = commits.of(*place).committed, first_stored.get(place)
        where = f"{span.topic}/{span.partition}"
        worked_on = role in (Role.EVENTS, Role.RETRY, Role.FAILURE)
        if worked_on and committed is not None and committed > span.end:
            yield Doubt(
                f"{where}: {committed} is committed and the partition ends at {span.end}: the "
                "topic was made anew, or Kafka has lost records"
            )
        elif role is Role.RETRY and span.begin > (committed or 0):
            yield Doubt(
                f"{where}: offsets {committed or 0} to {span.begin - 1} were deleted before they "
                f"were done: up to {span.begin - (committed or 0)} events of those that count as "
                "delivered were not",
                since,
            )
        if role is Role.FAILURE and span.begin > 0:
            yield Doubt(
                f"{where}: offsets 0 to {span.begin - 1} are kept no more: what was parked there "
                "counts as delivered",
                since,
            )
    for hole in holes:
        role_of_hole = roles.get(hole.topic)
        if role_of_hole in (Role.RETRY, Role.FAILURE) and not hole.settled:
            yield Doubt(
                f"{hole.topic}/{hole.partition}: offsets {hole.begin} to {hole.end - 1} were "
                f"deleted before they were done, as the failure topic tells: up to "
                f"{hole.end - hole.begin} events of those that count as delivered were not",
                hole.told_at,
            )
