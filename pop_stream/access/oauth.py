"""Tokens by OAuth 2.0's grant client_credentials (RFC 6749, section 4.4).

By the standard library, which follows no redirect and heeds no proxy of the environment; players
use it, too, and load no HTTP framework for it. It blocks: ask in a thread of your own.
"""

import base64
import json
import re
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import quote_plus, urlencode, urlsplit

_TIMEOUT_SECONDS: Final = 10.0
_MOST_BYTES: Final = 65_536
#: What RFC 6750 lets a token consist of. Anything else could end the header that it goes into.
_is_token: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*").fullmatch
#: The codes of RFC 6749, section 5.2: the only words of an issuer that are repeated.
_is_error_code: Final = re.compile(r"[a-z_]{1,40}").fullmatch
#: How long a token is taken to live whose issuer does not say.
_LIFE_SECONDS: Final = 300.0
#: A token is renewed while this share of its life is left, and at most so many seconds.
_EARLY_SHARE: Final = 0.2
_EARLY_SECONDS: Final = 60.0
#: How long nobody asks again after an answer that was none.
_PAUSE_SECONDS: Final = 1.0
_PASSING: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient:
    """Who asks for a token, and where."""

    #: Never shown: its query may hold a key.
    url: str = field(repr=False)
    client_id: str
    #: Gives the client's secret as it is now.
    secret: Callable[[], str] = field(repr=False)
    scope: str | None = None
    #: The rules for TLS; None for http.
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, and how long it is good for by `time.monotonic`."""

    value: str = field(repr=False)
    renew_at: float
    ends_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NoToken:
    """None was given."""

    #: For people; no word of it is secret.
    why: str
    #: Whether the issuer said no. Else it was not reached, or could not answer: that may pass.
    refused: bool


def fetch_token(client: OAuthClient) -> Token | NoToken:
    """Ask for a new token. Blocks for some 10 s at most where nobody answers; never raises."""
    asked_at = time.monotonic()
    try:
        status, body = _post(client)
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", None) or error.reason or type(error).__name__
        return NoToken(why=f"TLS with the issuer of tokens failed: {why}", refused=False)
    except (OSError, HTTPException, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        return NoToken(why=f"the issuer of tokens was not reached: {why}", refused=False)
    answer = _object(body)
    if status != 200:
        code = answer.get("error")
        said = f" ({code})" if isinstance(code, str) and _is_error_code(code) else ""
        return NoToken(
            why=f"the issuer of tokens answered {status}{said}",
            refused=status < 500 and status not in _PASSING,
        )
    return _token(answer, asked_at)


def _post(client: OAuthClient) -> tuple[int, bytes]:
    url = urlsplit(client.url)
    connection: HTTPConnection
    if url.scheme == "https":
        connection = HTTPSConnection(
            url.hostname or "", url.port, timeout=_TIMEOUT_SECONDS, context=client.ssl_context
        )
    else:
        connection = HTTPConnection(url.hostname or "", url.port, timeout=_TIMEOUT_SECONDS)
    # Both are encoded before they are joined: RFC 6749, section 2.3.1.
    login = f"{quote_plus(client.client_id)}:{quote_plus(client.secret())}"
    form = {"grant_type": "client_credentials"}
    if client.scope:
        form["scope"] = client.scope
    headers = {
        "Accept": "application/json",
        "Authorization": "Basic " + base64.b64encode(login.encode("ascii")).decode("ascii"),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        connection.request("POST", target, urlencode(form), headers)
        response = connection.getresponse()
        return response.status, response.read(_MOST_BYTES)
    finally:
        connection.close()


def _object(body: bytes) -> dict[str, object]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _token(answer: dict[str, object], asked_at: float) -> Token | NoToken:
    value, kind, life = (answer.get(key) for key in ("access_token", "token_type", "expires_in"))
    if not isinstance(value, str) or not _is_token(value):
        return NoToken(why="the issuer of tokens answered 200 without a token", refused=True)
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return NoToken(why="the issuer gave a token that is no bearer token", refused=True)
    good = isinstance(life, int | float) and 0 < life < 10**9
    seconds = float(life) if good and isinstance(life, int | float) else _LIFE_SECONDS
    return Token(
        value=value,
        renew_at=asked_at + seconds - min(seconds * _EARLY_SHARE, _EARLY_SECONDS),
        ends_at=asked_at + seconds,
    )


class Tokens:
    """The token of one client: asked for once, renewed early. Safe to use from several threads."""

    def __init__(
        self,
        client: OAuthClient,
        *,
        fetch: Callable[[OAuthClient], Token | NoToken] = fetch_token,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._fetch = fetch
        self._clock = clock
        self._asking = threading.Lock()
        self._token: Token | None = None
        self._refused = NoToken(why="none was asked for", refused=False)
        self._pause_until = float("-inf")

    @property
    def current(self) -> Token | None:
        """The token, unless there is none, or it is time to renew it. Does not block."""
        token = self._token
        return token if token is not None and self._clock() < token.renew_at else None

    def get(self) -> Token | NoToken:
        """Give a good token, asking for one when needed. Blocks as long as `fetch_token`.

        While none is given, the old one is used as long as it is good.
        """
        with self._asking:
            if (token := self.current) is not None:
                return token
            if self._clock() >= self._pause_until:
                self._ask()
            old = self._token
            return old if old is not None and self._clock() < old.ends_at else self._refused

    def refuse(self, value: str) -> None:
        """Note that a token was not taken, though its time is not over: another is asked for.

        Only the one that is in use: of many that come back at once, the first is enough.
        """
        token = self._token
        if token is not None and token.value == value:
            self._token = None

    def _ask(self) -> None:
        answer = self._fetch(self._client)
        if isinstance(answer, Token):
            self._token = answer
        else:
            self._refused = answer
            self._pause_until = self._clock() + _PAUSE_SECONDS
