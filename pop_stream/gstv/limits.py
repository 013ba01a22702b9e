"""What the client allows itself and GSTV."""

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLimits:
    """Limits of one client. A value that is not above 0 raises ValueError."""

    #: Posts under way at once, and so connections at once: each carries one post at a time.
    max_in_flight: int = 64
    #: From the start of a connection attempt to its end: name lookup, TCP, TLS.
    connect_timeout_seconds: float = 5.0
    #: From `post()` to the last byte of the answer, the wait for a connection included.
    total_timeout_seconds: float = 10.0
    #: All bytes of one answer: interim answers, head, body, trailers.
    max_response_bytes: int = 65_536
    #: A connection unused for so long is closed. It must stay below GSTV's own limit, or a post
    #: meets a connection that GSTV is closing, and nobody knows whether the event was taken.
    #: 1.5 s is below the shortest default among common servers (gunicorn 2 s; Apache, Node.js
    #: and uvicorn 5 s), and a new connection costs less than an unknown outcome.
    idle_seconds: float = 1.5
    #: A connection older than this is replaced, so that changes of DNS and certificates arrive.
    max_connection_age_seconds: float = 300.0
    #: Connection attempts at once: more would only make each TLS handshake slower.
    max_concurrent_connects: int = 64

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"{limit.name} must be above 0, not {value}")
