"""Judges topics: what about them would lose events, or stop them, and what to do about it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pop_stream.kafka.topic_table import (
    HEADER_ROOM_BYTES,
    RECEIPT_MAX_BYTES,
    TopicPlan,
    TopicState,
    least_in_sync,
    topic_table,
)
from pop_stream.settings import Settings

#: The problem of a topic that is perhaps there.
HIDDEN = "this user has no right to see it"


class Severity(StrEnum):
    """How bad a finding is."""

    #: Events will be lost or cannot pass.
    ERROR = "error"
    #: Events may be lost, or wait, when something else fails too.
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about a topic that is not as it should be."""

    topic: str
    severity: Severity
    problem: str
    #: What to do about it.
    remedy: str


def judge(
    settings: Settings, states: Mapping[str, TopicState], *, hidden: Collection[str] = ()
) -> list[Finding]:
    """Compare what is there with the table. A topic without a state is missing, or hidden."""
    findings: list[Finding] = []
    for plan in topic_table(settings):
        state = states.get(plan.name)
        if state is None and plan.name in hidden:
            findings.append(
                Finding(
                    topic=plan.name,
                    severity=Severity.ERROR,
                    problem=HIDDEN,
                    remedy="give it Describe, which Read and Write include: pop-stream topics acls "
                    "shows the rights of each role",
                )
            )
        elif state is None:
            findings.append(
                Finding(
                    topic=plan.name,
                    severity=Severity.ERROR,
                    problem="it does not exist",
                    remedy="create it: pop-stream topics ensure; if it is there, this user needs "
                    "Describe on it",
                )
            )
        else:
            findings += judge_topic(plan, state)
    return findings + list(_judge_sizes(settings, states))


def judge_topic(plan: TopicPlan, state: TopicState) -> list[Finding]:
    """Judge one topic by itself."""
    checks = [_leaders(state), _copies(state), _sharing(plan, state)]
    if state.configs:
        checks += [_cleanup(plan, state), _age(plan, state), _safety(plan, state)]
    else:
        checks.append(_unseen(state))
    return [finding for check in checks for finding in check]


def _unseen(state: TopicState) -> Iterator[Finding]:
    yield _warning(
        state,
        "Kafka does not let us see its configuration",
        "allow DESCRIBE_CONFIGS on it, or look at its retention and cleanup.policy yourself",
    )


def _leaders(state: TopicState) -> Iterator[Finding]:
    if state.leaderless:
        which = ", ".join(map(str, state.leaderless))
        yield _error(
            state,
            f"partition {which} has no leader: nobody can read or write it",
            "bring back the brokers that hold it",
        )


def _copies(state: TopicState) -> Iterator[Finding]:
    needed = int(state.configs.get("min.insync.replicas", "1"))
    if needed > state.replication:
        yield _error(
            state,
            f"a write needs {needed} copies (min.insync.replicas), and there are "
            f"{state.replication}: nothing can be written",
            f"set min.insync.replicas to {least_in_sync(state.replication)}",
        )
    elif state.replication == 1:
        yield _warning(
            state,
            "there is one copy only: it is lost with its broker's disk",
            "in production, replicate it three times",
        )
    elif needed == state.replication:
        yield _warning(
            state,
            f"a write needs all {needed} copies: it stops when one broker is down",
            f"set min.insync.replicas to {least_in_sync(state.replication)}, "
            "or replicate it once more",
        )
    elif needed == 1 and state.configs:
        yield _warning(
            state,
            "one copy confirms a write (min.insync.replicas=1): a record that was confirmed is "
            "lost when that broker is",
            "replicate it three times and set min.insync.replicas to 2",
        )


def _sharing(plan: TopicPlan, state: TopicState) -> Iterator[Finding]:
    if plan.owed and state.partitions == 1:
        yield _warning(
            state,
            "it has one partition: only one worker can work on it",
            "add partitions before there are many screens (the order per screen is broken once)",
        )


