"""A model of the players: what they write, be it an event or not."""

from dataclasses import dataclass
from typing import Final

from tests.simulation.broker import Headers, Spot

#: How a value begins that is no event.
NO_EVENT: Final = b"no event"


@dataclass(frozen=True, slots=True)
class Event:
    """What a player wrote."""

    number: int
    pop_id: str
    key: bytes | None
    value: bytes
    spot: Spot


def play(
    number: int, screen: int | None, *, readable: bool = True, named: bool = True
) -> tuple[bytes | None, bytes, Headers]:
    """The key, the value and the headers of the event with this number."""
    key = None if screen is None else b"s-1/%d" % screen
    value = _event(number, screen or 0) if readable else NO_EVENT + b"%d" % number
    headers = [("tracing", b"%d" % number)]
    if named:
        headers.append(("pop-id", b"%08x-0000-7000-8000-000000000000" % number))
    return key, value, headers


def _event(number: int, screen: int) -> bytes:
    return (
        b'{"filename":"GSTV.a.webm","assetId":"%d","startTimestamp":"2026-11-20 10:00:00",'
        b'"endTimestamp":"2026-11-20 10:00:15","siteId":"s-1","screenId":"%d"}' % (number, screen)
    )
