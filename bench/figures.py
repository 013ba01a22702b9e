"""What the numbers mean: arithmetic only."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What was seen at one moment of a run."""

    #: On the monotonic clock.
    at_seconds: float
    #: Events delivered so far, as the receiver counts them.
    delivered: int
    #: User and system time so far, of a whole process tree each.
    system_cpu_seconds: float
    receiver_cpu_seconds: float
    broker_cpu_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One measured run of one system: what lies between two marks."""

    events: int
    events_per_second: float
    cpu_us_per_event: float
    #: The most memory that was resident, from the start of the process on.
    rss_mb: float
    #: How busy the receiver was: 1.0 is one core, all the time.
    receiver_load: float
    broker_cpu_us_per_event: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The middle of several values, and how far they lie apart."""

    median: float
    lowest: float
    highest: float


def round_between(first: Mark, last: Mark, *, rss_bytes: int) -> Round:
    """Take the difference. Raises ValueError when nothing was delivered in between."""
    events = last.delivered - first.delivered
    seconds = last.at_seconds - first.at_seconds
    if events <= 0 or seconds <= 0:
        raise ValueError("nothing was delivered between the marks")
    receiver_seconds = last.receiver_cpu_seconds - first.receiver_cpu_seconds
    return Round(
        events=events,
        events_per_second=events / seconds,
        cpu_us_per_event=_us(last.system_cpu_seconds - first.system_cpu_seconds, events),
        rss_mb=rss_bytes / 2**20,
        receiver_load=receiver_seconds / seconds,
        broker_cpu_us_per_event=_us(last.broker_cpu_seconds - first.broker_cpu_seconds, events),
    )


def spread(values: Sequence[float]) -> Spread:
    """Summarise values of which there is at least one."""
    return Spread(median=median(values), lowest=min(values), highest=max(values))


def times_the_cpu(rounds: Sequence[Round], base: Sequence[Round]) -> float:
    """How many times the base's CPU an event costs: the median over rounds made side by side."""
    pairs = zip(rounds, base, strict=True)
    return median(one.cpu_us_per_event / other.cpu_us_per_event for one, other in pairs)


def _us(cpu_seconds: float, events: int) -> float:
    return cpu_seconds * 1_000_000 / events
