"""What `pop-stream watch` shows: the last look, and what was counted over all of them.

A field has the name of its metric in `pop_stream.watch.table`. When Kafka does not answer, the last
look stays, and `backlog_probe_last_success_timestamp_seconds` says how old it is.
"""

import math
from collections import Counter
from collections.abc import Callable

from pop_stream.kafka.group import PartitionState
from pop_stream.watch.facts import build
from pop_stream.watch.look import Look
from pop_stream.watch.tally import Numbers

_Place = tuple[str, int]


class BacklogNumbers:
    """The numbers of one `pop-stream watch` since it began. Written by one thread, read by any."""

    def __init__(self, topics: tuple[str, ...]) -> None:
        """`topics` are those that are worked on."""
        self._topics = topics
        #: None: nothing was seen yet.
        self.look: Look | None = None
        self.events_lost_to_retention: Counter[tuple[str, ...]] = Counter(
            {(topic,): 0 for topic in topics}
        )
        self.backlog_probe_errors: Counter[tuple[str, ...]] = Counter()
        self.watch_build = build()
        #: Up to where losses were counted.
        self._counted_to: dict[_Place, int] = {}

    def saw(self, look: Look) -> None:
        """Take a look over."""
        for state in look.partitions:
            if state.committed is not None:
                self._count_lost(state, state.committed)
        self.look = look

    def _count_lost(self, state: PartitionState, committed: int) -> None:
        place = (state.topic, state.partition)
        lost_from = max(committed, self._counted_to.get(place, 0))
        if state.begin > lost_from:
            self.events_lost_to_retention[(state.topic,)] += state.begin - lost_from
            self._counted_to[place] = state.begin

    def missed(self, reason: str) -> None:
        """Count a look that failed."""
        self.backlog_probe_errors[(reason,)] += 1

    def _by_topic(self, of: Callable[[Look, str], float], unknown: float) -> Numbers:
        look = self.look
        return {(t,): unknown if look is None else of(look, t) for t in self._topics}

    def _by_partition(self, of: Callable[[PartitionState], float]) -> Numbers:
        states = () if self.look is None else self.look.partitions
        return {(state.topic, str(state.partition)): of(state) for state in states}

    @property
    def oldest_undelivered_timestamp_seconds(self) -> Numbers:  # noqa: D102
        return self._by_topic(lambda look, topic: look.owed[topic].produced_at or 0.0, 0.0)

    @property
    def retention_deadline_timestamp_seconds(self) -> Numbers:  # noqa: D102
        return self._by_topic(lambda look, topic: look.owed[topic].deleted_at, math.inf)

    @property
    def topic_retention_seconds(self) -> Numbers:  # noqa: D102
        return self._by_topic(lambda look, topic: look.retention_seconds[topic], math.inf)

    @property
    def topic_lag_events(self) -> Numbers:  # noqa: D102
        return self._by_partition(lambda state: state.lag)

    @property
    def committed_offset(self) -> Numbers:  # noqa: D102
        return self._by_partition(lambda state: state.committed or 0)

    @property
    def end_offset(self) -> Numbers:  # noqa: D102
        return self._by_partition(lambda state: state.end)

    @property
    def low_offset(self) -> Numbers:  # noqa: D102
        return self._by_partition(lambda state: state.begin)

    @property
    def failed_events_retained(self) -> int:  # noqa: D102
        return 0 if self.look is None else self.look.parked

    @property
    def group_members(self) -> int:  # noqa: D102
        return 0 if self.look is None else len(self.look.group.members)

    @property
    def group_state(self) -> Numbers:  # noqa: D102
        return {} if self.look is None else {(self.look.group.state,): 1}

    @property
    def backlog_probe_last_success_timestamp_seconds(self) -> float:  # noqa: D102
        return 0.0 if self.look is None else self.look.at

    @property
    def backlog_probe_duration_seconds(self) -> float:  # noqa: D102
        return 0.0 if self.look is None else self.look.seconds
