"""Headers as they are really written, by whoever writes them, of one event that has much behind it.

What stands on the page is taken from here, so a header that is written no more is on it no more,
and one that is new has no meaning yet, which a test finds.
"""

from collections.abc import Iterable

from pop_stream.gstv.endpoint import parse_endpoint
from pop_stream.gstv.request import RequestHead
from pop_stream.player.outbox.changes import INTERRUPTED
from pop_stream.player.play_headers import play_headers, time_headers
from pop_stream.pop.loss import HEADER as LOST
from pop_stream.pop.trail import (
    Failure,
    Origin,
    Trail,
    headers_of,
    redriven,
    replayed,
    trail_from_own_topic,
)
from pop_stream.stream.handoff import Outgoing

_ID = "019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77"
_TRACE = ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
_LOST = b'[{"reason":"outbox-full","first":48101,"last":48112,"plays":12}]'
_STARTED_MS = 1_795_190_400_250
_ORIGIN = Origin("pop-events", 3, 1007, _STARTED_MS + 15_104)

Sample = dict[str, str]


def record_samples() -> dict[str, Sample]:
    """By the title of its table, the headers of a record, in the order of writing."""
    trail = Trail(
        _ID, _ORIGIN, attempts=1, not_before=_STARTED_MS + 21_000,
        first_failed_at=_STARTED_MS + 16_000, carried=(_TRACE,),
    )  # fmt: skip
    failure = Failure("transient", 503, "HTTP 503", ("extra-fields",))
    waiting = headers_of(trail, failure)
    parked = headers_of(trail._replace(attempts=4, not_before=0), failure)
    back = redriven(parked)
    again = replayed(
        parked, trail_from_own_topic(parked, _ORIGIN), replay="late-november", is_ours=True
    )
    cut = Outgoing("pop-events-failure", b"1202/3", bytes(100_000), parked).trimmed().headers
    return {
        "`pop-events`: what players write": _sample(_of_player()),
        "`pop-events-retry`: what waits for its next attempt": _sample(waiting),
        "`pop-events-failure`: what is parked": _sample(parked),
        "Added when a record was too large": _added(cut, parked),
        "Added when a parked event is sent back": _added(back, parked),
        "Added by `pop-stream events replay`": _added(again, parked),
        "`pop-failure-notifications`": {"pop-id": _ID},
    }


def http_sample() -> Sample:
    """The headers of a POST, in the order of writing."""
    head = RequestHead(parse_endpoint("http://pop.example.com/v1/pops", ssl_context=None))
    sent = head.request(b"{}", _ID, 1, _TRACE[1].decode())
    lines = sent.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines)


def _of_player() -> list[tuple[str, bytes]]:
    times = time_headers(
        started=_STARTED_MS, ended=_STARTED_MS + 15_004, lasted=15_004, offset=-360,
        zone="America/Chicago", clock="synced",
    )  # fmt: skip
    boot = b"5f0c6d8e2b914a37a1c05e9f7d3b6284"
    own = play_headers(_ID.encode(), 48_113, boot, times)
    return [*own, (INTERRUPTED, b"true"), (LOST, _LOST), _TRACE]


def _sample(headers: Iterable[tuple[str, bytes]]) -> Sample:
    return {name: value.decode() for name, value in headers}


def _added(headers: Iterable[tuple[str, bytes]], before: Iterable[tuple[str, bytes]]) -> Sample:
    known = {name for name, _ in before}
    return {name: value for name, value in _sample(headers).items() if name not in known}
