"""Tries the way to GSTV as a worker would go it, and sends no event."""

from pop_stream.gstv.connection import Hooks, StreamConnection
from pop_stream.gstv.connector import Connector
from pop_stream.gstv.from_settings import endpoint_of, is_gstv
from pop_stream.gstv.limits import ClientLimits
from pop_stream.gstv.proof_from_settings import proof_of
from pop_stream.gstv.route import route_of
from pop_stream.pop.outcome import NoAnswer, Trouble
from pop_stream.settings import Settings

_QUIET: Hooks[None] = Hooks(finished=lambda *_: None, died=lambda _: None, closed=lambda _: None)


async def try_way(settings: Settings, url: str, *, timeout_seconds: float) -> NoAnswer | None:
    """Get the credentials and make one connection; what is returned says why that cannot be.

    Raises ValueError when the URL or a file cannot be used.
    """
    endpoint = endpoint_of(settings, url)
    proof = proof_of(settings, trusted=is_gstv(settings, endpoint.origin))
    if proof is not None and proof.credentials is not None and proof.credentials.lines() is None:
        why = await proof.credentials.ready()
        if why is not None:
            return why
    connector = Connector(
        endpoint,
        lambda: StreamConnection(_QUIET, max_response_bytes=ClientLimits().max_response_bytes),
        timeout_seconds=timeout_seconds,
        route=route_of(settings),
    )
    made = await connector.connect()
    if isinstance(made, NoAnswer):
        return made
    made.fail(Trouble.CLOSED, "only tried")
    return None
