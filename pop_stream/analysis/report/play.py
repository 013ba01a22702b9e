"""A record, read for the report: a play that counts, or the reason why it does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.period import Played
from pop_stream.analysis.report.hours import Hour, local_hours, split
from pop_stream.analysis.report.local_time import NOT_PLACED, How, Placed, SiteClock, place
from pop_stream.analysis.report.site_zones import SiteZones
from pop_stream.pop.event import Fault, Flag, Quarantine, Rules, read_event
from pop_stream.pop.hole import GONE
from pop_stream.pop.play_times import LETTERS, latest_local_time, time_of_play
from pop_stream.pop.trail import reason_of

DAY_SECONDS: Final = 86_400
_LOCAL_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - as a site's clock shows it
_SECOND: Final = timedelta(seconds=1)
_MINUTE_MS: Final = 60_000
#: The year 9999.
_LATEST_MS: Final = 253_402_300_799_000


class Exclusion(StrEnum):
    """Why a record is not counted as a play, beside the faults of `pop_stream.pop.event`."""

    UNREADABLE_TIME = "unreadable-time"
    END_BEFORE_START = "end-before-start"
    #: No play is that long: one of its times is wrong.
    OVER_A_DAY = "over-a-day"
    #: It only tells of records that were deleted.
    GONE = "gone"
    #: A line of a file that holds no record.
    NO_RECORD = "no-record"


class Excluded(NamedTuple):
    """Not counted as a play."""

    why: Exclusion | Fault


class Times(NamedTuple):
    """When a play was."""

    #: Its start in seconds since 1970, as the site's clock showed it.
    start: int
    placed: Placed
    #: Hours of the site's clock, each with its seconds of airtime; the first is that of the start.
    hours: Sequence[tuple[Hour, int]]
    #: Hours of UTC since 1970, likewise; empty when its moment is not known.
    utc_hours: Sequence[tuple[int, int]]


class Play(NamedTuple):
    """A play that counts."""

    times: Times
    flags: tuple[Flag, ...]
    #: When the event came to Kafka, in epoch milliseconds; -1 when that is not known.
    stored_ms: int


class Outside(NamedTuple):
    """It was played at another time than is asked for."""


_OUTSIDE: Final = Outside()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads records. The same record is always read in the same way."""

    rules: Rules
    zones: SiteZones
    #: None: whenever it was.
    period: Played | None
    #: For records of which Kafka does not say when they were stored.
    now: datetime

    def read(self, event: EventView) -> Play | Excluded | Outside:
        """Say what a record is."""
        if event.is_ours and reason_of(event.headers) == GONE:
            return Excluded(Exclusion.GONE)
        at = _stored_ms(event)
        latest = _latest_at(at // _MINUTE_MS) if 0 <= at < _LATEST_MS else self._latest_now
        said = read_event(event.value, event.key, rules=self.rules, latest=latest)
        fields = event.fields
        if self.period is not None and _is_outside(fields.get("startTimestamp"), self.period):
            return _OUTSIDE
        if isinstance(said, Quarantine):
            return Excluded(said.fault)
        times = self._times(fields, at)
        return Play(times, said.flags, at) if isinstance(times, Times) else Excluded(times)

    def _times(self, fields: Mapping[str, str], stored_ms: int) -> Times | Exclusion:
        clock, overlong = self.zones.clock(fields["siteId"]), self.rules.overlong.total_seconds()
        start, end = fields["startTimestamp"], fields["endTimestamp"]
        if len(start) != LETTERS or len(end) != LETTERS:
            # Not looked up either: what is kept of texts is to be small.
            return Exclusion.UNREADABLE_TIME
        times = _usual_times(clock, start, end, overlong)
        if stored_ms >= 0 and isinstance(times, Times) and times.placed.how is How.AMBIGUOUS:
            return _times_of(clock, (start, end), stored_ms / 1000, overlong)
        return times

    @property
    def _latest_now(self) -> str:
        return latest_local_time(self.now)


def _stored_ms(event: EventView) -> int:
    # The records of our own topics are younger than the event.
    return event.trail.origin.timestamp if event.is_ours else event.timestamp


def _is_outside(start: Any, period: Played) -> bool:
    return type(start) is str and local_seconds(start) is not None and start not in period


# The screens of a site play in step, so that the same two times come again and again.
@lru_cache(maxsize=4096)
def _usual_times(
    clock: SiteClock | None, start: str, end: str, overlong: float
) -> Times | Exclusion:
    return _times_of(clock, (start, end), None, overlong)


def _times_of(
    clock: SiteClock | None, texts: tuple[str, str], stored: float | None, overlong: float
) -> Times | Exclusion:
    began, ended = map(local_seconds, texts)
    if began is None or ended is None:
        return Exclusion.UNREADABLE_TIME
    placed = place(clock, began, ended, stored=stored, overlong=overlong)
    if placed is None:
        return Exclusion.END_BEFORE_START
    if placed.length > DAY_SECONDS:
        return Exclusion.OVER_A_DAY
    utc = () if placed.how in NOT_PLACED else tuple(split(placed.readings[0][0], placed.length))
    return Times(began, placed, tuple(local_hours(clock, began, placed)), utc)


def local_seconds(text: str) -> int | None:
    """A time as an event writes it, in seconds since 1970; None when it is none."""
    return _local_seconds(text) if len(text) == LETTERS else None


@lru_cache(maxsize=16_384)
def _local_seconds(text: str) -> int | None:
    at = time_of_play(text)
    return None if at is None else (at - _LOCAL_EPOCH) // _SECOND


@lru_cache(maxsize=4096)
def _latest_at(minute: int) -> str:
    return latest_local_time(datetime.fromtimestamp(minute * 60 + 60).astimezone())
