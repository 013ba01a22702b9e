"""What is said of a worker, in each state that it can be in."""

from dataclasses import replace
from typing import Any

import pytest

from pop_stream.pop.remedies import REMEDIES, TROUBLES
from pop_stream.pop.verdict import Reason
from pop_stream.watch.finding import Finding, Level
from pop_stream.watch.findings import findings, standing_still
from pop_stream.watch.status import Failures, Flow, Held, PartitionStatus, Status, WorkStatus

NOW = 1_795_144_365.0
IDLE = Status(
    version="1.2.3",
    group="pop-stream",
    stages=("forward",),
    began_at=NOW - 7200,
    looked_at=NOW - 0.5,
    joined=True,
    work=WorkStatus(
        held=None,
        circuit="closed",
        circuit_since=NOW - 7200,
        in_flight=0,
        in_flight_limit=64,
        events_per_second_limit=None,
        unfinished=0,
        backlog=0,
        backlog_at=NOW - 4,
        partitions=(
            PartitionStatus(
                topic="pop-events", partition=0, backlog=0, moved_at=NOW, oldest_unfinished_at=None
            ),
        ),
    ),
)


def working(**changes: Any) -> Status:
    """A worker with work in another state."""
    assert IDLE.work is not None
    return replace(IDLE, work=replace(IDLE.work, **changes))


def flow(name: str, per_second: float) -> dict[str, Flow]:
    """What goes one way."""
    return {name: Flow(total=1, per_second=per_second)}


def held(reason: str, *, since: float = 240, probe: float = 12, circuit: str = "open") -> Status:
    """Everything is held."""
    told = Held(reason=reason, since=NOW - since, next_probe_at=NOW + probe)
    return working(held=told, circuit=circuit, circuit_since=NOW - since)


def headline(status: Status) -> Finding:
    """How things stand."""
    return findings(status, NOW)[0]


@pytest.mark.parametrize(
    ("status", "level", "says"),
    [
        (replace(IDLE, work=None, began_at=NOW - 3), Level.WAIT, "Starting"),
        (replace(IDLE, work=None, began_at=None, looked_at=None), Level.WAIT, "Starting"),
        (replace(IDLE, work=None, began_at=NOW - 180), Level.WATCH, "Starting, for 3 min now"),
        (replace(IDLE, joined=False, began_at=NOW - 3), Level.WAIT,
         "Starting: it waits for its partitions"),
        (replace(IDLE, joined=False), Level.WATCH,
         "Starting: it waits for its partitions, for 2 h now"),
        (working(is_ending=True), Level.WAIT, "Ending: what is under way is finished first"),
        (IDLE, Level.WELL, "Nothing to do: no event waits"),
        (working(backlog=None, backlog_at=None), Level.WELL, "Nothing to do: no event waits"),
        (working(partitions=()), Level.WELL, "Nothing to do: it has no partition now"),
        (working(backlog=12), Level.WAIT, "Waiting: 12 events to be fetched"),
        (working(unfinished=1234), Level.WAIT, "Waiting: 1,234 events before the next attempt"),
        (working(unfinished=1), Level.WAIT, "Waiting: 1 event before the next attempt"),
        (working(unfinished=9, unconfirmed=4), Level.WAIT,
         "Waiting: Kafka is to confirm 4 records"),
        (working(in_flight=5, oldest_attempt_at=NOW - 2), Level.WAIT,
         "Waiting: 5 attempts under way"),
        (working(in_flight=5, oldest_attempt_at=NOW - 25), Level.WATCH,
         "Waiting: 5 attempts under way, the oldest for 25 s; GSTV took none in the last minute"),
        (working(flows=flow("notified", 3.0)), Level.WELL, "Notifying: 3.0 events/s"),
        (working(flows=flow("delivered", 512.3)), Level.WELL, "Delivering: 512 events/s"),
        (working(flows=flow("delivered", 0.05)), Level.WELL, "Delivering: 3 events a minute"),
        (working(flows=flow("delivered", 0.001)), Level.WELL, "Delivering: 1 event a minute"),
        (working(flows=flow("delivered", 118.0), events_per_second_limit=120.0), Level.WELL,
         "Delivering: 118 events/s, 120/s at most"),
        (working(flows=flow("delivered", 500.0), backlog=29_000), Level.WELL,
         "Delivering: 500 events/s"),
        (working(flows=flow("delivered", 500.0), backlog=120_000, backlog_growth=-400.0),
         Level.WELL, "Delivering: 500 events/s; 120,000 wait, drained in about 5 min"),
        (working(flows=flow("delivered", 500.0), backlog=120_000, backlog_growth=None),
         Level.WELL, "Delivering: 500 events/s; 120,000 wait, not known yet whether it drains"),
        (working(flows=flow("delivered", 500.0), backlog=120_000, backlog_growth=10.0),
         Level.WATCH, "Delivering: 500 events/s; 120,000 wait, it grows by 36,000 an hour"),
        (working(flows=flow("delivered", 1e9), backlog=10**12, backlog_growth=1e7), Level.WATCH,
         "Delivering: 1.0 bn events/s; 1,000,000,000,000 wait, it grows by 36,000,000,000 an hour"),
    ],
)  # fmt: skip
def test_what_a_worker_does_is_said_in_a_sentence(status: Status, level: Level, says: str) -> None:
    """In each state; and how much it matters."""
    (found,) = findings(status, NOW)

    assert (found.says, found.level) == (says, level)
    assert bool(found.remedy) == (level >= Level.WATCH)


