"""The headers that tell when a play was, by which clock, and how far that clock is to be trusted.

The event itself has the time on the site's wall, without a zone: in the hour that comes twice a
year it means two moments. These headers leave no doubt.
"""

from dataclasses import dataclass

from pop_stream.pop.moments import utc


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayTimes:
    """When a play was; by the player's wall clock where nothing else is said."""

    #: In epoch milliseconds, as is `ended`.
    started: int
    ended: int
    #: Milliseconds by a clock that nobody sets; None when that is not known.
    lasted: int | None
    #: Of the site, from UTC, in minutes, at the start.
    offset: int
    #: By its IANA name.
    zone: str
    #: What is known of the wall clock (`outbox.clock.Sync`).
    clock: str


def time_headers(times: PlayTimes) -> list[tuple[str, bytes]]:
    """The headers, in the order of docs/players.md."""
    told = [
        ("pop-start-utc", utc(times.started)),
        ("pop-end-utc", utc(times.ended)),
        ("pop-tz", times.zone),
        ("pop-utcoffset", offset_text(times.offset)),
        ("pop-clock", times.clock),
    ]
    if times.lasted is not None:
        told.append(("pop-mono-ms", str(times.lasted)))
    return [(name, value.encode()) for name, value in told]


def offset_text(minutes: int) -> str:
    """An offset from UTC: -06:00."""
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"
