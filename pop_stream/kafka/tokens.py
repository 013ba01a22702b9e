"""Tokens for Kafka's SASL mechanism OAUTHBEARER."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import SaslAuthenticationFailed

from pop_stream.access.oauth import NoToken, OAuthClient, Tokens
from pop_stream.access.secrets import reread_secret
from pop_stream.access.tls import client_ssl_context
from pop_stream.settings import Settings

#: Gives a token; blocks while it is asked for. Raises SaslAuthenticationFailed, which says why.
GiveToken = Callable[[], str]

#: When librdkafka asks for the next token: well before any issuer's shortest.
_LIBRDKAFKA_SECONDS: Final = 60.0


def tokens_of(settings: Settings) -> GiveToken:
    """How tokens are had: from their file, which others renew, or from their issuer."""
    if settings.kafka_oauth_token is not None:
        return reread_secret(settings.kafka_oauth_token).get
    secret = settings.kafka_oauth_client_secret
    if not (settings.kafka_oauth_url and settings.kafka_oauth_client_id and secret):
        raise ValueError("OAUTHBEARER needs a token, or an issuer of tokens")
    tokens = Tokens(
        OAuthClient(
            url=settings.kafka_oauth_url,
            client_id=settings.kafka_oauth_client_id,
            secret=reread_secret(secret).get,
            scope=settings.kafka_oauth_scope,
            ssl_context=client_ssl_context(settings.kafka_oauth_ssl_cafile),
        )
    )

    def give() -> str:
        answer = tokens.get()
        if isinstance(answer, NoToken):
            raise SaslAuthenticationFailed(answer.why)
        return answer.value

    return give


class TokenProvider(AbstractTokenProvider):
    """What aiokafka asks for a token at each login. One serves several event loops."""

    def __init__(self, give: GiveToken) -> None:
        self._give = give

    async def token(self) -> str:
        """Give a token that is good now. Raises SaslAuthenticationFailed."""
        return await asyncio.to_thread(self._give)


def for_librdkafka(give: GiveToken) -> Callable[[str], tuple[str, float]]:
    """Make its `oauth_cb`: a token, and when it asks for the next, in seconds since 1970."""

    def oauth_cb(_config: str) -> tuple[str, float]:
        return give(), time.time() + _LIBRDKAFKA_SECONDS

    return oauth_cb
