"""What is counted, and that nothing is passed over."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.period import parse_played
from pop_stream.analysis.report import survey, tally
from pop_stream.analysis.report.local_time import How
from pop_stream.analysis.report.page import render
from pop_stream.analysis.report.play import Exclusion
from pop_stream.analysis.report.report import Report
from pop_stream.analysis.report.table import Cell
from pop_stream.analysis.report.tables import tables
from pop_stream.pop.event import Fault, Flag
from tests.support.report_page import played_at, report_of
from tests.unit.analysis.report.naive import naive_report
from tests.unit.analysis.report.records import RECORDS, STORED, record

CHICAGO = "America/Chicago"


def rows(report: Report, name: str) -> list[tuple[Cell, ...]]:
    """The rows of a table."""
    (found,) = [table for table in tables(report) if table.name == name]
    return list(found.rows())


def counts(report: Report, name: str, *, names: int = 1) -> tuple[Counter[str], Counter[str]]:
    """Plays and seconds of a table, by its first cells; names with none of both are left out."""
    plays, seconds = Counter[str](), Counter[str]()
    for row in rows(report, name):
        key = "/".join(str(cell) for cell in row[:names])
        plays[key] += int(row[names] or 0)
        seconds[key] += int(row[names + 1] or 0)
    return plays, seconds


@given(st.lists(RECORDS, max_size=25))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_it_counts_what_a_naive_count_counts(events: Sequence[EventView]) -> None:
    """By asset, order, site, screen and hour; with repeats, and what is no play."""
    report, naive = report_of(events), naive_report(events)
    short = tally.short

    assert report.is_balanced
    assert (report.counted.plays, report.counted.seconds) == (naive.plays, naive.seconds)
    assert report.counted.excluded.total() == naive.excluded
    assert report.counted.repeats == naive.repeats
    for name, dimension, columns in (("assets", "asset", 1), ("orders", "order", 1),
                                     ("sites", "site", 1), ("screens", "screen", 2),
                                     ("hours", "hour", 1)):  # fmt: skip
        plays, seconds = counts(report, name, names=columns)
        wanted = [
            Counter({"/".join(map(short, key.split("/"))): number for key, number in one.items()})
            for one in (naive.counts.get(dimension, {}), naive.airtime.get(dimension, {}))
        ]
        # Counters are equal where zeros are missing.
        assert [plays, seconds] == wanted, name


@given(st.lists(RECORDS, max_size=25), st.sampled_from([None, CHICAGO, "Asia/Kathmandu"]),
       st.sampled_from([None, "2026-11-01", "2026-11-20"]))  # fmt: skip
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_the_sums_of_all_dimensions_agree(
    events: Sequence[EventView], zone: str | None, day: str | None
) -> None:
    """Plays, airtime and repeats; and every record is counted once, as one thing."""
    period = None if day is None else parse_played(None, None, day=day)
    report = report_of(events, zone=zone, period=period)
    counted = report.counted

    assert report.is_balanced
    assert counted.records == len(events)
    for name in ("assets", "orders", "sites", "screens", "screen_states", "days", "hours"):
        sums = [sum(int(row[at] or 0) for row in rows(report, name)) for at in (-3, -2, -1)]
        if name == "screen_states":
            sums[2] = counted.repeats
        assert sums == [counted.plays, counted.seconds, counted.repeats], name
    assert sum(int(row[-1] or 0) for row in rows(report, "site_hours")) == counted.plays
    assert sum(counted.how.values()) == counted.plays
    lags = counted.lags
    assert lags.known + lags.ahead + lags.unknown == counted.plays
    first, *others = rows(report, "accounts")
    assert first[2] == sum(int(row[2] or 0) for row in others) == len(events)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"value": b"no JSON"}, Fault.NOT_JSON),
        ({"value": None}, Fault.NO_VALUE),
        ({"value": b"[]"}, Fault.NOT_AN_OBJECT),
        ({"assetId": None}, Fault.MISSING_REQUIRED_FIELD),
        ({"siteId": 7}, Fault.REQUIRED_FIELD_NOT_STRING),
        ({"startTimestamp": "soon"}, Exclusion.UNREADABLE_TIME),
        ({"endTimestamp": "2026-11-20T10:00:15"}, Exclusion.UNREADABLE_TIME),
        ({"endTimestamp": "2026-11-20 09:00:00"}, Exclusion.END_BEFORE_START),
        ({"endTimestamp": "2026-11-21 10:00:01"}, Exclusion.OVER_A_DAY),
        ({"is_ours": True, "headers": (("pop-reason", b"gone"),)}, Exclusion.GONE),
    ],
)
def test_what_is_no_play_has_a_line_of_its_own(given: dict[str, Any], why: str) -> None:
    """It is counted under what is wrong with it, and in nothing else."""
    report = report_of([record(1, **given), record(2)])

    assert report.counted.excluded == {why: 1}
    assert report.counted.plays == 1
    assert rows(report, "accounts") == [
        ("offsets", "read", 2), (str(why), "excluded", 1), ("plays", "counted", 1)
    ]  # fmt: skip


def test_a_day_leaves_out_other_days_and_not_what_cannot_be_read() -> None:
    """Of what has no readable time nobody knows of which day it is."""
    events = [record(1), record(2, startTimestamp="2026-11-21 00:00:00"), record(3, value=b"x"),
              record(4, startTimestamp="soon"),
              record(5, assetId=None, startTimestamp="2026-11-19 10:00:00")]  # fmt: skip
    counted = report_of(events, period=parse_played(None, None, day="2026-11-20")).counted

    assert (counted.plays, counted.outside) == (1, 2)
    assert counted.excluded == {Fault.NOT_JSON: 1, Exclusion.UNREADABLE_TIME: 1}


def every_minute(first: str, minutes: int) -> list[EventView]:
    """Plays of a minute each, from a moment of UTC on, as a clock in Chicago shows them."""
    return [played_at(first, minute) for minute in range(minutes)]


@pytest.mark.parametrize(
    ("day", "first", "hours"),
    [("2026-03-08", "2026-03-08T06:00:00Z", 23), ("2026-11-01", "2026-11-01T05:00:00Z", 25)],
)
def test_a_day_of_23_or_of_25_hours_has_as_many(day: str, first: str, hours: int) -> None:
    """Each with its 60 plays; and the day says how long it is."""
    report = report_of(every_minute(first, hours * 60), zone=CHICAGO)

    assert rows(report, "days") == [(day, str(hours), hours * 60, hours * 3600, 0)]
    shown = rows(report, "hours")
    assert len(shown) == len(rows(report, "utc_hours")) == hours
    assert {row[1:3] for row in shown} == {(60, 3600)}
    names = [row[0] for row in shown]
    if hours == 25:
        assert names[:4] == ["2026-11-01 00:00", "2026-11-01 01:00 CDT", "2026-11-01 01:00 CST",
                             "2026-11-01 02:00"]  # fmt: skip
    else:
        assert names[1:3] == ["2026-03-08 01:00", "2026-03-08 03:00"]


def test_what_is_ambiguous_or_skipped_is_counted_and_told() -> None:
    """In a row of its own, and in no hour of UTC."""
    report = report_of(
        [
            record(1, startTimestamp="2026-11-01 01:30:00", endTimestamp="2026-11-01 01:30:15"),
            record(2, startTimestamp="2026-03-08 02:30:00", endTimestamp="2026-03-08 02:30:15"),
            record(3),
        ],
        zone=CHICAGO,
    )

    assert report.counted.how == {How.AMBIGUOUS: 1, How.SKIPPED: 1, How.PLAIN: 1}
    assert [row[:3] for row in rows(report, "hours")] == [
        ("2026-03-08 02:00 (skipped by the clock)", 1, 15),
        ("2026-11-01 01:00 (ambiguous)", 1, 15),
        ("2026-11-20 10:00", 1, 15),
    ]
    assert rows(report, "utc_hours") == [
        ("2026-11-20 16:00", 1, 15), ("(ambiguous)", 1, 15), ("(skipped)", 1, 15)
    ]  # fmt: skip
    assert report.counted.repeats == 0
    assert report.counted.swept.twice == 0


def test_repeats_are_told_beside_the_plays() -> None:
    """In each dimension: the plays without repeats are those that were."""
    report = report_of([record(1), record(1), record(1), record(2, assetId="a2")])

    assert rows(report, "assets") == [("a1", 3, 45, 2), ("a2", 1, 15, 0)]
    assert rows(report, "screens") == [("1202", "7", 4, 60, 2)]
    swept = report.counted.swept
    assert (swept.twice, swept.twice_under_another_id) == (2, 0)
    # Of two assets at once on one screen.
    assert swept.overlaps.number == 1


def test_a_repeat_counts_in_the_hour_of_its_start() -> None:
    """As its play does, also where it lasts into the next."""
    times = {"startTimestamp": "2026-11-20 09:59:50", "endTimestamp": "2026-11-20 10:00:05"}
    report = report_of([record(1, **times), record(1, **times)])

    assert rows(report, "hours") == [("2026-11-20 09:00", 2, 20, 1), ("2026-11-20 10:00", 0, 10, 0)]


def test_of_what_is_parked_the_lag_is_that_of_its_first_record() -> None:
    """When it came to Kafka, not when it was parked; that tells the pass of an hour, too."""
    parked = {"is_ours": True, "stored": 1_800_000_000_000}
    origin = (("pop-origin", f"pop-events/0/17/{STORED}".encode()),)
    report = report_of([record(1, headers=origin, **parked)], zone=CHICAGO)

    assert rows(report, "late_percentiles")[-1] == ("100%", 15)


def test_the_same_play_under_another_id_is_told() -> None:
    """It is no repeat by its id; and no overlap."""
    swept = report_of([record(1), record(2), record(3, screen="8")]).counted.swept

    assert (swept.twice, swept.twice_under_another_id, swept.overlaps.number) == (1, 1, 0)


def test_flags_and_reasons_are_told() -> None:
    """By the rules of delivery; reasons of our own topics only."""
    parked = (("pop-reason", b"rejected"), ("pop-status", b"422"))
    report = report_of([
        record(1, extra=1), record(2, headers=parked), record(3, is_ours=True, headers=parked),
        record(4, is_ours=True, headers=(("pop-reason", b"quarantined"),), value=b"x"),
        record(5, startTimestamp="2026-11-21 10:00:00", endTimestamp="2026-11-21 10:00:15"),
    ])  # fmt: skip

    assert report.counted.flags == {Flag.EXTRA_FIELDS: 1, Flag.IN_THE_FUTURE: 1}
    assert rows(report, "reasons") == [("rejected", "422", 1), ("quarantined", "", 1)]


def test_late_plays_are_told_where_the_zone_is_known() -> None:
    """From the end of the play until it was stored."""
    report = report_of([record(1), record(2, stored=-1)], zone=CHICAGO)

    assert rows(report, "late_percentiles")[0] == ("50%", 15)
    assert (report.counted.lags.known, report.counted.lags.unknown) == (1, 1)
    assert not [table for table in tables(report_of([record(1)])) if "late" in table.name]


def test_names_beyond_the_limit_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory has a bound, and the sums still agree."""
    monkeypatch.setattr(survey, "MOST", 3)
    monkeypatch.setattr(survey, "MOST_SCREENS", 3)
    events = [
        record(
            n, site=str(n), assetId=str(n),
            startTimestamp=f"2026-11-{n + 1:02d} 10:00:00",
            endTimestamp=f"2026-11-{n + 1:02d} 10:00:15",
        )
        for n in range(10)
    ]  # fmt: skip
    report = report_of(events)

    assert report.is_balanced
    assert rows(report, "assets")[-1] == ("(others)", 7, 105, 0)
    assert rows(report, "screens")[-1] == ("(others)", "", 7, 105, 0)
    assert rows(report, "days")[-1] == ("(others)", "", 7, 105, 0)


@given(st.text(max_size=500))
def test_a_name_is_never_too_long_to_keep(name: str) -> None:
    """And two long ones are told apart."""
    assert len(tally.short(name)) <= 100
    long = "x" * 300
    assert tally.short(f"{long}{name}") != tally.short(f"{long}{name}y")


def test_a_report_whose_sums_do_not_agree_says_so() -> None:
    """It would be wrong: nobody shall bill by it."""
    report = report_of([record(1), record(2)])
    assert report.is_balanced
    report.counted.assets.add("a1", 1, 15)

    assert not report.is_balanced
    (first, *_) = tables(report)
    assert "DO NOT AGREE" in first.note
    assert "Wrong" in render(report, tables(report))
