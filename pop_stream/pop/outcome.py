"""What became of one attempt to deliver an event: an answer of GSTV, or none.

An outcome is a value, not an exception: failing is what attempts do.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Answer:
    """GSTV answered, and the whole response was read and well formed."""

    #: The HTTP status, 200 to 599.
    status: int
    #: The value of the Retry-After header, as it came (trimmed, 128 characters at most).
    retry_after: str | None = None


class Trouble(StrEnum):
    """Why there is no answer."""

    #: The connection could not be made: refused, unreachable, or timed out while connecting.
    CONNECT = "connect"
    #: The host's name could not be resolved.
    DNS = "dns"
    #: The TLS handshake failed: a certificate or a protocol that we do not accept.
    TLS = "tls"
    #: No complete answer within the total time allowed.
    TIMEOUT = "timeout"
    #: The connection ended before the answer was complete.
    RESET = "reset"
    #: What came back is not an HTTP/1.1 answer, or it broke a limit of ours.
    BAD_RESPONSE = "bad-response"
    #: This process cannot attempt now: no file descriptor or no local port is left.
    EXHAUSTED = "exhausted"
    #: The client was closed before an answer came.
    CLOSED = "closed"
    #: The host's name leads only to addresses that are not to be connected to.
    ADDRESS = "address"
    #: The forward proxy does not let us through, or is none.
    PROXY = "proxy"
    #: The token endpoint cannot be reached, or fails.
    TOKEN = "token"  # noqa: S105 - no password
    #: The token endpoint does not take us for whom we say we are.
    CREDENTIALS = "credentials"


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """GSTV gave no answer that can be relied on."""

    trouble: Trouble
    #: Whether any byte of the request may have reached GSTV: if so, it may have taken the event.
    sent: bool
    #: For people, without secrets: 512 characters at most.
    detail: str = ""


Outcome = Answer | NoAnswer
