"""Events for tests: valid, and written in ways that a program which rewrites JSON would change."""

import random
from collections.abc import Sequence

from pop_stream.pop.identity import uuid7
from tests.support.kafka import Outgoing

_COMPACT = (
    '{"filename":"%(name)s","assetId":"5942a4aac7a201da97cef3a7","ioNumber":"124",'
    '"startTimestamp":"2026-11-20 10:00:00","endTimestamp":"2026-11-20 10:00:15",'
    '"screenState":"Full","siteId":"%(site)s","screenId":"%(screen)s"}'
)
_SPACED = (
    '\n{ "screenId" : "%(screen)s",\t"siteId":"%(site)s", "filename" : "%(name)s",\r\n"assetId": '
    '"gr\\u00fcn", "startTimestamp":"2026-11-20 10:00:00","endTimestamp":"2026-11-20 10:00:15" }'
)
_ODD = (
    '{"filename":"%(name)s","assetId":"grün/☃","startTimestamp":"2026-11-20 10:00:00",'
    '"endTimestamp":"2026-11-20 10:00:15","siteId":"%(site)s","screenId":"%(screen)s",'
    '"extra":[12345678901234567890123,1.10,1e5,-0.0,"\\/"]}'
)
_BODIES = (_COMPACT, _SPACED, _ODD)


def event(
    number: int,
    *,
    filename: str = "ok",
    screens: int = 40,
    partition: int | None = None,
    headers: Sequence[tuple[str, bytes]] = (),
) -> Outgoing:
    """Make an event of one of the screens, with a pop-id. Rules of the mock go by `filename`."""
    site, screen = str(number % min(screens, 20)), str(number % screens)
    body = _BODIES[number % len(_BODIES)] % {"name": filename, "site": site, "screen": screen}
    pop_id = uuid7(1_790_000_000_000 + number, random.getrandbits(74))
    return Outgoing(
        key=f"{site}/{screen}".encode(),
        value=body.encode(),
        headers=[("pop-id", pop_id.encode()), *headers],
        partition=partition,
    )


def events(
    count: int, *, first: int = 0, filename: str = "ok", screens: int = 40
) -> list[Outgoing]:
    """Make that many events. Were all of them to fail, two screens are too few for an outage."""
    numbers = range(first, first + count)
    return [event(number, filename=filename, screens=screens) for number in numbers]


def pop_id_of(sent: Outgoing) -> str:
    """The id of an event of this module."""
    return dict(sent.headers)["pop-id"].decode()


def retry_of(sent: Outgoing, *, not_before: float, partition: int = 0) -> Outgoing:
    """An event as it stands on the retry topic after its first attempt.

    `not_before` is in epoch seconds.
    """
    trail = [
        ("pop-attempt", b"1"),
        ("pop-not-before", str(int(not_before * 1000)).encode()),
        ("pop-origin", b"elsewhere/0/0/1790000000000"),
    ]
    headers = [*sent.headers, *trail]
    return Outgoing(key=sent.key, value=sent.value, headers=headers, partition=partition)


def parked_of(
    sent: Outgoing, *, reason: str = "rejected", redrives: int = 0, partition: int | None = None
) -> Outgoing:
    """An event as it stands on the failure topic once its retries are spent."""
    trail = [
        ("pop-attempt", b"4"),
        ("pop-reason", reason.encode()),
        ("pop-status", b"422"),
        ("pop-origin", b"elsewhere/0/0/1790000000000"),
    ]
    if redrives:
        trail.append(("pop-redrives", str(redrives).encode()))
    headers = [*sent.headers, *trail]
    return Outgoing(key=sent.key, value=sent.value, headers=headers, partition=partition)