def _cleanup(plan: TopicPlan, state: TopicState) -> Iterator[Finding]:
    policy = state.configs.get("cleanup.policy", "")
    if "compact" in policy:
        yield _error(
            state,
            f"cleanup.policy={policy} keeps only the last record of each screen",
            "set cleanup.policy to delete, at once",
        )
    size = int(state.configs.get("retention.bytes", "-1"))
    if size >= 0:
        grade = _error if plan.owed else _warning
        yield grade(
            state,
            f"retention.bytes={size} deletes by size, however young a record is",
            "set retention.bytes to -1",
        )


def _age(plan: TopicPlan, state: TopicState) -> Iterator[Finding]:
    milliseconds = int(state.configs.get("retention.ms", "-1"))
    if milliseconds < 0:
        return
    kept = timedelta(milliseconds=milliseconds)
    wanted = "everything" if plan.retention is None else f"{_days(plan.retention)} days"
    if plan.retention is None or kept < plan.retention:
        grade = _error if kept < plan.least_retention else _warning
        target = -1 if plan.retention is None else plan.retention // timedelta(milliseconds=1)
        yield grade(
            state,
            f"it keeps records for {_days(kept)} days; it should keep {wanted}: {plan.because}",
            f"set retention.ms to {target}",
        )


def _safety(plan: TopicPlan, state: TopicState) -> Iterator[Finding]:
    if state.configs.get("unclean.leader.election.enable") == "true" and state.replication > 1:
        grade = _error if plan.owed else _warning
        yield grade(
            state,
            "a replica that lags may become its leader: what it lacks is lost",
            "set unclean.leader.election.enable to false",
        )
    if state.configs.get("message.timestamp.type") == "CreateTime":
        yield _warning(
            state,
            "records are dated by their sender's clock: one that is wrong has records deleted "
            "early, or refused",
            "set message.timestamp.type to LogAppendTime",
        )


def _judge_sizes(settings: Settings, states: Mapping[str, TopicState]) -> Iterator[Finding]:
    """Whatever comes in through the events topic must be able to go on."""
    events = states.get(settings.events_topic)
    largest = _max_message_bytes(events)
    if events is not None and largest is not None and largest < settings.max_event_bytes:
        yield _error(
            events,
            f"max.message.bytes={largest} is less than the largest event allowed "
            f"({settings.max_event_bytes}): players cannot send it",
            f"set max.message.bytes to {settings.max_event_bytes + HEADER_ROOM_BYTES} at least",
        )
    for name in (settings.retry_topic, settings.failure_topic):
        state = states.get(name)
        room = _max_message_bytes(state)
        needed = (largest or 0) + HEADER_ROOM_BYTES
        if state is not None and room is not None and room < needed:
            yield _error(
                state,
                f"max.message.bytes={room} is too small for the largest record that "
                f"{settings.events_topic} takes, with our headers: the worker would stop there",
                f"set max.message.bytes to {needed} at least",
            )
    receipts = states.get(settings.receipts_topic)
    room = _max_message_bytes(receipts)
    if receipts is not None and room is not None and room < RECEIPT_MAX_BYTES:
        grade = _error if settings.receipts == "on" else _warning
        yield grade(
            receipts,
            f"max.message.bytes={room} is too small for receipts of many deliveries",
            f"set max.message.bytes to {RECEIPT_MAX_BYTES} at least",
        )


def _max_message_bytes(state: TopicState | None) -> int | None:
    if state is None or "max.message.bytes" not in state.configs:
        return None
    return int(state.configs["max.message.bytes"])


def _days(duration: timedelta) -> str:
    return f"{duration / timedelta(days=1):.3g}"


def _error(state: TopicState, problem: str, remedy: str) -> Finding:
    return Finding(topic=state.name, severity=Severity.ERROR, problem=problem, remedy=remedy)


def _warning(state: TopicState, problem: str, remedy: str) -> Finding:
    return Finding(topic=state.name, severity=Severity.WARNING, problem=problem, remedy=remedy)
