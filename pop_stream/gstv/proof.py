"""What a request shows of who we are: lines of its head, and a signature over all of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pop_stream.gstv.request import RequestHead
from pop_stream.gstv.signing import SigningKey, signed_lines
from pop_stream.pop.outcome import NoAnswer


class Credentials(Protocol):
    """Lines of a request's head that say who we are."""

    def lines(self) -> bytes | None:
        """Give the lines for a request that is sent now; None: wait for `ready`."""

    async def ready(self) -> NoAnswer | None:
        """Wait until there are lines. What is returned says why there will be none for now."""

    def refused(self, lines: bytes) -> None:
        """Hear that GSTV did not take these lines (401)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What all requests to one endpoint show."""

    credentials: Credentials | None = None
    #: Gives the keys that sign, as they are now, the newest first; none: nothing is signed.
    keys: Callable[[], tuple[SigningKey, ...]] | None = None


class ProvingHead:
    """Builds requests that show who we are."""

    __slots__ = ("_credentials", "_head", "_keys", "shown")

    def __init__(self, head: RequestHead, proof: Proof) -> None:
        self._head = head
        self._credentials = proof.credentials
        self._keys = proof.keys
        #: What the request that was made last shows of the credentials.
        self.shown = b""

    def request(
        self, body: bytes, pop_id: str, attempt: int, traceparent: str | None = None
    ) -> bytes | None:
        """Do as `RequestHead.request`; None while there are no credentials."""
        shown = b"" if self._credentials is None else self._credentials.lines()
        lines = shown or b""
        if self._keys is not None and shown is not None:
            lines += signed_lines(self._keys(), pop_id.encode("ascii"), int(time.time()), body)
        request = self._head.request(body, pop_id, attempt, traceparent, lines)
        if shown is None:
            return None
        self.shown = shown
        return request

    async def ready(self) -> NoAnswer | None:
        """Wait for the credentials; what is returned says why there are none."""
        return None if self._credentials is None else await self._credentials.ready()

    def refused(self, lines: bytes) -> None:
        """Hear that GSTV did not take these credentials."""
        if self._credentials is not None:
            self._credentials.refused(lines)
