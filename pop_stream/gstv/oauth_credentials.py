"""Credentials of OAuth: a bearer token that is fetched, renewed in time, and may be refused."""

from typing import Final

from pop_stream.access.oauth import Refusal, Token, TokenKeeper, TokenRefused
from pop_stream.gstv.credentials import bearer_lines
from pop_stream.pop.outcome import NoAnswer, Trouble

_TROUBLES: Final = {
    Refusal.DOWN: Trouble.TOKEN,
    Refusal.CLIENT: Trouble.CREDENTIALS,
    Refusal.TLS: Trouble.TLS,
    Refusal.ADDRESS: Trouble.ADDRESS,
    Refusal.PROXY: Trouble.PROXY,
}


class OAuthCredentials:
    """The line of the token that a keeper has now."""

    def __init__(self, keeper: TokenKeeper) -> None:
        self._keeper = keeper
        self._token: Token | None = None
        self._lines = b""

    def lines(self) -> bytes | None:
        """Give the line of the token; None while there is none."""
        token = self._keeper.current()
        if token is None:
            return None
        if token is not self._token:
            self._token, self._lines = token, bearer_lines(token.value)
        return self._lines

    async def ready(self) -> NoAnswer | None:
        """Wait for a token; what is returned says why there is none."""
        found = await self._keeper.get()
        if isinstance(found, TokenRefused):
            return NoAnswer(_TROUBLES[found.why], sent=False, detail=found.detail)
        return None

    def refused(self, lines: bytes) -> None:
        """Have another token fetched, unless there is another already."""
        if self._token is not None and lines == self._lines:
            self._keeper.refuse(self._token)
