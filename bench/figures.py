"""What the numbers mean: arithmetic only."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

#: The figures of one run, by their names, which tell the unit.
Values = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What was seen at one moment of a run."""

    #: On the monotonic clock.
    at_seconds: float
    #: Events delivered so far, as the receiver counts them.
    delivered: int
    #: User and system time so far, of all processes of each.
    system_cpu_seconds: float
    receiver_cpu_seconds: float
    broker_cpu_seconds: float
    #: Of all else on this machine, and what it had to give away (steal).
    other_cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Sample:
    """The memory of a system at one moment of a run."""

    delivered: int
    #: Resident now, all its processes together.
    rss_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The middle of several values, and how far they lie apart."""

    median: float
    lowest: float
    highest: float


def between(first: Mark, last: Mark) -> Values:
    """What lies between two marks. Raises ValueError when nothing was delivered in between."""
    events = last.delivered - first.delivered
    seconds = last.at_seconds - first.at_seconds
    if events <= 0 or seconds <= 0:
        raise ValueError("nothing was delivered between the marks")
    receiver_seconds = last.receiver_cpu_seconds - first.receiver_cpu_seconds
    other_seconds = last.other_cpu_seconds - first.other_cpu_seconds
    return {
        "events": events,
        "events_per_second": events / seconds,
        "cpu_us_per_event": _us(last.system_cpu_seconds - first.system_cpu_seconds, events),
        # How busy the receiver was: 1.0 is one core, all the time.
        "receiver_load": receiver_seconds / seconds,
        # The same of what has no part in it: 0.0 on a quiet machine.
        "other_load": max(0.0, other_seconds / seconds),
        "broker_cpu_us_per_event": _us(last.broker_cpu_seconds - first.broker_cpu_seconds, events),
    }


def spread(values: Sequence[float]) -> Spread:
    """Summarise values of which there is at least one."""
    return Spread(median=median(values), lowest=min(values), highest=max(values))


def times(figure: str, rounds: Sequence[Values], base: Sequence[Values]) -> float:
    """How many times the base's figure it is: the median over rounds made side by side.

    What was not measured in each round of the base is compared by the medians.
    """
    if len(rounds) == len(base):
        return median(one[figure] / other[figure] for one, other in zip(rounds, base, strict=True))
    return median(one[figure] for one in rounds) / median(one[figure] for one in base)


def percentile(values: Sequence[float], percent: float) -> float:
    """The least value that at least so many percent do not exceed; of at least one value."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def memory(samples: Sequence[Sample], events: int) -> Values:
    """Give the memory in each fifth of the events, as medians: a peak that passes is no growth.

    Growth is from the second fifth to the last. Empty when a fifth has fewer than three samples.
    """
    fifths: list[list[float]] = [[] for _ in range(5)]
    for one in samples:
        fifths[min(4, 5 * one.delivered // events)].append(one.rss_mb)
    if min(map(len, fifths)) < 3:
        return {}
    medians = {f"rss_mb_fifth_{number}": median(each) for number, each in enumerate(fifths, 1)}
    return medians | {"growth_mb": medians["rss_mb_fifth_5"] - medians["rss_mb_fifth_2"]}


def shown(value: float) -> str:
    """A figure for people, with three digits or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:.3g}"


def _us(cpu_seconds: float, events: int) -> float:
    return cpu_seconds * 1_000_000 / events
