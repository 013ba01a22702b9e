import io
from dataclasses import replace

import pytest
from rich.console import Console

from pop_stream.demo.account import Account
from pop_stream.demo.snapshot import Counts, Happening, Snapshot
from pop_stream.demo.view import account_table, picture, plain_line

COUNTS = Counts(
    produced=1006,
    accepted=701,
    refused_attempts=123,
    waiting=24,
    retried=80,
    parked=12,
    quarantined=3,
    notified=11,
    settled=712,
)
SNAPSHOT = Snapshot(
    phase="delivering",
    seconds=4.2,
    sites=12,
    screens_per_site=4,
    expected=1007,
    counts=COUNTS,
    produced_per_second=412.3,
    accepted_per_second=388.8,
    happenings=tuple(
        Happening(
            seconds=number,
            pop_id=f"017f22e2-79b0-7cc3-98c4-dc0c0c0739{number:02d}",
            key="1202/3",
            kind=kind,
            reason=f"reason {number}",
        )
        for number, kind in enumerate(["retry", "parked", "quarantined"] * 4)
    ),
)
ACCOUNT = Account(
    produced=1007,
    delivered=981,
    delivered_after_retry=62,
    parked=26,
    quarantined=6,
    notified=26,
    duplicates=0,
    unfinished=0,
    lost=0,
    unaccounted=(),
)


def drawn(picture, width=80):
    """Draw on a terminal of that width."""
    console = Console(file=io.StringIO(), width=width)
    console.print(picture)
    return console.file.getvalue()


def test_the_picture_fits_into_a_usual_terminal():
    """On 80 columns nothing is cut off: every topic's name is whole, every line fits."""
    text = drawn(picture(SNAPSHOT))

    assert max(map(len, text.splitlines())) <= 80
    for station in (
        "players",
        "pop-events ",
        "GSTV",
        "pop-events-retry",
        "pop-events-failure",
        "notifications",
    ):
        assert station in text


def test_the_picture_shows_every_count():
    """Each count stands beside its word."""
    text = drawn(picture(SNAPSHOT))

    for count in (
        "1,006 events",
        "412 a second",
        "701 taken",
        "123 refused",
        "24 waiting",
        "80 so far",
        "12 parked",
        "3 quarantined",
        "11 notified",
        "712 of 1,007",
        "48 screens",
    ):
        assert count in text


def test_the_picture_keeps_its_height():
    """A live view that grows or shrinks flickers: few happenings take as much room as many."""
    few = replace(SNAPSHOT, happenings=SNAPSHOT.happenings[:1])

    assert len(drawn(picture(few)).splitlines()) == len(drawn(picture(SNAPSHOT)).splitlines())


def test_the_latest_happenings_are_shown():
    """The last ones are told, the older ones are gone."""
    text = drawn(picture(SNAPSHOT))

    assert "reason 11" in text
    assert "reason 5 " not in text


def test_a_plain_line_says_the_same():
    """Without a terminal there is one line with the counts."""
    line = plain_line(SNAPSHOT)

    assert "\n" not in line
    for count in ("1,006", "701", "24", "12", "11", "712 of 1,007"):
        assert count in line


def test_a_clean_account_says_the_sum():
    """The identity stands at the end, with its numbers."""
    text = drawn(account_table(ACCOUNT, seconds=18.34))

    assert "1,007 = 981 + 26" in text
    assert "18.3 s" in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"lost": 2}, "2 lost"),
        ({"unfinished": 3}, "3 unfinished"),
        ({"unaccounted": ("1 delivered but never produced: x",)}, "delivered but never produced"),
    ],
)
def test_a_bad_account_says_what_is_wrong(changes, says):
    """Whatever is wrong is named, and the identity is not claimed."""
    text = drawn(account_table(replace(ACCOUNT, **changes), seconds=1.0))

    assert says in text
    assert "produced = delivered + parked" not in text
