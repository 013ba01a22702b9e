"""What a worker says of itself at this moment: `/statusz`, for people and `pop-stream status`."""

from dataclasses import asdict, dataclass

import orjson

PATH = "/statusz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Nothing is delivered for now. Times are epoch seconds."""

    #: Why: one of the reasons of `pop_stream.pop.verdict`.
    reason: str
    since: float
    #: When the next event probes whether GSTV is back; in the past while one is under way.
    next_probe_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkStatus:
    """What is under way in a worker."""

    #: None: events are delivered.
    held: Held | None
    in_flight: int
    #: The most attempts that may be under way, as GSTV's latency allows for now.
    in_flight_limit: int
    #: The most attempts that may be started in a second; None: as many as GSTV takes.
    events_per_second_limit: float | None
    #: Events that the worker has taken and not finished.
    unfinished: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One worker at one moment."""

    version: str
    group: str
    stages: tuple[str, ...]
    #: When its event loop last came to look, in epoch seconds; None: it has not begun yet.
    looked_at: float | None = None
    #: Whether it has been given partitions since it began, be it none of them.
    joined: bool = False
    #: Topics that it needs, and that are not there.
    missing_topics: int = 0
    #: None: it is starting.
    work: WorkStatus | None

    def as_json(self) -> bytes:
        """All of it, as one JSON object."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)
