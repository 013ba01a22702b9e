"""Counts plays in one pass.

Memory grows with the number of different assets, orders, sites, screens and hours, and with nothing
else; of each there are never more than `MOST` names, and what comes beyond is counted as "others".
"""

from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.report.hours import Hour
from pop_stream.analysis.report.lags import Lags
from pop_stream.analysis.report.local_time import HOUR, NOT_PLACED, How, Mark
from pop_stream.analysis.report.lost import Lost, apart, count_lost
from pop_stream.analysis.report.numbers import Numbers, count_numbers
from pop_stream.analysis.report.play import (
    Excluded,
    Exclusion,
    Outside,
    Play,
    Reader,
    Times,
    local_seconds,
)
from pop_stream.analysis.report.spill import Spill, SpilledLoss, SpilledNumber, SpilledPlay
from pop_stream.analysis.report.sweep import Swept, repeats, sweep
from pop_stream.analysis.report.tally import OTHERS, Names, Tally, short
from pop_stream.pop.event import Fault, Flag
from pop_stream.pop.identity import fallback_pop_id, parse_pop_id
from pop_stream.pop.loss import HEADER, read_losses

#: So many names of each kind are told apart.
MOST: Final = 50_000
MOST_SCREENS: Final = 300_000
_SITE_SHIFT: Final = 20
_HOURS: Final = 24
_DAY_SECONDS: Final = _HOURS * HOUR
_MOST_REASONS: Final = 1000
_MOST_DIGITS: Final = 15
_BOOT_BYTES: Final = 64
#: What is said where an event names no insertion order.
NO_ORDER: Final = ""
#: And where a declared loss names no reason.
NO_REASON: Final = ""


class Reason(NamedTuple):
    """Why an event was parked or is tried again, as its record tells."""

    reason: str
    status: str


class _Told(NamedTuple):
    """What the headers of an event tell."""

    pop_id: bytes
    #: The start of its player, and the number that this gave to the event.
    boot: str
    seq: int | None
    #: What it declares lost, as it is written; None: nothing.
    lost: bytes | None


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen of a site."""

    site: str
    screen: str


class Counted:
    """What was counted; filled by `Survey`."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.records = 0
        self.plays = 0
        self.seconds = 0
        self.outside = 0
        self.excluded: Counter[Exclusion | Fault] = Counter()
        self.flags: Counter[Flag] = Counter()
        self.how: Counter[How] = Counter()
        self.assets: Tally[str] = Tally(MOST)
        self.orders: Tally[str] = Tally(MOST)
        self.sites: Tally[str] = Tally(MOST)
        self.screens: Tally[int] = Tally(MOST_SCREENS)
        self.states: Tally[str] = Tally(MOST)
        self.hours: Tally[Hour] = Tally(MOST)
        self.utc_hours: Tally[int | How] = Tally(MOST)
        self.reasons: Tally[Reason] = Tally(_MOST_REASONS)
        #: Of each site, by its number, the plays in each hour of the day.
        self.site_hours = array("Q", bytes(8 * _HOURS))
        self.lags = Lags()
        self.screen_names: Names[str] = Names((1 << _SITE_SHIFT) - 1)
        self.swept = Swept()
        self.numbers = Numbers()
        self.lost = Lost()
        self.loss_reasons: Names[str] = Names(_MOST_REASONS)
        self.repeats = 0

    @property
    def is_balanced(self) -> bool:
        """Whether every record that was read is counted once, as one thing."""
        return self.records == self.plays + self.outside + self.excluded.total()

    def screen_of(self) -> Callable[[int], Screen | None]:
        """What tells the screen of a screen's number; None: of the others."""
        sites, screens = self.sites.names.in_order(), self.screen_names.in_order()
        keys = self.screens.names.in_order()

        def screen(number: int) -> Screen | None:
            key = keys[number]
            if key is None:
                return None
            return Screen(sites[key >> _SITE_SHIFT] or "", screens[key % (1 << _SITE_SHIFT)] or "")

        return screen