@pytest.mark.parametrize("reason", Reason)
def test_what_holds_everything_is_said_with_what_to_do(reason: Reason) -> None:
    """For every reason: why, since when, when it is tried again, and who has to act."""
    (found,) = findings(held(reason), NOW)

    assert found.says == f"Everything is held for 4 min: {TROUBLES[reason]}; next probe in 12 s"
    assert found.remedy.lower().startswith(REMEDIES[reason].lower())
    assert "Nothing is lost" in found.remedy
    needs_a_person = {Reason.MISCONFIGURED, Reason.REJECTED}
    assert (found.level is Level.ACT) == (reason in needs_a_person)


@pytest.mark.parametrize(
    ("probe", "circuit", "says"),
    [
        (12.0, "open", "next probe in 12 s"),
        (-1.0, "half-open", "a probe is under way"),
        (-1.0, "open", "the next event probes"),
    ],
)
def test_the_next_probe_is_told(probe: float, circuit: str, says: str) -> None:
    """It is to come, or under way, or waits for an event."""
    assert headline(held("unreachable", probe=probe, circuit=circuit)).says.endswith(f"; {says}")


def test_an_hour_of_slow_down_needs_nobody() -> None:
    """GSTV asked for it."""
    assert headline(held("slow-down", since=3600)).level is Level.WAIT


def test_a_stuck_loop_is_all_that_is_said() -> None:
    """Everything else was so when it last turned."""
    status = replace(held("misconfigured"), looked_at=NOW - 42, missing_topics=1)
    (found,) = findings(status, NOW)

    assert found.level is Level.ACT
    assert found.says.startswith("The worker has stood still for 42 s")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"missing_topics": 2}, "Topics are missing: 2"),
        ({"group_strangers": 1}, "In its group are strangers: 1"),
    ],
)
def test_what_others_did_comes_first(changes: dict[str, int], says: str) -> None:
    """It stays until a person acts; below it stands what the worker does."""
    trouble, does = findings(replace(IDLE, **changes), NOW)

    assert trouble.level is Level.ACT
    assert trouble.says.startswith(says)
    assert does.says.startswith("Nothing to do")


def test_deleted_records_are_told_of_for_an_hour() -> None:
    """They are lost unless the players have them."""
    gone = Failures(
        reason="gone", retried_in_hour=0, retried=0, parked_in_hour=1, parked=1, last_at=NOW
    )
    assert headline(working(failures=(gone,))).says.startswith("Records were deleted")
    old = replace(gone, parked_in_hour=0)
    assert headline(working(failures=(old,))).says.startswith("Nothing to do")


def test_a_silent_kafka_is_told_of() -> None:
    """Its last word on where the topics end is old; never to have heard it is another thing."""
    (told, _) = findings(working(backlog_at=NOW - 180), NOW)

    assert told.says == "Kafka does not answer: where the topics end was last known 3 min ago"
    assert told.level is Level.WATCH


def partition(number: int, ago: float) -> PartitionStatus:
    """A partition whose commit moved so many seconds ago."""
    return PartitionStatus(
        topic="pop-events", partition=number, backlog=5, moved_at=NOW - ago,
        oldest_unfinished_at=NOW - ago,
    )  # fmt: skip


def test_a_partition_that_stands_still_needs_a_person() -> None:
    """The others deliver meanwhile, so nothing else would show it."""
    rows = (partition(0, 1), partition(3, 431), partition(4, 200), partition(5, 119))
    status = working(partitions=rows, flows=flow("delivered", 100.0))
    (still, does) = findings(status, NOW)

    assert [one.partition for one in standing_still(status, NOW)] == [3, 4]
    assert still.level is Level.ACT
    assert still.says == "Partition pop-events/3 has stood still for 7 min, and 1 more"
    assert does.says == "Delivering: 100 events/s"


def test_while_everything_is_held_no_partition_should_move() -> None:
    """Nor right after: the time of the hold does not count."""
    rows = (partition(0, 4000),)
    status = working(
        partitions=rows,
        held=Held(reason="transient", since=NOW - 4000, next_probe_at=NOW),
        circuit="open",
    )
    assert standing_still(status, NOW) == []
    assert standing_still(working(partitions=rows, circuit_since=NOW - 119), NOW) == []
    assert standing_still(working(partitions=rows, circuit_since=NOW - 121), NOW) == [rows[0]]
    assert standing_still(replace(IDLE, work=None), NOW) == []


def test_waiting_for_long_retries_is_no_standing_still() -> None:
    """How long they may take is a setting."""
    status = replace(working(partitions=(partition(0, 500),)), still_seconds=1000.0)

    assert standing_still(status, NOW) == []


def test_the_most_urgent_comes_first() -> None:
    """And nothing is left out."""
    status = replace(
        working(
            partitions=(partition(0, 500),),
            backlog_at=NOW - 100,
            flows=flow("delivered", 10.0),
        ),
        missing_topics=1,
    )
    levels = [found.level for found in findings(status, NOW)]

    assert levels == [Level.ACT, Level.ACT, Level.WATCH, Level.WELL]
