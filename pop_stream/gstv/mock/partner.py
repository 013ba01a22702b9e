"""What the mock does with POSTs: counts, decides, writes the ledger, and only then answers.

All that is decided in one turn of the event loop is written in one piece and then answered: that
keeps the ledger's promise at the price of one write for many answers.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from pop_stream.gstv.mock.attempt import Attempt
from pop_stream.gstv.mock.counts import Counts
from pop_stream.gstv.mock.guard import Guard
from pop_stream.gstv.mock.ledger import LedgerEntry, LedgerWriter
from pop_stream.gstv.mock.post import Post
from pop_stream.gstv.mock.rules import Action, Rules


class Partner:
    """GSTV's part, without HTTP. Lives in one event loop."""

    def __init__(
        self,
        rules: Rules,
        ledger: LedgerWriter | None,
        *,
        seed: int,
        guard: Guard | None = None,
    ) -> None:
        self.counts = Counts()
        #: The first error of the ledger. No success is answered after it.
        self.ledger_failed: asyncio.Future[OSError] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._ledger = ledger
        self._guard = guard
        self._random = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self._decided: list[Post] = []
        self._delayed: dict[Post, asyncio.TimerHandle] = {}
        self._closed = False
        self.set_rules(rules)

    @property
    def rules(self) -> Rules:
        """The rules in force."""
        return self._rules

    def set_rules(self, rules: Rules) -> None:
        """Put other rules in force. Their time begins now."""
        self._rules = rules
        self._rules_set_at = time.monotonic()

    def arrive(self, headers: Mapping[bytes, bytes]) -> Attempt | None:
        """Take a POST's head; None when the connection is to be reset without reading on."""
        pop_id = _unquoted(headers.get(b"idempotency-key"))
        attempt = Attempt(
            id=pop_id,
            nth=self.counts.arrive(pop_id),
            headers=headers,
            seconds=self._seconds(),
            draws=tuple(self._random.random() for _ in self._rules.rules),
        )
        if self._rules.resets_before_read(attempt):
            self.counts.unread += 1
            return None
        return attempt

    def receive(self, attempt: Attempt, body: bytes, perform: Callable[[Action], None]) -> Post:
        """Take a POST's body and decide; the action is carried out later, by `perform`."""
        attempt = attempt.read(body, seconds=self._seconds(), received_at=time.time())
        refusal = None if self._guard is None else self._guard.refusal(attempt)
        action = refusal or self._rules.decide(attempt)
        post = Post(attempt, action, perform)
        low, high = action.delay
        if high > 0:
            delay = self._random.uniform(low, high)
            self._delayed[post] = self._loop.call_later(delay, self._decide, post)
        else:
            self._decide(post)
        return post

    def abandon(self, post: Post) -> None:
        """Note that a client went away while its POST was waiting for its action."""
        post.gone = True
        timer = self._delayed.pop(post, None)
        if timer is not None:
            timer.cancel()
            self._decide(post)

    def close(self) -> None:
        """Write what is not written yet. After this nothing is written or answered."""
        for post in list(self._delayed):
            self.abandon(post)
        self._settle()
        self._closed = True

    def stats(self) -> dict[str, Any]:
        """All figures."""
        return self.counts.as_json() | {"delayed": len(self._delayed)}

    def _seconds(self) -> float:
        return time.monotonic() - self._rules_set_at

    def _decide(self, post: Post) -> None:
        self._delayed.pop(post, None)
        if not self._decided:
            self._loop.call_soon(self._settle)
        self._decided.append(post)

    def _settle(self) -> None:
        if self._closed:
            return
        posts, self._decided = self._decided, []
        entries = [post.entry() for post in posts]
        if self._ledger is not None and not self._write(self._ledger, entries):
            return
        for entry in entries:
            self.counts.receive(entry)
        for post in posts:
            if not post.gone:
                post.perform(post.action)

    def _write(self, ledger: LedgerWriter, entries: list[LedgerEntry]) -> bool:
        if self.ledger_failed.done():
            return False
        try:
            ledger.append(b"".join(entry.line() for entry in entries))
        except OSError as error:
            self.ledger_failed.set_result(error)
            return False
        return True


def _unquoted(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    key = raw.decode("latin-1")
    return key[1:-1] if len(key) >= 2 and key[0] == key[-1] == '"' else key
