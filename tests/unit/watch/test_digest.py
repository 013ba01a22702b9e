import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pop_stream.watch import digest as digest_module
from pop_stream.watch.digest import FailureDigest
from pop_stream.watch.tally import Tally


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[int, dict[str, int]]]:
    """Each line's count and reasons."""
    return [(line.__dict__["count"], line.__dict__["reasons"]) for line in caplog.records]


def test_a_storm_is_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """A hundred thousand parked events are two lines, with their reasons and numbers."""
    tally = Tally()
    digest = FailureDigest(tally)
    digest.look(1000.0)
    for second in range(1, 121):
        tally.failed_events["rejected",] += 800
        tally.failed_events["quarantined",] += second % 2
        digest.look(1000.0 + second)

    assert told(caplog) == [
        (48_030, {"rejected": 48_000, "quarantined": 30}),
        (48_030, {"rejected": 48_000, "quarantined": 30}),
    ]
    assert caplog.records[1].__dict__["since_start"] == 96_060
    assert caplog.records[0].levelno == logging.WARNING


def test_a_minute_without_failures_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing new is nothing to tell."""
    tally = Tally()
    digest = FailureDigest(tally)
    for minute in range(5):
        if minute == 1:
            tally.failed_events["transient",] += 1
        digest.look(60.0 * minute)

    assert told(caplog) == [(1, {"transient": 1})]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 100)), max_size=30))
def test_every_parked_event_is_in_the_numbers(steps: list[tuple[int, float]]) -> None:
    """However they come: with the last words, all have been told."""
    counts: list[int] = []
    handler = logging.Handler()
    handler.emit = lambda record: counts.append(record.__dict__["count"])  # type: ignore[method-assign]
    digest_module.log.addHandler(handler)
    try:
        tally, now = Tally(), 0.0
        digest = FailureDigest(tally)
        for parked, seconds in steps:
            tally.failed_events["rejected",] += parked
            now += seconds
            digest.look(now)
        digest.tell(now)
    finally:
        digest_module.log.removeHandler(handler)

    assert sum(counts) == sum(parked for parked, _ in steps)
