"""The failure notification of each event on the failure topic: told first, committed then."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from pop_stream.gstv.client import GstvClient
from pop_stream.pop.backoff import Backoff
from pop_stream.pop.notification import Notification, NotificationStyle, notify_of
from pop_stream.pop.outcome import Answer, Outcome
from pop_stream.pop.trail import redrives_of
from pop_stream.stream.abort import Abort
from pop_stream.stream.claim import Claim, Stage, claims_of
from pop_stream.stream.event_log import EventLog
from pop_stream.stream.handoff import Handoff, Outgoing
from pop_stream.stream.ledger import Run
from pop_stream.stream.record import KafkaRecord
from pop_stream.watch.tally import Tally

MakePoster = Callable[[Callable[["Call", Outcome], None]], GstvClient["Call"]]

_CALL_AGAIN = Backoff((1.0, 5.0, 15.0, 60.0))


class Call:
    """A notification on its way to the notification URL."""

    __slots__ = ("attempts", "body", "claim")

    def __init__(self, claim: Claim, body: bytes) -> None:
        self.claim = claim
        self.body = body
        self.attempts = 0


class Notifier:
    """Tells of every failed event once: to the notification topic, and to a URL if one is set."""

    def __init__(
        self,
        style: NotificationStyle,
        *,
        topic: str,
        handoff: Handoff,
        tally: Tally,
        abort: Abort,
        make_poster: MakePoster | None = None,
    ) -> None:
        self._style = style
        self._topic = topic
        self._handoff = handoff
        self._tally = tally
        self._abort = abort
        self._poster = None if make_poster is None else make_poster(self._on_outcome)
        self._event_log = EventLog()
        self._calls: deque[Call] = deque()
        #: How many calls to the URL have ended.
        self.outcomes = 0
        self._loop = asyncio.get_running_loop()

    @property
    def in_flight(self) -> int:
        """How many calls to the URL are under way."""
        return 0 if self._poster is None else self._poster.in_flight

    def take(self, run: Run[KafkaRecord]) -> None:
        """Take the failed events of a run over."""
        claims = claims_of(run, Stage.FAILURE)
        self._tally.events_received[(Stage.FAILURE.value,)] += len(claims)
        for claim in claims:
            if redrives_of(claim.record.headers):
                # Told of when it was parked for the first time.
                self._tally.failure_notifications["topic", "known"] += 1
                claim.finish()
                continue
            notification = self._notification(claim)
            outgoing = Outgoing(
                topic=self._topic,
                key=notification.key,
                value=notification.value,
                headers=[("pop-id", claim.pop_id.encode())],
            )
            then = partial(self._written, Call(claim, notification.value))
            self._handoff.start(claim, outgoing, then)

    def pause(self) -> None:
        """Let go of the calls that wait for a connection; what is under way may add more."""
        self._calls.clear()

    async def aclose(self) -> None:
        """End all calls. What is not confirmed stays unfinished."""
        self.pause()
        if self._poster is not None:
            await self._poster.aclose()

    def _notification(self, claim: Claim) -> Notification:
        return notify_of(
            claim.pop_id,
            value=claim.record.value,
            key=claim.record.key,
            style=self._style,
            now=datetime.now(UTC),
        )

    def _written(self, call: Call, _: Claim) -> None:
        self._tally.failure_notifications["topic", "sent"] += 1
        if self._poster is None:
            self._finish(call.claim)
        else:
            self._calls.append(call)
            self._start_calls()

    def _start_calls(self) -> None:
        while self._poster is not None and self._poster.room > 0 and self._calls:
            call = self._calls.popleft()
            if call.claim.is_ours:
                call.attempts += 1
                self._poster.post(call, call.body, call.claim.pop_id, call.attempts)

    def _on_outcome(self, call: Call, outcome: Outcome) -> None:
        self.outcomes += 1
        with self._abort.on_error("a notification's answer"):
            if isinstance(outcome, Answer) and 200 <= outcome.status < 300:
                self._tally.failure_notifications["url", "sent"] += 1
                self._finish(call.claim)
            else:
                self._tally.failure_notifications["url", "error"] += 1
                wait = _CALL_AGAIN.wait(call.attempts, random.random())  # noqa: S311 - jitter
                self._loop.call_later(wait, self._again, call)
            self._start_calls()

    def _again(self, call: Call) -> None:
        with self._abort.on_error("a notification's next attempt"):
            self._calls.append(call)
            self._start_calls()

    def _finish(self, claim: Claim) -> None:
        if claim.finish():
            self._event_log.notified(claim)
