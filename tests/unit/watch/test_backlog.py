"""What `pop-stream watch` shows of what it saw."""

import math
from dataclasses import replace

from prometheus_client import CollectorRegistry, generate_latest

from pop_stream.kafka.group import GroupState, Member, PartitionState
from pop_stream.watch.backlog import BacklogNumbers
from pop_stream.watch.collector import TableCollector
from pop_stream.watch.look import Look, Owed, owed_of
from pop_stream.watch.table import WATCH_METRICS
from pop_stream.watch.watching import as_object
from tests.support.metrics import Samples, samples_of

EVENTS, FAILURE = "pop-events", "pop-events-failure"
STATE = PartitionState(topic=EVENTS, partition=3, begin=10, end=50, committed=40)
LOOK = Look(
    at=2000.0,
    seconds=0.25,
    partitions=(STATE,),
    owed={EVENTS: Owed(1900.0, 5000.0), FAILURE: Owed(None, math.inf)},
    retention_seconds={EVENTS: 86_400.0, FAILURE: math.inf},
    parked=7,
    group=GroupState(state="Stable", members=(Member(client_id="a", host="h"),)),
)


def shown(numbers: BacklogNumbers) -> Samples:
    """What Prometheus reads."""
    registry = CollectorRegistry()
    registry.register(TableCollector(WATCH_METRICS, numbers))
    return samples_of(generate_latest(registry).decode())


def test_what_was_seen_is_shown() -> None:
    """Each number under its name."""
    numbers = BacklogNumbers((EVENTS, FAILURE))
    numbers.saw(LOOK)

    assert (
        shown(numbers).items()
        >= {
            ("oldest_undelivered_timestamp_seconds", EVENTS): 1900,
            ("oldest_undelivered_timestamp_seconds", FAILURE): 0,
            ("retention_deadline_timestamp_seconds", EVENTS): 5000,
            ("retention_deadline_timestamp_seconds", FAILURE): math.inf,
            ("topic_retention_seconds", EVENTS): 86_400,
            ("topic_lag_events", "3", EVENTS): 10,
            ("committed_offset", "3", EVENTS): 40,
            ("end_offset", "3", EVENTS): 50,
            ("low_offset", "3", EVENTS): 10,
            ("events_lost_to_retention_total", EVENTS): 0,
            ("failed_events_retained",): 7,
            ("group_members",): 1,
            ("group_state", "Stable"): 1,
            ("group_state", "Empty"): 0,
            ("backlog_probe_last_success_timestamp_seconds",): 2000,
            ("backlog_probe_duration_seconds",): 0.25,
            ("backlog_probe_errors_total", "unreachable"): 0,
        }.items()
    )


def test_before_the_first_look_nothing_is_claimed() -> None:
    """What is shown says that Kafka was never seen; no age looks like a good one."""
    samples = shown(BacklogNumbers((EVENTS,)))

    assert samples["backlog_probe_last_success_timestamp_seconds",] == 0
    assert samples["events_lost_to_retention_total", EVENTS] == 0
    assert not [key for key in samples if key[0] == "topic_lag_events"]


def test_when_kafka_is_away_the_last_look_stays() -> None:
    """With its age, and the reason for which nothing newer is known."""
    numbers = BacklogNumbers((EVENTS, FAILURE))
    numbers.saw(LOOK)
    numbers.missed("unreachable")
    samples = shown(numbers)

    assert samples["topic_lag_events", "3", EVENTS] == 10
    assert samples["backlog_probe_errors_total", "unreachable"] == 1


def test_lag_is_never_negative_nor_counts_what_is_gone() -> None:
    """The offsets are read one after the other; and nobody can do what was deleted."""
    ahead = replace(STATE, committed=60)
    behind = replace(STATE, committed=2)
    numbers = BacklogNumbers((EVENTS, FAILURE))
    for state, lag in ((ahead, 0), (behind, 40)):
        numbers.saw(replace(LOOK, partitions=(state,)))
        assert shown(numbers)["topic_lag_events", "3", EVENTS] == lag


def test_what_retention_took_is_counted_once() -> None:
    """However often it is seen; and more when more goes. Where nothing was committed, nothing is
    known to be lost.
    """  # noqa: D205 - one thought
    numbers = BacklogNumbers((EVENTS, FAILURE))
    steps = [(40, 10, 0), (40, 45, 5), (40, 45, 5), (40, 48, 8), (48, 48, 8), (None, 99, 8)]
    for committed, begin, lost in steps:
        state = replace(STATE, committed=committed, begin=begin)
        numbers.saw(replace(LOOK, partitions=(state,)))
        assert shown(numbers)["events_lost_to_retention_total", EVENTS] == lost


def test_the_oldest_counts_and_what_is_deleted_first() -> None:
    """They may be two records: an event may be old, and its record young."""
    owed = owed_of([(1_000, 9_000), (4_000, 5_000)], retention_seconds=60.0)

    assert owed == Owed(produced_at=1.0, deleted_at=65.0)
    assert owed_of([], retention_seconds=60.0) == Owed(None, math.inf)
    assert owed_of([(1, 1)], retention_seconds=math.inf).deleted_at == math.inf


def test_a_look_as_json_knows_no_infinity() -> None:
    """JSON has none."""
    told = as_object(LOOK)

    assert told is not None
    assert [topic["deleted_at"] for topic in told["topics"]] == [5000.0, None]
    assert [topic["lag_events"] for topic in told["topics"]] == [10, 0]
    assert as_object(None) is None


def test_what_was_produced_at_an_unknown_time_hides_no_other() -> None:
    """A parked hole has no time of its own: with -1 nothing on the failure topic looked owed."""
    owed = owed_of([(-1, 9_000), (4_000, 8_000)], retention_seconds=math.inf)

    assert owed.produced_at == 4.0
    assert owed_of([(-1, 9_000)], retention_seconds=math.inf).produced_at == 9.0
