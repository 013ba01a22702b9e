"""How a worker fared in the last hour: a sample each ten seconds, and what follows from them.

What has gone through is noted as totals, never as rates: two of them tell the rate between them,
however far apart they are.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from pop_stream.watch.status import Failures, Flow

HOUR_SECONDS = 3600.0
SAMPLE_SECONDS = 10.0
#: The rates of the page are those of so long.
RATE_SECONDS = 60.0
#: A rate over less would be chance.
_LEAST_SECONDS = 5.0
#: An hour has so many samples between its ends.
MOST_SAMPLES = int(HOUR_SECONDS / SAMPLE_SECONDS) + 1

#: How many events, by reason.
Reasons = Mapping[str, int]


class Totals(NamedTuple):
    """How many events have gone each way since the worker began."""

    #: From the players' topic.
    taken: int = 0
    #: To GSTV, at whichever attempt.
    delivered: int = 0
    #: To the retry topic, and from there.
    retried: int = 0
    due: int = 0
    #: To the failure topic.
    parked: int = 0
    #: From the failure topic to the notification topic.
    notified: int = 0
    #: From the failure topic back to the retry topic.
    redriven: int = 0


class Backlog(NamedTuple):
    """What is on a worker's partitions from their first unfinished events on."""

    events: int
    #: When Kafka said so, in epoch seconds.
    at: float
    #: Which assignment it is of: that of other partitions is not to be compared with it.
    assignment: int


class Sample(NamedTuple):
    """A worker at one moment."""

    #: In epoch seconds.
    at: float
    totals: Totals
    retried: Reasons
    parked: Reasons
    in_flight: int
    #: None: not known yet.
    backlog: Backlog | None


class History:
    """The samples of the last hour. Written by one thread, and read by any."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=MOST_SAMPLES)
        self._due_at = float("-inf")

    def is_due(self, now: float) -> bool:
        """Whether it is time for a sample; `now` is in monotonic seconds."""
        return now >= self._due_at

    def add(self, sample: Sample, now: float) -> None:
        """Keep a sample that was taken at `now`, in monotonic seconds."""
        self._due_at = now + SAMPLE_SECONDS
        if self._samples and sample.at <= self._samples[-1].at:
            # The clock was put back: what was before cannot be told from what comes.
            self._samples.clear()
        self._samples.append(sample)

    @property
    def samples(self) -> Sequence[Sample]:
        """All of them, oldest first."""
        return tuple(self._samples)


def since(samples: Sequence[Sample], at: float) -> Sample | None:
    """Give the sample to compare with when asked for what was since `at`, in epoch seconds.

    It is the last from before; else the oldest. None: there is none.
    """
    found = None
    for sample in samples:
        if found is not None and sample.at > at:
            break
        found = sample
    return found


def flows_of(samples: Sequence[Sample], totals: Totals, now: float) -> dict[str, Flow]:
    """How many events go each way; `totals` are those of `now`, in epoch seconds."""
    before = since(samples, now - RATE_SECONDS)
    seconds = 0.0 if before is None else now - before.at
    return {
        name: Flow(
            total=total,
            per_second=(
                (total - getattr(before.totals, name)) / seconds
                if before is not None and seconds > 0
                else 0.0
            ),
        )
        for name, total in totals._asdict().items()
    }


def growth_of(samples: Sequence[Sample], backlog: Backlog | None) -> float | None:
    """How fast the backlog grows, in events a second; None when that is not known yet.

    Only backlogs of one assignment are compared: others are of other partitions.
    """
    if backlog is None:
        return None
    like = [
        sample
        for sample in samples
        if sample.backlog is not None and sample.backlog.assignment == backlog.assignment
    ]
    before = since(like, backlog.at - RATE_SECONDS)
    if before is None or before.backlog is None:
        return None
    seconds = backlog.at - before.backlog.at
    return (backlog.events - before.backlog.events) / seconds if seconds >= _LEAST_SECONDS else None


def failures_of(
    samples: Sequence[Sample],
    retried: Reasons,
    parked: Reasons,
    last_at: Mapping[str, float],
    now: float,
) -> tuple[Failures, ...]:
    """How many events failed for each reason, the latest first.

    `retried` and `parked` are the totals of `now`, in epoch seconds; `last_at` says when the last
    of each was.
    """
    before = since(samples, now - HOUR_SECONDS)
    was_retried = {} if before is None else before.retried
    was_parked = {} if before is None else before.parked
    found = [
        Failures(
            reason=reason,
            retried_in_hour=retried.get(reason, 0) - was_retried.get(reason, 0),
            retried=retried.get(reason, 0),
            parked_in_hour=parked.get(reason, 0) - was_parked.get(reason, 0),
            parked=parked.get(reason, 0),
            last_at=at,
        )
        for reason, at in last_at.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.last_at, each.reason)))


class Point(NamedTuple):
    """A value at one moment, in epoch seconds."""

    at: float
    value: float


def delivered_points(samples: Sequence[Sample]) -> list[Point]:
    """How many events a second were delivered up to each sample."""
    return [
        Point(each.at, (each.totals.delivered - before.totals.delivered) / (each.at - before.at))
        for before, each in pairwise(samples)
        if each.at > before.at
    ]


def backlog_points(samples: Sequence[Sample]) -> list[Point]:
    """The backlog at each sample, where it was known."""
    return [Point(each.at, each.backlog.events) for each in samples if each.backlog is not None]


def in_flight_points(samples: Sequence[Sample]) -> list[Point]:
    """How many attempts were under way at each sample."""
    return [Point(each.at, each.in_flight) for each in samples]