class Survey:
    """Takes records one after the other, and tells in the end what they were."""

    def __init__(self, reader: Reader, spill: Spill) -> None:
        """Nothing was read yet."""
        self.counted = Counted()
        self._reader = reader
        self._spill = spill

    def add_line_without_record(self) -> None:
        """Count a line of a file that holds no record."""
        self.counted.records += 1
        self.counted.excluded[Exclusion.NO_RECORD] += 1

    def add(self, event: EventView) -> None:
        """Count a record."""
        counted = self.counted
        counted.records += 1
        said = self._reader.read(event)
        told = _headers_of(event)
        if isinstance(said, Play):
            counted.plays += 1
            counted.seconds += said.times.placed.length
            counted.how[said.times.placed.how] += 1
            if said.flags:
                counted.flags.update(said.flags)
            screen, day = self._count(event, said, told.pop_id)
        else:
            screen, day = self._screen_of(event), None
            if isinstance(said, Excluded):
                counted.excluded[said.why] += 1
            else:
                counted.outside += 1
                day = self._day_outside(event)
        if event.is_ours and not isinstance(said, Outside):
            self._count_reason(event, said)
        if screen != OTHERS and (told.seq is not None or isinstance(said, Play)):
            self._spill.add_number(SpilledNumber(screen, told.boot, told.seq, day))
        if told.lost is not None:
            self._note_losses(screen, told.pop_id, told.lost)

    def finish(self, *, gap_seconds: int) -> Counted:
        """Look at what has to be in order, and give everything."""
        counted = self.counted
        counted.swept = sweep(self._spill.by_time(), gap_seconds=gap_seconds)
        self._spill.keep_lost(apart(self._spill.by_loss()))
        counted.numbers = count_numbers(self._spill.by_number(), self._spill.lost_within)
        counted.lost = count_lost(
            self._spill.losses(), self._spill.beside_losses(), unread=self._spill.unread()
        )
        for play in repeats(self._spill.repeated()):
            counted.repeats += 1
            counted.assets.add_repeat(play.asset)
            counted.orders.add_repeat(play.io)
            counted.sites.add_repeat(play.site)
            counted.screens.add_repeat(play.screen)
            counted.hours.add_repeat(play.hour)
        return counted

    def _count(self, event: EventView, play: Play, pop_id: bytes) -> tuple[int, int | None]:
        counted, fields, times = self.counted, event.fields, play.times
        placed, start = times.placed, times.start
        length = placed.length
        asset = counted.assets.add(fields["assetId"], 1, length)
        io = counted.orders.add(_order_of(fields), 1, length)
        site = counted.sites.add(fields["siteId"], 1, length)
        counted.states.add(_state_of(fields), 1, length)
        screen = self._screen(site, fields["screenId"], 1, length)
        hour = self._count_hours(times)
        self._count_site_hour(site, start)
        self._count_lag(play)
        is_sure = placed.mark not in (Mark.AMBIGUOUS, Mark.SKIPPED)
        known_as: bytes | None = pop_id
        for began, ended in placed.readings or ((start, start + length),):
            self._spill.add_play(
                SpilledPlay(site, screen, began, ended, asset, io, hour, known_as, is_sure)
            )
            known_as = None
        return screen, None if hour == OTHERS else start // _DAY_SECONDS

    def _count_hours(self, times: Times) -> int:
        hours, utc_hours = self.counted.hours, self.counted.utc_hours
        (hour, seconds), *others = times.hours
        own = hours.add(hour, 1, seconds)
        for hour, seconds in others:
            hours.add(hour, 0, seconds)
        if not times.utc_hours:
            utc_hours.add(times.placed.how, 1, times.placed.length)
            return own
        (moment, seconds), *later = times.utc_hours
        utc_hours.add(moment, 1, seconds)
        for moment, seconds in later:
            utc_hours.add(moment, 0, seconds)
        return own

    def _count_site_hour(self, site: int, start: int) -> None:
        hours = self.counted.site_hours
        if (missing := (site + 1) * _HOURS - len(hours)) > 0:
            hours.extend(bytes(missing))
        hours[site * _HOURS + start // HOUR % _HOURS] += 1

    def _count_lag(self, play: Play) -> None:
        lags, placed = self.counted.lags, play.times.placed
        if play.stored_ms < 0 or placed.how in NOT_PLACED:
            lags.unknown += 1
        else:
            lags.add(play.stored_ms / 1000 - placed.readings[0][1])

    def _count_reason(self, event: EventView, said: Play | Excluded) -> None:
        told = Reason(short(event.text("reason") or ""), short(event.text("status") or ""))
        length = said.times.placed.length if isinstance(said, Play) else 0
        self.counted.reasons.add(told, 1, length)

    def _note_losses(self, screen: int, pop_id: bytes, value: bytes) -> None:
        losses = read_losses(value)
        if losses is None or (losses and screen == OTHERS):
            self._spill.add_unread(pop_id)
            return
        for loss in losses:
            reason = self.counted.loss_reasons.number(loss.reason)
            self._spill.add_loss(
                SpilledLoss(screen, loss.first, loss.last, reason, loss.since, loss.until)
            )

    def _screen_of(self, event: EventView) -> int:
        """The screen of what is no play: by its fields, else by its key."""
        site, screen = (event.fields.get(name) for name in ("siteId", "screenId"))
        if type(site) is not str or type(screen) is not str:
            parts = (event.text("key") or "").split("/")
            if len(parts) != 2:
                return OTHERS
            site, screen = parts
        return self._screen(self.counted.sites.add(site, 0, 0), screen, 0, 0)

    def _screen(self, site: int, screen: str, plays: int, seconds: int) -> int:
        counted = self.counted
        label = counted.screen_names.number(screen)
        if OTHERS in (site, label):
            return counted.screens.add_other(plays, seconds)
        return counted.screens.add(site << _SITE_SHIFT | label, plays, seconds)

    def _day_outside(self, event: EventView) -> int | None:
        """The day before all that is asked for, or the one after: more is not needed of it."""
        period = self._reader.period
        start = event.fields["startTimestamp"]
        if period is None:
            return None
        if start < period.begin:
            return _day_of(period.begin) - 1
        # A period may end within a day, of which what comes after is not asked for.
        return -(-_seconds_of(period.end) // _DAY_SECONDS)


def _day_of(text: str) -> int:
    return _seconds_of(text) // _DAY_SECONDS


def _seconds_of(text: str) -> int:
    return local_seconds(text) or 0


def _order_of(fields: dict[str, Any]) -> str:
    order = fields.get("ioNumber", fields.get("tiNumber"))
    return order if type(order) is str else NO_ORDER


def _state_of(fields: dict[str, Any]) -> str:
    state = fields.get("screenState", "none")
    return state if state in ("Full", "Partial", "none") else "other"


def _headers_of(event: EventView) -> _Told:
    # Of several of one name the last counts.
    headers = dict(event.headers)
    number = headers.get("pop-seq", b"")
    seq = int(number) if number.isdigit() and len(number) <= _MOST_DIGITS else None
    boot = headers.get("pop-boot", b"")[:_BOOT_BYTES]
    if event.is_ours:
        pop_id = event.pop_id
    else:
        pop_id = parse_pop_id(headers.get("pop-id")) or fallback_pop_id(
            event.topic, event.partition, event.offset
        )
    return _Told(
        bytes.fromhex(pop_id.replace("-", "")), boot.decode("utf-8", "replace"), seq,
        headers.get(HEADER),
    )  # fmt: skip
