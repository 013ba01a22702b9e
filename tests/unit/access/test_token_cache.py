"""One token for all threads of a process."""

import threading
import time

from pop_stream.access.oauth import Refusal, Token, TokenRefused
from pop_stream.access.token_cache import TokenCache

A = Token(value="a", renew_at=80.0, expires_at=100.0)
B = Token(value="b", renew_at=180.0, expires_at=200.0)
NONE = TokenRefused(Refusal.DOWN, "the token endpoint answered 503")


class Issuance:
    """Answers that are given one after the other, and a clock that is moved by hand."""

    def __init__(self, *answers: Token | TokenRefused) -> None:
        self.now = 0.0
        self.asked = 0
        self._answers = list(answers)
        self.cache = TokenCache(self._fetch, clock=lambda: self.now)

    def _fetch(self) -> Token | TokenRefused:
        self.asked += 1
        return self._answers.pop(0)


def test_a_token_is_kept_until_it_is_time_to_renew_it() -> None:
    """Whoever asks in between is given the same."""
    issuance = Issuance(A, B)

    assert [issuance.cache.get() for _ in range(3)] == [A, A, A]
    issuance.now = 79.9
    assert issuance.cache.get() == A
    issuance.now = 80.0
    assert issuance.cache.get() == B
    assert issuance.asked == 2


def test_the_old_token_is_used_while_no_new_one_is_given() -> None:
    """The issuer may be away for the rest of the old one's life without anybody's noticing."""
    issuance = Issuance(A, NONE, NONE)
    issuance.cache.get()

    issuance.now = 90.0
    assert issuance.cache.get() == A
    issuance.now = 100.0
    assert issuance.cache.get() == NONE


def test_an_issuer_that_gives_none_is_not_asked_by_everybody() -> None:
    """Many connections begin at once: one of them asks, and the next a second later."""
    issuance = Issuance(NONE, A)

    assert [issuance.cache.get() for _ in range(5)] == [NONE] * 5
    assert issuance.asked == 1
    issuance.now = 1.0
    assert issuance.cache.get() == A


def test_threads_that_ask_at_once_share_one_token() -> None:
    """A worker's two event loops log in at the same time: one of them asks for both."""
    asked = []

    def fetch() -> Token:
        asked.append(threading.get_ident())
        time.sleep(0.05)
        return A

    cache = TokenCache(fetch, clock=lambda: 0.0)
    given: list[Token | TokenRefused] = []
    threads = [threading.Thread(target=lambda: given.append(cache.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(asked) == 1
    assert given == [A] * 8
