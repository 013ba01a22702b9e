"""What is found before a plan, what is tried, and when it ends."""

import signal
from threading import Event as Flag

import pytest

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.parked.overview import Overview, age_of
from pop_stream.analysis.replay.done import ANOTHER, GONE
from pop_stream.analysis.replay.error_rate import ErrorRate, too_many_come_back
from pop_stream.analysis.replay.plan import Planned
from pop_stream.analysis.replay.planned_events import side_by_side
from pop_stream.analysis.replay.seen import Seen
from pop_stream.analysis.replay.sending import AT_ONCE, Limits
from pop_stream.analysis.replay.target import is_live, reaches_gstv, require_topic
from pop_stream.cli.plan_runs import pausing
from pop_stream.errors import UsageError
from pop_stream.settings import Settings
from tests.unit.analysis.views import POP_ID, view


def at(offset: int, pop_id: str = POP_ID) -> EventView:
    """A record at an offset."""
    return EventView("t", 0, offset, timestamp=0, key=None, value=b"{}",
                     headers=[("pop-id", pop_id.encode())], is_ours=True)  # fmt: skip


def test_what_is_not_there_any_more_is_said() -> None:
    """Deleted before, in between, behind; and where another record stands."""
    lines = [Planned(n, "t", 0, offset, POP_ID) for n, offset in enumerate((1, 3, 5, 7, 9))]
    other = POP_ID.replace("019a", "019b")
    records = [at(2), at(3), at(4), at(7, other), at(8)]
    found = [one if isinstance(one, str) else one.offset
             for _, one in side_by_side(lines, iter(records))]  # fmt: skip

    assert found == [GONE, 3, GONE, ANOTHER, GONE]


@pytest.mark.parametrize(
    ("tried", "failed", "percent", "is_too_much"),
    [(19, 19, 0, False), (20, 20, 99, True), (100, 20, 20, False), (100, 21, 20, True),
     (1000, 1000, 100, False)],
)  # fmt: skip
def test_a_run_stops_only_at_more_than_its_share_of_errors(
    tried: int, failed: int, percent: float, is_too_much: bool
) -> None:
    """And not at the first few."""
    rate = ErrorRate()
    rate.add([False] * (tried - failed))
    rate.add([True] * failed)

    assert rate.exceeds(percent) is is_too_much
    assert too_many_come_back(failed, tried, percent) is is_too_much


def test_only_the_last_count() -> None:
    """An outage that is over ends no run."""
    rate = ErrorRate()
    rate.add([True] * 100)
    assert rate.exceeds(50)
    rate.add([False] * 100)
    assert not rate.exceeds(0)


@pytest.mark.parametrize(
    ("rate", "at_once"), [(None, AT_ONCE), (0.5, 1), (40, 10), (9999, AT_ONCE)]
)
def test_the_slower_the_fewer_are_under_way(rate: float | None, at_once: int) -> None:
    """What is under way at a kill may be sent twice."""
    assert Limits(rate=rate).at_once == at_once


def test_an_overview_counts_kinds_and_moves_no_cursor() -> None:
    """Also what has no such field; bytes are those of the values."""
    overview = Overview(("site", "day", "reason", "age"), now_ms=10_000_000)
    event = view(headers=[("pop-reason", b"rejected")], siteId="7\x1b[2J", timestamp=0)
    overview.add(event)
    overview.add(view(b"[]", timestamp=10_000_000))
    told = overview.as_object()

    assert told["bySite"] == {"(none)": 1, "7?[2J": 1}
    assert told["byReason"] == {"(none)": 1, "rejected": 1}
    assert told["byDay"] == {"(none)": 1, "2026-11-20": 1}
    assert told["byAge"] == {"1 h to 6 h": 1, "under 1 h": 1}
    assert told["bytes"] == len(event.value or b"") + 2
    assert "\x1b" not in "".join(overview.first_lines)


def test_hostile_kinds_do_not_fill_the_memory() -> None:
    """Beyond a number of kinds, the rest is counted together."""
    overview = Overview(("site",))
    for number in range(10_100):
        overview.add(view(siteId=f"s{number}"))

    assert len(overview.by["site"]) == 10_001
    assert overview.by["site"]["(others)"] == 100


@pytest.mark.parametrize(
    ("seconds", "age"),
    [(0, "under 1 h"), (3600, "1 h to 6 h"), (86_400, "1 d to 7 d"), (1e9, "7 d and more")],
)
def test_ages_have_classes(seconds: float, age: str) -> None:
    """Half-open."""
    assert age_of(seconds) == age


def test_the_same_event_is_met_once_and_one_id_for_two_plays_twice() -> None:
    """However wrong its player is: both were played."""
    with Seen() as seen:
        assert [seen.is_new(view()), seen.is_new(view()), seen.is_new(view(siteId="9"))] == [
            True, False, True,
        ]  # fmt: skip


def test_what_the_workers_read_is_live() -> None:
    """And reaches GSTV, as GSTV does."""
    settings = Settings()
    live = f"topic:{settings.events_topic}"
    assert is_live(live, settings)
    assert reaches_gstv(live, settings)
    assert reaches_gstv("gstv:http://x", settings)
    assert not any(reaches_gstv(one, settings) for one in ("null", "file:/x", "topic:copy"))
    with pytest.raises(UsageError, match="yes-into-live-topic"):
        require_topic(settings.events_topic, settings, is_sure=False)
    with pytest.raises(UsageError, match="failures redrive"):
        require_topic(settings.retry_topic, settings, is_sure=True)
    with pytest.raises(UsageError, match="proofs of delivery"):
        require_topic(settings.receipts_topic, settings, is_sure=True)
    require_topic(settings.events_topic, settings, is_sure=True)


def test_handlers_of_signals_are_put_back() -> None:
    """A pause is asked for only while a plan runs."""
    before = signal.getsignal(signal.SIGINT)
    with pausing() as pause:
        assert isinstance(pause, Flag)
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
