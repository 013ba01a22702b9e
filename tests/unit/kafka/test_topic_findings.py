from dataclasses import replace
from datetime import timedelta

import pytest

from pop_stream.kafka.topic_findings import Finding, Severity, judge
from pop_stream.kafka.topic_table import TopicState, topic_table
from pop_stream.settings import Settings

SETTINGS = Settings()
DAY = 86_400_000


def states(replication: int = 3) -> dict[str, TopicState]:
    """Give the topics as `ensure` makes them."""
    return {
        plan.name: TopicState(
            name=plan.name,
            partitions=12,
            replication=replication,
            leaderless=(),
            configs=plan.configs(replication=replication),
        )
        for plan in topic_table(SETTINGS)
    }


def judged(topic: str, *, replication: int = 3, **changes: object) -> list[Finding]:
    """Judge the topics with one of them changed: by attribute, or by config with _ for dots."""
    there = states(replication)
    attributes = {"partitions", "replication", "leaderless"}
    configs = {
        name.replace("_", "."): str(v) for name, v in changes.items() if name not in attributes
    }
    state = there[topic]
    there[topic] = replace(
        state,
        configs={**state.configs, **configs},
        **{name: value for name, value in changes.items() if name in attributes},  # type: ignore[arg-type]
    )
    return judge(SETTINGS, there)


def only(findings: list[Finding], topic: str, severity: Severity, word: str) -> None:
    """Check that there is this one finding."""
    assert [(f.topic, f.severity) for f in findings] == [(topic, severity)], findings
    assert word in findings[0].problem
    assert findings[0].remedy


def test_topics_as_ensure_makes_them_are_fit() -> None:
    """On three brokers `ensure` leaves nothing to find."""
    assert judge(SETTINGS, states()) == []


def test_missing_topics_are_errors() -> None:
    """Each topic that is not there is found."""
    findings = judge(SETTINGS, {})

    assert [f.topic for f in findings] == [plan.name for plan in topic_table(SETTINGS)]
    assert {f.severity for f in findings} == {Severity.ERROR}
    assert all("topics ensure" in f.remedy for f in findings)


@pytest.mark.parametrize("topic", [plan.name for plan in topic_table(SETTINGS)])
@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
def test_compaction_is_an_error(topic: str, policy: str) -> None:
    """Compaction would leave one record of each screen."""
    only(judged(topic, cleanup_policy=policy), topic, Severity.ERROR, "compact")


@pytest.mark.parametrize(
    ("topic", "days", "severity"),
    [
        ("pop-events", 2, Severity.ERROR),
        ("pop-events", 7, Severity.WARNING),
        ("pop-events-retry", 2, Severity.ERROR),
        ("pop-events-failure", 7, Severity.ERROR),
        ("pop-events-failure", 90, Severity.WARNING),
        ("pop-failure-notifications", 1, Severity.ERROR),
        ("pop-receipts", 365, Severity.WARNING),
    ],
)
def test_short_retention_is_found(topic: str, days: int, severity: Severity) -> None:
    """Too short to outlast an outage is an error, shorter than recommended a warning."""
    only(judged(topic, retention_ms=days * DAY), topic, severity, f"for {days} days")


@pytest.mark.parametrize("retention", [14 * DAY, 400 * DAY, -1])
def test_longer_retention_is_fine(retention: int) -> None:
    """To keep more than recommended is nobody's problem."""
    assert judged("pop-events", retention_ms=retention) == []


def test_retention_by_size_is_an_error_where_events_are_owed() -> None:
    """A limit by size deletes events that nobody has delivered."""
    only(judged("pop-events", retention_bytes=10**9), "pop-events", Severity.ERROR, "size")


@pytest.mark.parametrize("topic", ["pop-events-retry", "pop-events-failure"])
def test_what_comes_in_must_fit_where_it_goes(topic: str) -> None:
    """A topic that takes no larger records than the one before stops the worker."""
    events_bytes = states()["pop-events"].configs["max.message.bytes"]

    only(judged(topic, max_message_bytes=events_bytes), topic, Severity.ERROR, "too small")


@pytest.mark.parametrize(("receipts", "severity"), [("on", Severity.ERROR),
                                                    ("off", Severity.WARNING)])  # fmt: skip
def test_a_receipt_must_fit(receipts: str, severity: Severity) -> None:
    """A worker that starts with a small one would stop at the first that is large."""
    there = states()
    configs = {**there["pop-receipts"].configs, "max.message.bytes": "20000"}
    there["pop-receipts"] = replace(there["pop-receipts"], configs=configs)
    found = judge(Settings(receipts=receipts), there)

    only(found, "pop-receipts", severity, "too small for receipts")


def test_events_that_are_allowed_must_fit() -> None:
    """Players must be able to send the largest event that the worker takes."""
    only(judged("pop-events", max_message_bytes=50_000), "pop-events", Severity.ERROR, "65536")


@pytest.mark.parametrize(
    ("replication", "in_sync", "severity", "word"),
    [
        (1, 1, Severity.WARNING, "one copy only"),
        (1, 2, Severity.ERROR, "nothing can be written"),
        (2, 1, Severity.WARNING, "one copy confirms"),
        (2, 2, Severity.WARNING, "when one broker is down"),
        (3, 1, Severity.WARNING, "one copy confirms"),
        (3, 3, Severity.WARNING, "when one broker is down"),
    ],
)
def test_copies_are_judged(replication: int, in_sync: int, severity: Severity, word: str) -> None:
    """Too few copies may lose what was confirmed; too many needed ones stop writes."""
    found = judged("pop-events", replication=replication, min_insync_replicas=in_sync)

    only([f for f in found if f.topic == "pop-events"], "pop-events", severity, word)


def test_partition_without_leader_is_an_error() -> None:
    """Events of its screens can be neither sent nor read."""
    only(judged("pop-events", leaderless=(3, 7)), "pop-events", Severity.ERROR, "3, 7")


def test_single_partition_is_told() -> None:
    """Work on one partition cannot be shared."""
    only(judged("pop-events", partitions=1), "pop-events", Severity.WARNING, "one worker")


def test_lagging_replica_must_not_lead() -> None:
    """What it lacks was confirmed to somebody."""
    found = judged("pop-events-retry", unclean_leader_election_enable="true")

    only(found, "pop-events-retry", Severity.ERROR, "lags")


def test_clock_of_the_sender_is_told() -> None:
    """A player's wrong clock must not decide how long its events are kept."""
    found = judged("pop-events", message_timestamp_type="CreateTime")

    only(found, "pop-events", Severity.WARNING, "clock")


def test_configuration_that_cannot_be_seen_is_told() -> None:
    """Without the right to see it, nothing is claimed about it."""
    there = states()
    there["pop-events"] = replace(there["pop-events"], configs={})

    only(judge(SETTINGS, there), "pop-events", Severity.WARNING, "does not let us see")


def test_table_follows_the_settings() -> None:
    """Topics have the names that the settings give them."""
    settings = Settings(events_topic="a", retry_topic="b")

    assert [plan.name for plan in topic_table(settings)][:2] == ["a", "b"]


def test_retry_keeps_as_long_as_events() -> None:
    """While GSTV is down, the one must not forget what the other would still have had."""
    plans = {plan.name: plan for plan in topic_table(SETTINGS)}

    assert (plans["pop-events-retry"].retention or timedelta.max) >= (
        plans["pop-events"].retention or timedelta.max
    )
