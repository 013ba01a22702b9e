"""What a worker says of itself at this moment: `/statusz`, for people and `pop-stream status`."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

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
    #: None: it is starting.
    work: WorkStatus | None


def serving(look: Callable[[], Status], others: "WSGIApplication") -> "WSGIApplication":
    """Give an app that answers `/statusz` with a status as JSON, and leaves the rest to another."""

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] != PATH:
            return others(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [orjson.dumps(asdict(look()), option=orjson.OPT_INDENT_2)]

    return app
