"""Posts events to GSTV by the client that workers use: same key, same body, same reading."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event as Flag
from typing import Final

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.replay.done import FAILED, SENT
from pop_stream.analysis.replay.target import Outcomes
from pop_stream.errors import UsageError
from pop_stream.gstv.client import GstvClient
from pop_stream.gstv.from_settings import client_maker, policy_of, rules_of
from pop_stream.pop.event import Forward, read_event
from pop_stream.pop.outcome import Answer, Outcome
from pop_stream.pop.play_times import latest_local_time
from pop_stream.pop.verdict import Delivered, Hold, Reason, judge
from pop_stream.settings import Settings

Make = Callable[[Callable[[int, Outcome], None]], GstvClient[int]]

_LOOK_SECONDS: Final = 0.1
#: When GSTV asks for fewer, and does not say for how long.
_SLOW_DOWN_SECONDS: Final = 1.0


class GstvTarget:
    """GSTV, as the settings say where it is. What it fails is not tried again by itself."""

    def __init__(self, settings: Settings, pause: Flag) -> None:
        """`pause` is set when nothing more is to be begun. Raises UsageError for a bad URL."""
        self.stopped: str | None = None
        self._pause = pause
        self._rules = rules_of(settings)
        # One attempt each: how many fail is what the person at the terminal wants to see.
        self._policy = replace(policy_of(settings), retries=0)
        try:
            make: Make = client_maker(settings, settings.gstv_url)
        except ValueError as error:
            raise UsageError(f"POP_STREAM_GSTV_URL: {error}") from error
        self._loop = asyncio.Runner()
        self._client: GstvClient[int] = self._loop.run(_made(make, self._on_outcome))
        self._outcomes: Outcomes = []
        self._again: deque[int] = deque()
        self._not_before = 0.0
        self._woken = asyncio.Event()

    def send(self, events: Sequence[EventView]) -> Outcomes:
        """Post them; returns once each has its outcome, or GSTV takes nothing."""
        return self._loop.run(self._send(events))

    def close(self) -> None:
        """Close all connections."""
        self._loop.run(self._client.aclose())
        self._loop.close()

    async def _send(self, events: Sequence[EventView]) -> Outcomes:
        self._outcomes = [None] * len(events)
        self._again = deque(range(len(events)))
        while self._client.in_flight or (self._again and not self._is_over()):
            while self._may_post():
                index = self._again.popleft()
                self._post(index, events[index])
            self._woken.clear()
            try:
                await asyncio.wait_for(self._woken.wait(), _LOOK_SECONDS)
            except TimeoutError:
                continue
        return self._outcomes

    def _is_over(self) -> bool:
        return self.stopped is not None or self._pause.is_set()

    def _may_post(self) -> bool:
        return bool(
            self._again
            and self._client.room > 0
            and not self._is_over()
            and time.monotonic() >= self._not_before
        )

    def _post(self, index: int, event: EventView) -> None:
        latest = latest_local_time(datetime.now(UTC))
        read = read_event(event.value, event.key, rules=self._rules, latest=latest)
        if not isinstance(read, Forward):
            self._outcomes[index] = f"{FAILED}: {read.fault.value}"
            return
        self._client.post(index, read.body, event.pop_id, event.trail.attempts + 1)

    def _on_outcome(self, index: int, outcome: Outcome) -> None:
        verdict = judge(outcome, 1, self._policy, now=time.time(), chance=0.5)
        said = str(outcome.status) if isinstance(outcome, Answer) else outcome.trouble.value
        if isinstance(verdict, Delivered):
            self._outcomes[index] = SENT
        elif not isinstance(verdict, Hold):
            self._outcomes[index] = f"{FAILED}: {said}"
        elif verdict.reason == Reason.SLOW_DOWN:
            self._not_before = time.monotonic() + (verdict.seconds or _SLOW_DOWN_SECONDS)
            self._again.append(index)
        else:
            self.stopped = f"GSTV takes nothing: {verdict.reason.value} ({said})"
        self._woken.set()


async def _made(make: Make, on_outcome: Callable[[int, Outcome], None]) -> GstvClient[int]:
    # A client belongs to the loop that runs when it is made.
    return make(on_outcome)
