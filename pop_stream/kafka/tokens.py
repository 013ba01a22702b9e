"""Tokens for Kafka's SASL mechanism OAUTHBEARER."""

import asyncio
import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from aiokafka import conn
from aiokafka.abc import AbstractTokenProvider
from aiokafka.conn import OAuthAuthenticator
from aiokafka.errors import SaslAuthenticationFailed

from pop_stream.access.bounded_post import PostTarget
from pop_stream.access.oauth import OAuthClient, TokenRefused, fetch_token
from pop_stream.access.secrets import reread_secret
from pop_stream.access.tls import client_ssl_context
from pop_stream.access.token_cache import TokenCache
from pop_stream.settings import Settings
from pop_stream.settings.networks import parse_networks

#: Gives a token; blocks while it is asked for. Raises SaslAuthenticationFailed, which says why.
GiveToken = Callable[[], str]

#: When librdkafka asks for the next token: well before any issuer's shortest.
_LIBRDKAFKA_SECONDS: Final = 60.0


def tokens_of(settings: Settings) -> GiveToken:
    """How tokens are had: from their file, which others renew, or from their issuer."""
    if settings.kafka_oauth_token is not None:
        return reread_secret(settings.kafka_oauth_token).get
    cache = TokenCache(partial(fetch_token, _client_of(settings)))

    def give() -> str:
        answer = cache.get()
        if isinstance(answer, TokenRefused):
            raise SaslAuthenticationFailed(answer.detail)
        return answer.value

    return give


def _client_of(settings: Settings) -> OAuthClient:
    url, secret = settings.kafka_oauth_url, settings.kafka_oauth_client_secret
    if not (url and settings.kafka_oauth_client_id and secret):
        raise ValueError("OAUTHBEARER needs a token, or an issuer of tokens")
    return OAuthClient(
        target=PostTarget(
            url=url,
            ssl_context=client_ssl_context(settings.kafka_oauth_ssl_cafile),
            # It stands where Kafka stands, which is mostly a private network.
            allowed=parse_networks("0.0.0.0/0,::/0"),
        ),
        client_id=settings.kafka_oauth_client_id,
        secret=reread_secret(secret).get,
        scope=settings.kafka_oauth_scope,
    )


class TokenProvider(AbstractTokenProvider):
    """What aiokafka asks for a token at each login. One serves several event loops."""

    def __init__(self, give: GiveToken) -> None:
        self._give = give

    async def token(self) -> str:
        """Give a token that is good now. Raises SaslAuthenticationFailed."""
        return await asyncio.to_thread(self._give)


def hear_refusals() -> None:
    """Let every client of this process notice that a token was refused. May be called again."""
    setattr(conn, "OAuthAuthenticator", Authenticator)  # noqa: B010 - no type of it may be replaced


class Authenticator(OAuthAuthenticator):
    """A login by token that ends where the broker refuses the token.

    The broker does so by an answer of JSON (RFC 7628, section 3.2.3). aiokafka takes it for
    consent, and the connection is closed without a word of why.
    """

    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """Give what is to be sent next; None when the login is done."""
        if self._token_sent and payload:
            raise SaslAuthenticationFailed(f"the broker refused the token{_status(payload)}")
        login: Any = super()
        step: tuple[bytes, bool] | None = await login.step(payload)
        return step


def _status(payload: bytes) -> str:
    found = re.search(rb'"status"\s*:\s*"([a-z_]{1,40})"', payload)
    return f" ({found[1].decode()})" if found else ""


def for_librdkafka(give: GiveToken) -> Callable[[str], tuple[str, float]]:
    """Make its `oauth_cb`: a token, and when it asks for the next, in seconds since 1970."""

    def oauth_cb(_config: str) -> tuple[str, float]:
        return give(), time.time() + _LIBRDKAFKA_SECONDS

    return oauth_cb
