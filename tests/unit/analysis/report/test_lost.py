"""Plays that players declare lost, beside numbers that are missing for no known reason."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.period import parse_played
from pop_stream.analysis.report import lost, survey
from pop_stream.analysis.report.lost import apart
from pop_stream.analysis.report.page import render
from pop_stream.analysis.report.report import Report
from pop_stream.analysis.report.spill import SpilledLoss
from pop_stream.analysis.report.table import Cell
from pop_stream.analysis.report.tables import tables
from tests.support.markup import ReadPage
from tests.support.report_page import report_of
from tests.unit.analysis.report.records import STORED, record

LATER = {"startTimestamp": "2026-11-21 10:00:00", "endTimestamp": "2026-11-21 10:00:15"}
LATEST = {"startTimestamp": "2026-11-22 10:00:00", "endTimestamp": "2026-11-22 10:00:15"}


def declared(*losses: tuple[int, int], reason: str = "outbox-full", **more: Any) -> Any:
    """The headers of an event that declares numbers lost."""
    told = [{"first": first, "last": last, "reason": reason} | more for first, last in losses]
    return (("pop-lost", json.dumps(told).encode()),)


def play(seq: int, headers: Any = (), **changes: Any) -> EventView:
    """A play, whose id is made of its screen and its number."""
    return record(changes.pop("number", seq), seq=seq, headers=headers, **changes)


def rows(report: Report, name: str) -> list[tuple[Cell, ...]]:
    """The rows of a table."""
    (found,) = [table for table in tables(report) if table.name == name]
    return list(found.rows())


def found(report: Report) -> dict[Cell, Cell]:
    """What is odd, by what it is."""
    return {name: number for name, number, _ in rows(report, "findings")}


def day_of(report: Report, day: str) -> dict[str, Cell]:
    """How complete a day is."""
    (table,) = [each for each in tables(report) if each.name == "completeness"]
    (row,) = [each for each in table.rows() if each[0] == day]
    return dict(zip((column.name for column in table.columns), row, strict=True))


def test_what_is_declared_lost_is_told_apart_from_what_is_missing() -> None:
    """In sum, by reason and by screen; and each declaration."""
    report = report_of([
        play(1), play(6, declared((2, 4))), play(7),
        play(2, number=12, screen="8"),
        play(9, declared((4, 4), reason="outbox-damaged"), number=19, screen="8"),
    ])  # fmt: skip

    assert found(report)["numbers that are missing"] == 1 + 5
    assert found(report)["plays that players declare lost, beside these"] == 3 + 1
    assert rows(report, "lost_reasons") == [
        ("outbox-full", "the player's disk, or its outbox, was full", 3, 1, 0),
        ("outbox-damaged", "the player's file was damaged, and these could not be read any more",
         1, 1, 0),
    ]  # fmt: skip
    assert rows(report, "lost_screens") == [
        ("1202", "7", "outbox-full", 3, 0),
        ("1202", "8", "outbox-damaged", 1, 0),
    ]
    assert [row[:6] for row in rows(report, "lost")] == [
        ("1202", "7", "outbox-full", 2, 4, 3),
        ("1202", "8", "outbox-damaged", 4, 4, 1),
    ]
    assert [row[3:6] for row in rows(report, "missing")] == [(5, 5, 1), (3, 3, 1), (5, 8, 4)]
    assert [row[2:] for row in rows(report, "incomplete")] == [
        ("b", 1, 7, 7, 3, 1, 3),
        ("b", 2, 9, 8, 2, 5, 1),
    ]


def test_a_day_that_only_lacks_what_is_declared_lost_is_final() -> None:
    """Nothing of it can come any more; how much of it is here is told as before."""
    report = report_of([play(1), play(5, declared((2, 4))), play(6, **LATER)])
    day = day_of(report, "2026-11-20")

    assert (day["state"], day["missing"], day["missing_at_edge"]) == ("final", 0, 0)
    assert (day["lost"], day["lost_at_edge"], day["complete"]) == (3, 0, 2 / 5)


def test_a_day_that_lacks_more_is_open() -> None:
    """As one of which a number is missing."""
    report = report_of([play(1), play(6, declared((2, 4))), play(7, **LATER)])
    day = day_of(report, "2026-11-20")

    assert (day["state"], day["missing"], day["lost"]) == ("open", 1, 3)
    assert day["why"] == "1 screen: numbers are missing"


def test_what_is_lost_between_days_counts_at_the_edges_of_each() -> None:
    """Nobody knows of which it is; and a day of which nothing else is there is shown."""
    report = report_of([play(1), play(9, declared((2, 8)), **LATEST), play(10, **LATEST)])

    for day in ("2026-11-20", "2026-11-21", "2026-11-22"):
        assert (day_of(report, day)["lost"], day_of(report, day)["lost_at_edge"]) == (0, 7), day
    assert day_of(report, "2026-11-21")["state"] == "final"
    assert rows(report, "lost")[0][-4:-2] == ("2026-11-20", "2026-11-22")


def test_what_is_lost_before_the_first_of_all_is_known() -> None:
    """So nothing earlier can come; else it may."""
    whole = report_of([play(4, declared((1, 3))), play(5, **LATER)])
    part = report_of([play(5, declared((2, 4))), play(6, **LATER)])

    assert day_of(whole, "2026-11-20")["state"] == "final"
    assert day_of(whole, "2026-11-20")["lost_at_edge"] == 3
    assert day_of(part, "2026-11-20")["why"] == "1 screen: nothing earlier is here"
    assert found(part)["plays that players declare lost, beside these"] == 3


def test_other_starts_of_a_player_declare_too() -> None:
    """Numbers go on: what one could not keep the next one tells of."""
    report = report_of([play(1, boot="z"), play(5, declared((2, 4)), boot="a"),
                        play(6, boot="a", **LATER)])  # fmt: skip

    assert found(report)["numbers that are missing"] == 0
    assert day_of(report, "2026-11-20")["state"] == "final"


def test_a_loss_that_is_told_twice_counts_once() -> None:
    """With an event that comes again, and with another one that has it in other pieces."""
    telling = play(9, declared((2, 4), (6, 8)))
    again = play(10, declared((3, 7), reason="outbox-damaged"))
    report = report_of([play(1), play(5), telling, telling, again])

    assert rows(report, "lost_screens") == [
        ("1202", "7", "outbox-full", 4, 0),
        ("1202", "7", "outbox-damaged", 2, 1),
    ]
    assert found(report)["plays that players declare lost, beside these"] == 6


def test_what_is_here_all_the_same_is_not_lost() -> None:
    """After a damage a player declares what it has no more: some of it had been sent before."""
    report = report_of([play(1), play(2), play(4), play(4), play(7, declared((2, 6),
                       reason="outbox-cut-off"))])  # fmt: skip

    assert rows(report, "lost_reasons")[0][2:] == (3, 1, 2)
    assert rows(report, "lost")[0][3:7] == (2, 6, 3, 2)
    assert found(report)["plays that players declare lost, beside these"] == 3
    assert found(report)["numbers that are missing"] == 0


@pytest.mark.parametrize(
    "value", [b"two", b"", b"\xff", b'[{"first": 2}]', b'[{"first":4,"last":2}]']
)
def test_what_cannot_be_read_is_told(value: bytes) -> None:
    """Once of each event, however often that comes; what it may have meant stays missing."""
    telling = play(3, (("pop-lost", value),))
    report = report_of([play(1), telling, telling])

    assert found(report)["events whose pop-lost cannot be read, or is of no known screen"] == 1
    assert found(report)["numbers that are missing"] == 1
    assert rows(report, "lost") == []
    assert report.is_balanced


def test_the_last_header_of_several_counts() -> None:
    """As it does for all headers."""
    report = report_of([play(1), play(4, (*declared((2, 3)), ("pop-lost", b"two")))])

    assert found(report)["events whose pop-lost cannot be read, or is of no known screen"] == 1
    assert found(report)["numbers that are missing"] == 2


def test_when_they_were_played_is_told_as_the_player_says_it() -> None:
    """In UTC, as far as it says so."""
    report = report_of([play(1), play(3, declared((2, 2), since=STORED, until=STORED + 61_999)),
                        play(5, declared((4, 4)))])  # fmt: skip

    assert [row[-2:] for row in rows(report, "lost")] == [
        ("2026-11-20 16:00:30", "2026-11-20 16:01:31"), (None, None)
    ]  # fmt: skip


def test_a_reason_of_another_player_is_told_as_it_is() -> None:
    """And so is it where it says none."""
    report = report_of([play(1), play(3, declared((2, 2), reason="=stolen")),
                        play(5, (("pop-lost", b'[{"first": 4, "last": 4}]'),))])  # fmt: skip

    assert [row[:3] for row in rows(report, "lost_reasons")] == [
        ("=stolen", "", 1), ("(none)", "the player does not say", 1)
    ]  # fmt: skip


def test_what_is_no_play_may_declare() -> None:
    """The header is as good as that of any other record of its screen."""
    bad = record(3, value=b"no JSON", headers=declared((2, 2)))
    outside = play(9, declared((8, 8)), **LATER)
    report = report_of([play(1), play(3), play(7), bad, outside],
                       period=parse_played(None, None, day="2026-11-20"))  # fmt: skip

    assert found(report)["plays that players declare lost, beside these"] == 2
    assert found(report)["numbers that are missing"] == 3
    nowhere = report_of([record(3, value=b"no JSON", key=b"x", headers=declared((2, 2)))])
    assert found(nowhere)["events whose pop-lost cannot be read, or is of no known screen"] == 1


def test_of_a_part_nothing_is_told() -> None:
    """The event that declares a loss may not be in it."""
    report = report_of([play(3, declared((2, 2)))], partial="some are left out")

    assert not [table for table in tables(report) if table.name.startswith("lost")]
    assert found(report)["gaps, missing numbers, declared losses, finality"] is None


def test_names_and_ranges_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory has a bound, and the sums are those of all."""
    monkeypatch.setattr(lost, "MOST_TOLD", 2)
    monkeypatch.setattr(survey, "_MOST_REASONS", 2)
    events = [play(2, declared((1, 1), reason=f"r{n}"), number=n, screen=str(n))
              for n in range(5)]  # fmt: skip
    report = report_of(events)

    assert found(report)["plays that players declare lost, beside these"] == 5
    assert [row[:3] for row in rows(report, "lost_reasons")] == [
        ("r0", "", 1), ("r1", "", 1), ("(others)", "", 3)
    ]  # fmt: skip
    for name in ("lost", "lost_screens"):
        (table,) = [each for each in tables(report) if each.name == name]
        assert len(list(table.rows())) == 2
        assert "3 more" in table.note


