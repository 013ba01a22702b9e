"""What settings say of attempts: how events are read, how they are posted, what answers mean."""

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final, TypeVar

from pop_stream.access.tls import client_ssl_context
from pop_stream.gstv.client import GstvClient
from pop_stream.gstv.endpoint import Endpoint, parse_endpoint
from pop_stream.gstv.limits import ClientLimits
from pop_stream.gstv.proof_from_settings import proof_of
from pop_stream.gstv.route import route_of
from pop_stream.pop.backoff import Backoff
from pop_stream.pop.event import Rules
from pop_stream.pop.outcome import Outcome
from pop_stream.pop.verdict import Policy
from pop_stream.settings import Settings
from pop_stream.settings.values import parse_statuses

T = TypeVar("T")

#: Stands in while only the parts of a URL matter.
_NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


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
    proof = proof_of(settings, trusted=is_gstv(settings, endpoint.origin))
    route = route_of(settings)
    return lambda on_outcome: GstvClient(endpoint, limits, on_outcome, route=route, proof=proof)


def endpoint_of(settings: Settings, url: str) -> Endpoint:
    """A URL taken apart, with the TLS rules for it. Raises ValueError when it cannot be used."""
    plain = parse_endpoint(url, ssl_context=_NO_TLS)
    if plain.scheme != "https":
        return plain
    ours = (settings.gstv_ssl_certfile, settings.gstv_ssl_keyfile)
    shown = ours if is_gstv(settings, plain.origin) else (None, None)
    return replace(plain, ssl_context=client_ssl_context(settings.gstv_ssl_cafile, *shown))


def is_gstv(settings: Settings, origin: str) -> bool:
    """Whether this is where events go: nobody else is shown our credentials."""
    url = settings.gstv_url
    return url is not None and parse_endpoint(url, ssl_context=_NO_TLS).origin == origin
