"""What may differ between two runs: values only."""

from dataclasses import dataclass, field
from enum import StrEnum

OURS = "pop-stream"
ONE_CORE, TWO_CORES, ALL_CORES = 1, 2, None


class How(StrEnum):
    """What a run is."""

    #: All events wait when the workers start; measured between two parts of the backlog.
    BACKLOG = "backlog"
    #: The workers are warm and idle when all events are there at once; measured as a whole.
    BURST = "burst"
    #: Events come one by one, evenly.
    STEADY = "steady"
    #: One event waits.
    START = "start"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic with events of simulated players."""

    events: int
    partitions: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What the partner does with a POST."""

    answers_after_seconds: float = 0.0
    #: Of this share of the events, from 0 to 1, the first attempt is answered with 500.
    fails_first_share: float = 0.0
    https: bool = False
    #: Whether it notes when each event came, which only the mock does.
    keeps_ledger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """All that makes a run."""

    system: str = OURS
    how: How = How.BACKLOG
    topic: Topic
    behaviour: Behaviour = field(default_factory=Behaviour)
    #: How many POSTs one worker may have under way at once.
    in_flight: int = 64
    workers: int = 1
    #: How many cores all processes share, Kafka and the receiver among them. None: all there are.
    cores: int | None = ONE_CORE
    #: Of pop-stream, beside those that every run has: names without the prefix, and values.
    settings: tuple[tuple[str, str], ...] = ()
    #: Whether the system writes to topics itself: then each run has new ones.
    writes: bool = False
    #: The part of the backlog at which measuring ends. What is left keeps the worker's memory as
    #: full as at the start of the measuring: else events that were read before it began, and are
    #: delivered while it lasts, would seem to cost no reading.
    until: float = 0.9
    #: Measuring ends after that time in any case; what must be delivered to the last is an error.
    most_seconds: float = 60.0
    #: With `How.STEADY`.
    events_per_second: float = 0.0
