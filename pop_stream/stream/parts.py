"""What settings become: the conduct and the limits of a worker, and Faust's own settings."""

import tempfile
from pathlib import Path
from typing import Any

from pop_stream.gstv.from_settings import policy_of, rules_of
from pop_stream.pop.breaker import Breaker
from pop_stream.pop.redrive import RedriveSchedule
from pop_stream.settings import Settings
from pop_stream.settings.values import parse_waits
from pop_stream.stream.forwarder import Conduct
from pop_stream.stream.handoff import Confirm
from pop_stream.stream.ledger import Limits
from pop_stream.stream.receipts import Receipts
from pop_stream.stream.starting_point import CLIENT_ID
from pop_stream.watch.tally import Tally


def topics_of(settings: Settings) -> dict[str, str]:
    """The topic of each stage that this worker has."""
    topics = {
        "forward": settings.events_topic,
        "retry": settings.retry_topic,
        "failure": settings.failure_topic,
    }
    return {stage: topics[stage] for stage in settings.stages}


def limits_of(stage: str, settings: Settings) -> Limits:
    """How much of a stage's topic is held at once."""
    events = settings.max_held_events
    if stage == "retry" or settings.order == "screen":
        # Most of what is held there only waits for its time. Room for ten times as much keeps an
        # event that is due from waiting behind those that are not.
        events *= 10
    return Limits(events=events, bytes=settings.max_held_bytes, skew=events)


def conduct_of(settings: Settings) -> Conduct:
    """How events are read, judged, and where they go."""
    return Conduct(
        rules=rules_of(settings),
        policy=policy_of(settings),
        breaker=Breaker(
            least_seconds=settings.gstv_probe_seconds,
            most_seconds=settings.gstv_probe_most_seconds,
        ),
        rate_limit=settings.gstv_rate_limit,
        order=settings.order,
        retry_topic=settings.retry_topic,
        failure_topic=settings.failure_topic,
    )


def receipts_of(settings: Settings, confirm: Confirm, tally: Tally) -> Receipts | None:
    """What notes deliveries; None: nothing does."""
    if settings.receipts == "off":
        return None
    return Receipts(confirm, topic=settings.receipts_topic, group=settings.group, tally=tally)


def schedule_of(settings: Settings) -> RedriveSchedule:
    """When parked events are sent back by themselves."""
    return RedriveSchedule(
        parse_waits(settings.auto_redrive), frozenset(settings.auto_redrive_reasons)
    )


def faust_settings(settings: Settings) -> dict[str, Any]:
    """All of Faust's own that is not as it comes."""
    return {
        # The broker's address is the transport's; this one is only printed by Faust.
        "broker": "kafka://",
        # By this name a worker is told from a foreign member of its group.
        "broker_client_id": CLIENT_ID,
        "broker_commit_interval": settings.commit_interval_seconds,
        "broker_max_poll_records": 1000,
        # Waiting for GSTV must never count as having left the group; the watchdog looks after us.
        "broker_max_poll_interval": 86_400.0,
        "broker_request_timeout": 40.0,
        "broker_rebalance_timeout": 60.0,
        "broker_session_timeout": settings.session_timeout_seconds,
        "producer_acks": -1,
        # No hand-off is in a hurry, and together they make fewer requests and longer runs.
        "producer_linger": 0.02,
        # Well below the time after which a write without an answer counts as stuck.
        "producer_request_timeout": 20.0,
        # What is handed on together, and all receipts of a commit, are to go in one request: what
        # does not fit would wait for the answer to it.
        "producer_max_batch_size": 128 * 1024,
        # A record on the retry or failure topic is larger than the event by its headers.
        "producer_max_request_size": 2 * 1024 * 1024,
        "stream_wait_empty": True,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "web_enabled": False,
        "store": "memory://",
        "datadir": str(Path(tempfile.gettempdir()) / "pop-stream-faust"),
    }
