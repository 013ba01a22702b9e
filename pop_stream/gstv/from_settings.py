"""What settings say of attempts: how events are read, how they are posted, what answers mean."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from pop_stream.access.tls import client_ssl_context
from pop_stream.gstv.client import GstvClient
from pop_stream.gstv.endpoint import Endpoint, parse_endpoint
from pop_stream.gstv.limits import ClientLimits
from pop_stream.pop.backoff import Backoff
from pop_stream.pop.event import Rules
from pop_stream.pop.outcome import Outcome
from pop_stream.pop.verdict import Policy
from pop_stream.settings import Settings
from pop_stream.settings.values import parse_statuses

T = TypeVar("T")


def rules_of(settings: Settings) -> Rules:
    """How strictly an event is read."""
    return Rules(
        validate=settings.validation == "on",
        max_bytes=settings.max_event_bytes,
        overlong=timedelta(seconds=settings.max_overlong_seconds),
    )


def policy_of(settings: Settings) -> Policy:
    """What follows from an attempt."""
    return Policy(
        success_statuses=parse_statuses(settings.gstv_success_statuses),
        retries=settings.retries,
        backoff=Backoff(settings.retry_backoff_seconds),
        retry_after_cap=settings.gstv_retry_after_cap_seconds,
    )


def client_maker(
    settings: Settings, url: str | None
) -> Callable[[Callable[[T, Outcome], None]], GstvClient[T]]:
    """How a client for a URL is made. Raises ValueError when it cannot be used."""
    endpoint = endpoint_of(settings, url or "")
    limits = ClientLimits(
        max_in_flight=settings.gstv_max_in_flight,
        connect_timeout_seconds=settings.gstv_connect_timeout_seconds,
        total_timeout_seconds=settings.gstv_timeout_seconds,
    )
    return lambda on_outcome: GstvClient(endpoint, limits, on_outcome)


def endpoint_of(settings: Settings, url: str) -> Endpoint:
    """A URL taken apart, with the TLS rules for it. Raises ValueError when it cannot be used."""
    ssl_context = None
    if url.startswith("https:"):
        ssl_context = client_ssl_context(cafile=settings.gstv_ssl_cafile)
    return parse_endpoint(url, ssl_context=ssl_context)
