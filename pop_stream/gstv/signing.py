"""Signatures of requests, as the specification of Standard Webhooks has them.

What is signed is `<id>.<timestamp>.<body>`, by HMAC-SHA256. A request has a signature for each
secret: while secrets are changed, a receiver that knows either of the two finds its own.
"""

import base64
import hmac
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

#: How far a request's time may be from the receiver's, as Standard Webhooks suggests.
TOLERANCE_SECONDS: Final = 300
_VERSION: Final = b"v1,"
#: More signatures than this in one request are not looked at.
_MOST_SIGNATURES: Final = 32
_BLOCK_BYTES: Final = 64


class SigningKey:
    """A key that is ready to sign.

    What HMAC does with the key alone (RFC 2104) is done once: for each request anew it would cost
    three times as much as all the rest.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = (sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(
            _BLOCK_BYTES, b"\0"
        )
        self._inner = sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in block))

    def signature(self, content: bytes) -> bytes:
        """Sign, and give the signature in base64."""
        inner = self._inner.copy()
        inner.update(content)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return base64.b64encode(outer.digest())


def sign(keys: Iterable[SigningKey], pop_id: bytes, timestamp: int, body: bytes) -> bytes:
    """Make the value of `webhook-signature`: one signature for each key, in the keys' order.

    `timestamp` is in epoch seconds. The id must not hold a dot: it could be taken for another.
    """
    content = b"%b.%d.%b" % (pop_id, timestamp, body)
    return b" ".join([_VERSION + key.signature(content) for key in keys])


def signed_lines(keys: Iterable[SigningKey], pop_id: bytes, timestamp: int, body: bytes) -> bytes:
    """Make the three header lines of a signed request."""
    return b"webhook-id: %b\r\nwebhook-timestamp: %d\r\nwebhook-signature: %b\r\n" % (
        pop_id,
        timestamp,
        sign(keys, pop_id, timestamp, body),
    )


def verify(  # noqa: PLR0913 - what a receiver has at hand
    keys: Sequence[SigningKey],
    pop_id: str,
    timestamp: str,
    signature: str,
    body: bytes,
    *,
    now: float,
    tolerance_seconds: float = TOLERANCE_SECONDS,
) -> str | None:
    """Say why a request is not from one that knows a key; None when it is, and of these minutes.

    The three texts are the request's headers, `now` is in epoch seconds. An earlier request with
    the same id is not looked for: that is for whoever stores events.
    """
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return "webhook-timestamp is not a time in seconds"
    if abs(now - int(timestamp)) > tolerance_seconds:
        return f"webhook-timestamp is over {tolerance_seconds:g} s from now"
    content = b"%b.%d.%b" % (pop_id.encode("latin-1", "replace"), int(timestamp), body)
    given = signature.encode("latin-1", "replace").split(b" ")[:_MOST_SIGNATURES]
    # All are compared, each in the same time whatever it holds.
    good = [
        hmac.compare_digest(each, _VERSION + key.signature(content))
        for key in keys
        for each in given
    ]
    return None if any(good) else "webhook-signature holds no signature by a secret that is known"
