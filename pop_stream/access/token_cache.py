"""One token for all threads of a process: asked for when it is needed, and renewed early.

For whoever logs in now and then, and may wait for it: Kafka's clients. `TokenKeeper` is for whoever
needs a token with each request.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from pop_stream.access.oauth import Refusal, Token, TokenRefused

#: How long nobody asks again after an answer that was none.
_PAUSE_SECONDS: Final = 1.0


class TokenCache:
    """Keeps the token of one client. Safe to use from several threads."""

    def __init__(
        self,
        fetch: Callable[[], Token | TokenRefused],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._asking = threading.Lock()
        self._token: Token | None = None
        self._refused = TokenRefused(Refusal.DOWN, "none was asked for yet")
        self._pause_until = float("-inf")

    def get(self) -> Token | TokenRefused:
        """Give a good token; blocks while one is asked for.

        While no new one is given, the old one is used as long as it is good.
        """
        with self._asking:
            token, now = self._token, self._clock()
            if (token is None or now >= token.renew_at) and now >= self._pause_until:
                token = self._ask()
            return token if token and self._clock() < token.expires_at else self._refused

    def _ask(self) -> Token | None:
        answer = self._fetch()
        if isinstance(answer, Token):
            self._token = answer
        else:
            self._refused = answer
            self._pause_until = self._clock() + _PAUSE_SECONDS
        return self._token
