"""Keeps the history of a worker, from its tally: samples, and when which failures were."""

from collections.abc import Mapping, Sequence

from pop_stream.watch.history import (
    Backlog,
    History,
    Reasons,
    Sample,
    Totals,
    failures_of,
    flows_of,
)
from pop_stream.watch.status import Failures, Flow
from pop_stream.watch.tally import Counts, Tally


class Recorder:
    """Looks at a tally. Written in the worker's loop, and read by any thread."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._history = History()
        #: How many failed for each reason at the last look, and when the last did.
        self._failed: Reasons = {}
        self._last_at: Mapping[str, float] = {}

    def look(self, now: float, at: float, backlog: Backlog | None) -> None:
        """Note what is new; `now` is in monotonic seconds, `at` the same in epoch seconds."""
        tally = self._tally
        if tally.retries_scheduled or tally.failed_events:
            self._look_for_failures(at)
        if self._history.is_due(now):
            sample = Sample(
                at=at,
                totals=totals_of(tally),
                retried=by_reason(tally.retries_scheduled),
                parked=by_reason(tally.failed_events),
                in_flight=tally.in_flight_deliveries,
                backlog=backlog,
            )
            self._history.add(sample, now)

    def _look_for_failures(self, at: float) -> None:
        failed: dict[str, int] = {}
        for counts in (self._tally.retries_scheduled, self._tally.failed_events):
            for (reason,), count in counts.items():
                failed[reason] = failed.get(reason, 0) + count
        if failed != self._failed:
            new = {reason: at for reason, n in failed.items() if n != self._failed.get(reason, 0)}
            self._failed, self._last_at = failed, {**self._last_at, **new}

    @property
    def samples(self) -> Sequence[Sample]:
        """The samples of the last hour, oldest first."""
        return self._history.samples

    def flows(self, at: float) -> dict[str, Flow]:
        """How many events go each way; `at` is now, in epoch seconds."""
        return flows_of(self.samples, totals_of(self._tally), at)

    def failures(self, at: float) -> tuple[Failures, ...]:
        """How many events failed for each reason; `at` is now, in epoch seconds."""
        tally = self._tally
        return failures_of(
            self.samples,
            by_reason(tally.retries_scheduled),
            by_reason(tally.failed_events),
            self._last_at,
            at,
        )


def totals_of(tally: Tally) -> Totals:
    """How many events have gone each way by now."""
    return Totals(
        taken=tally.events_received["forward",],
        delivered=tally.events_completed["delivered",],
        retried=_all(tally.retries_scheduled),
        due=tally.events_received["retry",],
        parked=_all(tally.failed_events),
        notified=tally.failure_notifications["topic", "sent"],
        redriven=tally.redriven_events[()],
    )


def by_reason(counts: Counts) -> Reasons:
    """Counts that have the reason for their only label."""
    return {reason: count for (reason,), count in counts.copy().items()}


def _all(counts: Counts) -> int:
    return sum(counts.copy().values())
