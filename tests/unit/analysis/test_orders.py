"""Contracted against delivered."""

from datetime import date, datetime
from pathlib import Path

import pytest

from pop_stream.analysis.reconcile.orders import Order, read_orders, state_of, time_share
from pop_stream.errors import UsageError

at = datetime.fromisoformat
HEADER = "ioNumber,assetId,sites,from,to,plays\n"


def play(**fields: str) -> dict[str, str]:
    """A play of order 124."""
    return {"ioNumber": "124", "assetId": "a", "siteId": "7",
            "startTimestamp": "2026-11-20 23:59:59"} | fields  # fmt: skip


def test_a_play_counts_once_for_the_first_line_that_covers_it(tmp_path: Path) -> None:
    """By asset, site and day; both days of a line belong to it."""
    path = tmp_path / "orders.csv"
    path.write_text(
        HEADER + "124,a,7;8,2026-11-01,2026-11-20,3\n124,,,2026-11-20,2026-11-30,2\n"
        "125,b,*,2026-11-20,2026-11-20,1\n"
    )
    orders = read_orders(path)
    for each in (
        play(), play(siteId="8"), play(siteId="9"), play(startTimestamp="2026-11-21 00:00:00"),
        play(assetId="b"), play(startTimestamp="2026-12-01 00:00:00"), play(ioNumber="9"),
        play(ioNumber="125"), {"siteId": "7"},
    ):  # fmt: skip
        orders.count(each)
    states = list(orders.states(at("2026-12-01")))

    assert [state.delivered for state in states] == [2, 3, 0]
    assert [state.state for state in states] == ["short", "over", "short"]
    assert [state.owed for state in states] == [1, 0, 1]
    assert [state.outside for state in states] == [1, 0, 1]
    assert orders.unknown == 1


@pytest.mark.parametrize(
    ("delivered", "share", "state"),
    [
        (0, 0.0, "not begun"), (1, 0.0, "ahead"), (50, 0.5, "on pace"), (47, 0.5, "behind"),
        (48, 0.5, "on pace"), (53, 0.5, "ahead"), (101, 0.5, "over"), (99, 1.0, "short"),
        (100, 1.0, "fulfilled"), (101, 1.0, "over"), (0, 0.5, "behind"),
    ],
)  # fmt: skip
def test_the_pace_of_a_hundred_plays(delivered: int, share: float, state: str) -> None:
    """Within a twentieth of an even pace it is on pace."""
    assert state_of(100, delivered, share) == state


def test_the_last_day_ends_at_midnight() -> None:
    """From the first moment of the first day."""
    order = Order(line=2, io_number="1", asset_id=None, sites=None, plays=1,
                  first_day=date(2026, 11, 1), last_day=date(2026, 11, 4))  # fmt: skip

    assert time_share(order, at("2026-10-01")) == 0
    assert time_share(order, at("2026-11-03")) == 0.5
    assert time_share(order, at("2026-11-04 12:00")) == 0.875
    assert time_share(order, at("2026-12-01")) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (HEADER, "it has no lines"),
        (HEADER + "124,,,2026-11-20,2026-11-01,5\n", "line 2: it ends on"),
        (HEADER + "124,,,soon,2026-11-01,5\n", "line 2: from must be a day"),
        (HEADER + "124,,,2026-11-01,2026-11-02,0\n", "plays must be a number above 0"),
        (HEADER + ",,,2026-11-01,2026-11-02,1\nx,,,,,\n", "line 2: no ioNumber; line 3: no from"),
        (HEADER + ",,,,,\n" * 30, "and 20 lines more"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_at_once(content: str, says: str, tmp_path: Path) -> None:
    """All of it, before anything is counted."""
    path = tmp_path / "orders.csv"
    path.write_text(content)

    with pytest.raises(UsageError, match=says):
        read_orders(path)