def test_the_page_says_so() -> None:
    """In its figures, and where it says that a day is final."""
    day = parse_played(None, None, day="2026-11-20")
    events = [play(1), play(5, declared((2, 4))), play(6, **LATER)]
    said, without = (
        ReadPage(render(report, tables(report))).text_of("main")
        for report in (report_of(events, period=day), report_of([play(1), play(2, **LATER)],
                                                                period=day))
    )  # fmt: skip

    assert "Every number of every screen is here, or declared lost" in said
    assert "Every number of every screen is here: no more can come." in without
    assert "Declared lost" in said


SPANS = st.lists(
    st.tuples(st.integers(1, 2), st.integers(1, 40), st.integers(0, 9), st.integers(1, 2)),
    max_size=8,
)


@given(SPANS)
def test_what_is_apart_holds_the_same_numbers_once(spans: Sequence[tuple[int, ...]]) -> None:
    """In order, of each screen."""
    given = [SpilledLoss(screen, first, first + more, reason, None, None)
             for screen, first, more, reason in spans]  # fmt: skip
    told = list(apart(sorted(given, key=lambda one: one[:3])))
    numbers = [(one.screen, n) for one in told for n in range(one.first, one.last + 1)]

    assert numbers == sorted({(one.screen, n) for one in given
                              for n in range(one.first, one.last + 1)})  # fmt: skip


@given(st.sets(st.integers(1, 50), min_size=1), SPANS)
def test_the_tables_say_what_sets_say(there: set[int], spans: Sequence[tuple[int, ...]]) -> None:
    """Whatever is here, in whatever pieces, and however often, the rest is declared lost."""
    headers = {n: (("pop-lost", json.dumps([
        {"first": first, "last": first + more, "reason": f"r{reason}"}
        for _, first, more, reason in spans
    ]).encode()),) for n in there}  # fmt: skip
    report = report_of([play(n, headers[n]) for n in sorted(there, reverse=True)])
    said = {n for _, first, more, _ in spans for n in range(first, first + more + 1)}
    missing = set(range(min(there), max(there))) - there - said

    assert found(report)["numbers that are missing"] == len(missing)
    assert found(report)["plays that players declare lost, beside these"] == len(said - there)
    for name, plays, here in (("lost_reasons", 2, 4), ("lost_screens", 3, 4), ("lost", 5, 6)):
        sums = [sum(int(row[at] or 0) for row in rows(report, name)) for at in (plays, here)]
        assert sums == [len(said - there), len(said & there)], name
    for row in rows(report, "incomplete"):
        assert row[5] == sum(int(cell or 0) for cell in row[6:])
