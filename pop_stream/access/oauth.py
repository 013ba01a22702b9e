"""Access tokens for a client's own id and secret (RFC 6749, 4.4), kept and renewed in time.

No token and no secret is ever shown or logged, and no error repeats what the endpoint answered.
"""

import asyncio
import base64
import http.client
import logging
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import quote_plus

import orjson

from pop_stream.access.bounded_post import (
    PostAnswer,
    PostTarget,
    RefusedAddressError,
    TooLargeError,
    post_form,
)
from pop_stream.access.proxy import ProxyError
from pop_stream.settings.values import check_credential

_logger = logging.getLogger(__name__)

#: What is believed of a token's life: for one that does not say, at least, and at most.
_UNTOLD_SECONDS: Final = 300.0
_LEAST_SECONDS: Final = 5.0
_MOST_SECONDS: Final = 86_400.0
#: A token is renewed when a fifth of its life is left, but not earlier than so long before its end.
_EARLY_SHARE: Final = 0.2
_EARLY_SECONDS: Final = 60.0
#: A token that comes again although it was refused is not refused again for so long.
_REFUSED_SECONDS: Final = 30.0
#: Between attempts to renew a token that is still good.
_FIRST_WAIT_SECONDS: Final = 1.0
_LONGEST_WAIT_SECONDS: Final = 30.0
_MOST_TOKEN_CHARACTERS: Final = 8192
#: The errors of RFC 6749, 5.2: nothing else of an answer is repeated.
_KNOWN_ERRORS: Final = frozenset(
    {
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
        "unsupported_grant_type", "invalid_scope",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient:
    """Who asks for tokens, and where."""

    target: PostTarget
    client_id: str
    #: Gives the secret as it is now.
    secret: Callable[[], str] = field(repr=False)
    #: With spaces between them; none: what the endpoint gives by itself.
    scope: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An access token. Times are those of `time.monotonic`: a wrong clock does not matter."""

    value: str = field(repr=False)
    #: From when on a new one should be had.
    renew_at: float
    expires_at: float


class Refusal(StrEnum):
    """Why there is no token."""

    #: The endpoint cannot be reached, fails, or asks to wait.
    DOWN = "down"
    #: The endpoint does not take us for its client, or is no token endpoint.
    CLIENT = "client"
    TLS = "tls"
    #: Its name leads to no address that may be connected to.
    ADDRESS = "address"
    PROXY = "proxy"


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """There is no token."""

    why: Refusal
    #: For people, without secrets, and without anything that the endpoint wrote.
    detail: str


def fetch_token(client: OAuthClient) -> Token | TokenRefused:
    """Ask for a token; blocks for the target's timeout at most. May be called from any thread."""
    form = {"grant_type": "client_credentials"}
    if client.scope is not None:
        form["scope"] = client.scope
    # Both are form-encoded first (RFC 6749, 2.3.1), so that a colon in the id is none.
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.secret())}".encode("ascii")
    asked_at = time.monotonic()
    try:
        answer = post_form(client.target, form, b"Basic " + base64.b64encode(pair))
    except (OSError, http.client.HTTPException, TooLargeError, ProxyError, RefusedAddressError,
            UnicodeError) as error:  # fmt: skip
        return _not_reached(error)
    return read_token(answer, asked_at)


