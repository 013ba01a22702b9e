"""The page for people: what it shows in each state."""

from dataclasses import replace

import pytest

from pop_stream.pop.verdict import Reason
from pop_stream.watch.history import Backlog, Point, Sample, Totals
from pop_stream.watch.page import tables
from pop_stream.watch.page.render import render
from pop_stream.watch.page.sparkline import sparkline
from pop_stream.watch.status import Failures, Flow, Status
from tests.support.markup import ReadPage
from tests.support.status_page import NOW, held, partitions, with_still_partition, with_work
from tests.unit.watch.page_states import DELIVERING, HUGE, PAST, STATES


def page_of(status: Status) -> ReadPage:
    """The page after an hour, as it is read."""
    return ReadPage(render(status, PAST, NOW))


def test_the_first_words_say_how_things_stand() -> None:
    """In large type, and in the name of the browser's tab."""
    page = page_of(held(DELIVERING))
    says = "Everything is held for 4 min: GSTV cannot be reached; next probe in 12 s"

    assert page.text_of("h1").replace("\u00a0", " ") == says
    assert page.named("title")[0].text == f"{says} \u2013 pop-stream"
    assert "Keep watch" in page.text_of("main")
    assert "See whether GSTV is up" in page.text_of("main")


def test_what_a_person_can_do_is_set_as_it_is_typed() -> None:
    """Commands and settings are code."""
    page = page_of(STATES["topics missing"])

    assert "pop-stream topics ensure" in [each.text for each in page.named("code")]
    assert "`" not in page.text_of("body")


def test_the_numbers_of_the_hour_are_there() -> None:
    """Rates, totals, ages, the breaker, the backlog and what becomes of it."""
    text = page_of(DELIVERING).text_of("main").replace("\u00a0", " ")

    for words in (
        "Delivering: 638 events/s; 70,096 wait, drained in about 6 min", "2,981,670 since start",
        "36 of 60", "no rate limit", "Closed", "Events go through since 03:07:25 UTC, for 5 min",
        "Drained in about 6 min; as of 4 s ago", "9,870 taken and not finished",
        "3 records not confirmed by Kafka yet", "1 s", "Since 03:12:44 UTC", "peak 660/s",
        "peak 131,698",
    ):  # fmt: skip
        assert words in text


def test_a_worker_that_keeps_up_has_no_forecast() -> None:
    """What comes and goes neither grows nor drains."""
    assert "The worker keeps up; as of 4 s ago" in page_of(
        with_work(DELIVERING, backlog=150, backlog_growth=0.0)
    ).text_of("main")


def test_what_is_throttled_says_how_much() -> None:
    """A limit that was set or learned."""
    text = page_of(STATES["throttled"]).text_of("main")

    assert "Delivering: 638 events/s, 120/s at most" in text
    assert "As many as GSTV bears; 120/s at most" in text


def test_every_way_of_an_event_has_its_rate_and_total() -> None:
    """In the picture, and in full in the table beside it."""
    flows = {
        name: Flow(total=1000 + index, per_second=20.0 + index)
        for index, name in enumerate(Totals._fields)
    }
    text = page_of(with_work(DELIVERING, flows=flows)).text_of("main")

    for index in range(len(flows)):
        assert f"{20 + index}/s" in text
        assert text.count(f"1,00{index}") >= 2
        assert f"{20 + index}.00" in text


def test_failures_are_told_with_their_numbers_and_meaning() -> None:
    """By reason, in the last hour and since the start, and when the last was."""
    page = page_of(DELIVERING)
    (row,) = [each.text for each in page.named("tr") if "transient" in each.text]

    assert row == (
        "transient21 s ago, 03:12:24 UTC1,66410,3486166"
        "GSTV or the way to it failed. Parked ones are sent back by themselves"
    )


@pytest.mark.parametrize(
    "reason", [*Reason, "quarantined", "gone", "something new"]
)  # fmt: skip
def test_a_failure_of_any_reason_is_shown(reason: str) -> None:
    """Be it one that nobody has explained."""
    one = Failures(
        reason=reason, retried_in_hour=0, retried=0, parked_in_hour=0, parked=HUGE, last_at=NOW
    )
    assert reason in page_of(with_work(DELIVERING, failures=(one,))).text_of("main")


def rows_of_partitions(page: ReadPage) -> list[str]:
    """The rows of the last table, without its head; and how they are set."""
    rows = [each for each in page.named("tr") if each.text.startswith("pop-events")]
    return [f"{each.attributes.get('class', '')}|{each.text}" for each in rows]


def test_a_partition_that_stands_still_comes_first_and_stands_out() -> None:
    """By colour, and by a word."""
    rows = rows_of_partitions(page_of(with_still_partition(DELIVERING)))

    assert rows[0] == "act|pop-events3stands still5,1127 min ago7 min old"
    assert [row.split("|")[0] for row in rows[1:]] == [""] * 7
    assert rows[1] == "|pop-events0moves17,4970 s ago3 min old"
    assert rows[4] == "|pop-events-retry0nothing waits00 s agonone"


def test_while_everything_is_held_the_partitions_are() -> None:
    """Those on which something waits."""
    rows = rows_of_partitions(page_of(held(DELIVERING)))

    assert rows[0].startswith("|pop-events0held17,")
    assert rows[4].startswith("|pop-events-retry0nothing waits0")
    assert not [row for row in rows if "moves" in row or row.startswith("act")]


def test_of_very_many_partitions_those_that_stand_still_are_shown() -> None:
    """The page stays one that can be read and sent."""
    many = list(partitions(500))
    many[777] = replace(many[777], moved_at=NOW - 4000)
    status = with_work(DELIVERING, partitions=tuple(many))
    html = render(status, PAST, NOW)
    rows = rows_of_partitions(ReadPage(html))

    assert len(rows) == tables.MOST_ROWS
    assert rows[0].startswith("act|pop-events-retry277stands still")
    assert "And 800 more." in html
    assert len(html) < 150_000


def curve(*points: tuple[float, float]) -> str:
    """A sparkline of values so many seconds ago."""
    return sparkline("A", [Point(NOW - ago, value) for ago, value in points], NOW, str)


def test_a_curve_is_left_open_where_nobody_looked() -> None:
    """A suspended machine did not deliver evenly meanwhile."""
    drawn = curve((600, 1), (590, 2), (300, 3), (290, 4))

    assert drawn.count('class="curve"') == 2


def test_a_curve_shows_the_last_hour_only() -> None:
    """From its left edge to its right, and up to its highest value."""
    drawn = curve((9999, 1e9), (3600, 0), (3590, 10), (10, 5), (0, 0))

    assert "peak 10" in drawn
    assert 'd="M0.0 62.0L1.0 2.0"' in drawn
    assert 'd="M359.0 32.0L360.0 62.0"' in drawn


def test_a_curve_of_nothing_lies_on_the_ground() -> None:
    """Nothing is divided by nothing."""
    assert 'd="M359.0 62.0L360.0 62.0"' in curve((10, 0), (0, 0))


@pytest.mark.parametrize("points", [(), ((5, 1),), ((9999, 1), (9000, 2))])
def test_without_two_points_there_is_no_curve(points: tuple[tuple[float, float], ...]) -> None:
    """It says so."""
    assert "<svg" not in curve(*points)
    assert "begins" in curve(*points)


def test_the_same_state_gives_the_same_page() -> None:
    """It is made of what it is given, and of nothing else."""
    old = Sample(NOW - 9e9, Totals(), {}, {}, 0, Backlog(1, NOW, 1))

    assert render(DELIVERING, PAST, NOW) == render(DELIVERING, [old, *PAST][1:], NOW)
