"""A day of some sites, for reports: with an outage, a screen that was dark, and late arrivals."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.period import Played, parse_played
from pop_stream.analysis.report.play import Reader
from pop_stream.analysis.report.report import Report, Source
from pop_stream.analysis.report.site_zones import SiteZones, parse_site_zones
from pop_stream.analysis.report.spill import Spill
from pop_stream.analysis.report.survey import Survey
from pop_stream.pop.event import Rules
from pop_stream.pop.identity import uuid7

ZONE = "America/Chicago"
MADE_AT = datetime(2026, 11, 3, 9, tzinfo=UTC)
#: The clocks go back in it.
DAY = "2026-11-01"
_FIRST = datetime(2026, 11, 1, 5, tzinfo=UTC)
_HOURS = 27
_LOOP = 12


def report_of(
    events: Sequence[EventView] | Iterator[EventView],
    *,
    zone: str | None = None,
    zones: SiteZones | None = None,
    period: Played | None = None,
    gap_seconds: int = 600,
    partial: str | None = None,
) -> Report:
    """Make a report of events."""
    known = zones or parse_site_zones(None, zone)
    reader = Reader(rules=Rules(), zones=known, period=period, now=MADE_AT)
    with Spill() as spill:
        survey = Survey(reader, spill)
        for event in events:
            survey.add(event)
        counted = survey.finish(gap_seconds=gap_seconds)
    return Report(
        source=Source(name="pop-events", places=counted.records, not_meant=0),
        asked=[str(period)] if period else ["everything"],
        period=period,
        zones=known,
        gap_seconds=gap_seconds,
        counted=counted,
        made_at=MADE_AT,
        is_partial_because=partial,
    )


def sunday() -> Report:
    """The report of the day on which the clocks go back."""
    return report_of(sunday_events(), zone=ZONE, period=parse_played(None, None, day=DAY))


def sunday_events(*, sites: int = 12, screens: int = 2, seconds: int = 60) -> Iterator[EventView]:
    """Plays of sites that are open at different hours, each of so many seconds."""
    rng, offset = random.Random(11), 0
    zone = ZoneInfo(ZONE)
    for site in range(sites):
        opens, closes = (0, 24) if site % 3 == 0 else (5 + site % 3, 24 - site % 4)
        seqs = dict.fromkeys(range(screens), 0)
        for step in range(_HOURS * 3600 // seconds):
            begun = _FIRST + timedelta(seconds=step * seconds)
            local = begun.astimezone(zone)
            if not opens <= local.hour < closes:
                continue
            for screen in range(screens):
                if (site, screen) == (4, 1) and 9 <= local.hour < 13:
                    continue
                seqs[screen] += 1
                if (site, screen, local.hour) == (7, 0, 18) and local.minute < 5:
                    continue
                lag = rng.expovariate(1 / 4)
                if site == 2 and 10 <= local.hour < 16:
                    lag += (16 - local.hour) * 3600 - local.minute * 60
                offset += 1
                ended = begun + timedelta(seconds=seconds)
                yield _play((f"{1200 + site}", f"{screen + 1}"), begun, ended, offset=offset,
                            lag=lag, seq=seqs[screen], spot=step % _LOOP)  # fmt: skip


def _play(
    place: tuple[str, str],
    begun: datetime,
    ended: datetime,
    *,
    offset: int,
    lag: float,
    seq: int,
    spot: int,
) -> EventView:
    zone = ZoneInfo(ZONE)
    start, end = (at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") for at in (begun, ended))
    fields = {"filename": f"GSTV-{spot:04d}.webm", "assetId": f"5942a4aac7a201da97cef{spot:03d}"}
    if spot % 3:
        fields["ioNumber"] = str(120 + spot // 2)
    fields |= {"startTimestamp": start, "endTimestamp": end, "siteId": place[0],
               "screenId": place[1]}  # fmt: skip
    key = "/".join(place).encode()
    headers = [("pop-id", uuid7(1_790_000_000_000 + offset, offset).encode()),
               ("pop-seq", str(seq).encode()), ("pop-boot", b"b-" + key)]  # fmt: skip
    return EventView(
        "pop-events", 0, offset, timestamp=int((ended.timestamp() + lag) * 1000), key=key,
        value=orjson.dumps(fields), headers=headers, is_ours=False,
    )  # fmt: skip


def played_at(first: str, minute: int) -> EventView:
    """A play of a minute in Chicago, so many minutes after a moment; stored at once."""
    begun = datetime.fromisoformat(first) + timedelta(minutes=minute)
    return _play(("1202", "7"), begun, begun + timedelta(minutes=1), offset=minute, lag=2.0,
                 seq=minute + 1, spot=1)  # fmt: skip
