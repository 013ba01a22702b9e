"""What settings become: the conduct, limits and clients of a worker, and Faust's own settings."""

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from pop_stream.gstv.client import GstvClient
from pop_stream.gstv.endpoint import Endpoint, client_ssl_context, parse_endpoint
from pop_stream.gstv.limits import ClientLimits
from pop_stream.pop.backoff import Backoff
from pop_stream.pop.breaker import Breaker
from pop_stream.pop.event import Rules
from pop_stream.pop.outcome import Outcome
from pop_stream.pop.redrive import RedriveSchedule
from pop_stream.pop.verdict import Policy
from pop_stream.settings import Settings
from pop_stream.settings.values import parse_statuses, parse_waits
from pop_stream.stream.forwarder import Conduct
from pop_stream.stream.ledger import Limits
from pop_stream.stream.starting_point import CLIENT_ID

T = TypeVar("T")


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
        rules=Rules(
            validate=settings.validation == "on",
            max_bytes=settings.max_event_bytes,
            overlong=timedelta(seconds=settings.max_overlong_seconds),
        ),
        policy=Policy(
            success_statuses=parse_statuses(settings.gstv_success_statuses),
            retries=settings.retries,
            backoff=Backoff(settings.retry_backoff_seconds),
            retry_after_cap=settings.gstv_retry_after_cap_seconds,
        ),
        breaker=Breaker(
            least_seconds=settings.gstv_probe_seconds,
            most_seconds=settings.gstv_probe_most_seconds,
        ),
        rate_limit=settings.gstv_rate_limit,
        order=settings.order,
        retry_topic=settings.retry_topic,
        failure_topic=settings.failure_topic,
    )


def client_maker(
    settings: Settings, url: str | None
) -> Callable[[Callable[[T, Outcome], None]], GstvClient[T]]:
    """How a client for a URL is made. Raises ValueError when it cannot be used."""
    endpoint = _endpoint(settings, url or "")
    limits = ClientLimits(
        max_in_flight=settings.gstv_max_in_flight,
        connect_timeout_seconds=settings.gstv_connect_timeout_seconds,
        total_timeout_seconds=settings.gstv_timeout_seconds,
    )
    return lambda on_outcome: GstvClient(endpoint, limits, on_outcome)


def _endpoint(settings: Settings, url: str) -> Endpoint:
    ssl_context = None
    if url.startswith("https:"):
        ssl_context = client_ssl_context(cafile=settings.gstv_ssl_cafile)
    return parse_endpoint(url, ssl_context=ssl_context)


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
        # A record on the retry or failure topic is larger than the event by its headers.
        "producer_max_request_size": 2 * 1024 * 1024,
        "stream_wait_empty": True,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "web_enabled": False,
        "store": "memory://",
        "datadir": str(Path(tempfile.gettempdir()) / "pop-stream-faust"),
    }