def read_token(answer: PostAnswer, asked_at: float) -> Token | TokenRefused:
    """Read what a token endpoint answered; its life began when it was asked, at the latest."""
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        said = None
    fields = said if isinstance(said, dict) else {}
    status = answer.status
    if status in (408, 425, 429) or status >= 500:
        return TokenRefused(Refusal.DOWN, f"the token endpoint answered {status}")
    if status != 200:
        error = fields.get("error")
        known = f" ({error})" if isinstance(error, str) and error in _KNOWN_ERRORS else ""
        return TokenRefused(Refusal.CLIENT, f"the token endpoint answered {status}{known}")
    value, kind = fields.get("access_token"), fields.get("token_type", "Bearer")
    if not isinstance(value, str) or len(value) > _MOST_TOKEN_CHARACTERS:
        return TokenRefused(Refusal.CLIENT, "the token endpoint's answer holds no access_token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return TokenRefused(Refusal.CLIENT, "the token is no bearer token")
    try:
        check_credential(value)
    except ValueError:
        return TokenRefused(Refusal.CLIENT, "the access_token cannot stand in a header")
    life = min(max(_life(fields.get("expires_in")), _LEAST_SECONDS), _MOST_SECONDS)
    early = min(life * _EARLY_SHARE, _EARLY_SECONDS)
    return Token(value=value, renew_at=asked_at + life - early, expires_at=asked_at + life)


def _life(told: object) -> float:
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < 12:
        return float(told)
    return float(told) if type(told) in (int, float) else _UNTOLD_SECONDS  # type: ignore[arg-type]


def _not_reached(error: Exception) -> TokenRefused:
    why, detail = Refusal.DOWN, f"the token endpoint: {type(error).__name__}"
    match error:
        case RefusedAddressError():
            why, detail = Refusal.ADDRESS, str(error)
        case ProxyError(ours=ours):
            why, detail = Refusal.PROXY if ours else Refusal.DOWN, str(error)
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            pass  # it went away during the handshake: no refusal of TLS
        case ssl.SSLCertVerificationError(verify_message=message):
            why, detail = Refusal.TLS, f"the token endpoint's certificate: {message}"
        case ssl.SSLError():
            why, detail = Refusal.TLS, f"no TLS with the token endpoint: {error.reason}"
        case OSError(strerror=str(text)):
            detail = f"the token endpoint cannot be reached: {text}"
        case TimeoutError() | TooLargeError():
            detail = f"the token endpoint: {error}"
        case _:
            pass
    return TokenRefused(why, detail)


class TokenKeeper:
    """Keeps one token, and renews it before it ends. Use it in one running event loop.

    A token is fetched in a thread of its own, one at a time, however many wait for it. The old one
    is given out until it expires, also while it cannot be renewed.
    """

    def __init__(self, fetch: Callable[[], Token | TokenRefused]) -> None:
        self._fetch = fetch
        self._token: Token | None = None
        self._fetching: asyncio.Future[Token | TokenRefused] | None = None
        self._wait_seconds = _FIRST_WAIT_SECONDS
        self._not_before = 0.0
        self._failed = False
        self._refused_value: str | None = None
        self._refused_until = 0.0

    def current(self) -> Token | None:
        """Give the token, and see to it that it is renewed in time; None: wait with `get`."""
        token, now = self._token, time.monotonic()
        if token is None or now >= token.expires_at:
            return None
        if now >= token.renew_at and now >= self._not_before:
            self._begin()
        return token

    async def get(self) -> Token | TokenRefused:
        """Wait for a token if there is none."""
        token = self.current()
        if token is not None:
            return token
        # Shielded: one that gives up must not end the fetch for the others.
        return await asyncio.shield(self._begin())

    def refuse(self, token: Token) -> None:
        """Hear that a token was not taken: once for each token, another is fetched at once.

        An endpoint may give the same token again; that is then not refused again for 30 s.
        """
        now = time.monotonic()
        if self._token is not token:
            return
        if token.value == self._refused_value and now < self._refused_until:
            return
        self._refused_value, self._refused_until = token.value, now + _REFUSED_SECONDS
        self._token = None
        self._begin()

    def _begin(self) -> asyncio.Future[Token | TokenRefused]:
        if self._fetching is None:
            self._fetching = _in_a_thread(self._fetch)
            self._fetching.add_done_callback(self._fetched)
        return self._fetching

    def _fetched(self, fetching: asyncio.Future[Token | TokenRefused]) -> None:
        self._fetching = None
        found = fetching.result()
        if isinstance(found, Token):
            if self._failed:
                _logger.info("access.token.renewed")
            self._token, self._failed = found, False
            self._wait_seconds, self._not_before = _FIRST_WAIT_SECONDS, 0.0
            return
        self._not_before = time.monotonic() + self._wait_seconds
        self._wait_seconds = min(self._wait_seconds * 2, _LONGEST_WAIT_SECONDS)
        if not self._failed:
            _logger.warning(
                "access.token.failed", extra={"reason": found.why.value, "detail": found.detail}
            )
        self._failed = True


def _in_a_thread(
    fetch: Callable[[], Token | TokenRefused],
) -> asyncio.Future[Token | TokenRefused]:
    """Run it in a thread that keeps no process from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Token | TokenRefused] = loop.create_future()

    def settle(found: Token | TokenRefused) -> None:
        if not future.done():
            future.set_result(found)

    def run() -> None:
        try:
            found = fetch()
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            found = TokenRefused(Refusal.CLIENT, f"no token: {type(error).__name__}")
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, found)

    threading.Thread(target=run, name="token", daemon=True).start()
    return future
