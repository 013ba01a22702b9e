"""Scenarios are played side by side only where one cannot strike another."""

import threading
from typing import Any, cast

import pytest

from faults.lanes import play_all
from faults.plan import Cut, KillBrokers, KillWorker, PauseBrokers, Scenario
from faults.proxy_faults import Reset
from faults.run import Played


def scenario(name: str, *actions: Any) -> Scenario:
    """A scenario in which these are done."""
    return Scenario(name=name, rows="A1", title="", actions=actions)


APART = [scenario(f"worker-{n}", KillWorker(at=1)) for n in range(4)]
GSTV = scenario("gstv", Cut(at=1, seconds=1, link="gstv", fault=Reset()))
KAFKA = [
    scenario("killed", KillBrokers(at=1, down_seconds=1, brokers=[1])),
    scenario("paused", PauseBrokers(at=1, seconds=1, brokers=[1])),
    scenario("cut", Cut(at=1, seconds=1, link="brokers", fault=Reset())),
    scenario("one-cut", Cut(at=1, seconds=1, link="broker-2", fault=Reset())),
]


def test_those_that_strike_kafka_are_played_alone() -> None:
    """No other has begun by then; and each is played once."""
    under_way: list[str] = []
    seen: dict[str, set[str]] = {}
    together = threading.Barrier(2, timeout=5)

    def play(one: Scenario) -> Played:
        under_way.append(one.name)
        if one in APART[:2]:
            together.wait()  # Two at once, or this fails.
        seen[one.name] = set(under_way)
        under_way.remove(one.name)
        return cast("Played", one.name)

    played = list(play_all([KAFKA[0], *APART, *KAFKA[1:], GSTV], play, lanes=2))

    assert sorted(map(str, played)) == sorted(one.name for one in (*APART, *KAFKA, GSTV))
    assert [seen[one.name] for one in KAFKA] == [{one.name} for one in KAFKA]
    assert played[:4] == [one.name for one in KAFKA]


def test_what_goes_wrong_in_a_lane_is_told() -> None:
    """A run that cannot go on ends, and says why."""

    def play(one: Scenario) -> Played:
        raise TimeoutError(one.name)

    with pytest.raises(TimeoutError, match="worker-0"):
        list(play_all(APART[:1], play, lanes=2))
