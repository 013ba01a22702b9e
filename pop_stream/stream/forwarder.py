"""The life of an event in a worker: taken, attempted, judged, and seen to a durable outcome.

Nothing here awaits for an event: runs come in, outcomes are called back, and in between an event
is a claim in one of three places: waiting, in flight at the client, or in a hand-off.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from pop_stream.gstv.client import GstvClient
from pop_stream.pop.breaker import Breaker, State
from pop_stream.pop.event import Forward, Quarantine, Rules, latest_local_time, read_event
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome
from pop_stream.pop.trail import Failure, after_failure, headers_of
from pop_stream.pop.verdict import Delivered, Fail, Hold, Policy, Reason, Retry, judge
from pop_stream.stream.abort import Abort
from pop_stream.stream.claim import Claim, Stage, claims_of
from pop_stream.stream.handoff import Handoff, Outgoing
from pop_stream.stream.ledger import Run
from pop_stream.stream.record import KafkaRecord
from pop_stream.stream.waiting import Waiting
from pop_stream.watch.metrics import Tally

log = logging.getLogger(__name__)

MakeClient = Callable[[Callable[[Claim, Outcome], None]], GstvClient[Claim]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How events are read, judged, and where they go."""

    rules: Rules
    policy: Policy
    retry_topic: str
    failure_topic: str


class Forwarder:
    """Attempts events, and sees each to a durable outcome. Belongs to one event loop."""

    def __init__(
        self,
        conduct: Conduct,
        *,
        make_client: MakeClient,
        handoff: Handoff,
        tally: Tally,
        abort: Abort,
    ) -> None:
        self._conduct = conduct
        self._client = make_client(self._on_outcome)
        self._handoff = handoff
        self._tally = tally
        self._abort = abort
        self._waiting = Waiting()
        self._breaker = Breaker()
        self._working = False
        self._loop = asyncio.get_running_loop()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: int | None = None
        self._latest = latest_local_time(datetime.now(UTC))
        tally.in_flight_limit = self._client.room

    def take(self, run: Run[KafkaRecord], stage: Stage) -> None:
        """Take the events of a run over."""
        self._latest = latest_local_time(datetime.now(UTC))
        claims = claims_of(run, stage)
        self._tally.received[(stage.value,)] += len(claims)
        for claim in claims:
            self._waiting.add(claim)
        self._start_attempts()

    def resume(self) -> None:
        """Start attempts again."""
        self._working = True
        self._start_attempts()

    def pause(self) -> None:
        """Start no more attempts, and let go of the events that wait for one."""
        self._working = False
        self._waiting.clear()

    @property
    def in_flight(self) -> int:
        """How many attempts are under way."""
        return self._client.in_flight

    @property
    def oldest_started_at(self) -> float | None:
        """When the oldest attempt under way was started, on the monotonic clock."""
        return self._client.oldest_started_at

    @property
    def is_holding(self) -> bool:
        """Whether nothing is attempted because nothing could be delivered."""
        return self._breaker.state is not State.CLOSED

    async def aclose(self) -> None:
        """End all attempts. What has no outcome yet stays unfinished."""
        self.pause()
        if self._alarm is not None:
            self._alarm.cancel()
        await self._client.aclose()

    # An event's way: attempt -> outcome -> verdict -> durable outcome

    def _start_attempts(self) -> None:
        room = self._room()
        while room > 0:
            claim = self._waiting.next(_now_ms())
            if claim is None:
                break
            if claim.is_ours and self._attempt(claim):
                room -= 1
        self._set_alarm()

    def _room(self) -> int:
        if not self._working:
            return 0
        client = self._client
        allowed = self._breaker.room(self._loop.time(), client.in_flight)
        return client.room if allowed is None else min(client.room, allowed)

    def _attempt(self, claim: Claim) -> bool:
        record = claim.record
        reading = read_event(
            record.value, record.key, rules=self._conduct.rules, latest=self._latest
        )
        match reading:
            case Quarantine():
                self._quarantine(claim, reading)
                return False
            case Forward(body=body, flags=flags):
                claim.flags = flags
                trail = claim.trail
                self._client.post(claim, body, trail.pop_id, trail.attempts + 1)
                self._breaker = self._breaker.probing()
                return True

    def _on_outcome(self, claim: Claim, outcome: Outcome) -> None:
        with self._abort.on_error("settling an event"):
            if claim.is_ours:
                self._settle(claim, outcome)
            self._start_attempts()

    def _settle(self, claim: Claim, outcome: Outcome) -> None:
        attempts = claim.trail.attempts + 1
        verdict = judge(
            outcome,
            attempts,
            self._conduct.policy,
            now=time.time(),
            chance=random.random(),  # noqa: S311 - jitter
        )
        self._tally.attempted(attempts, outcome)
        match verdict:
            case Delivered():
                self._mark_answered()
                self._deliver(claim)
            case Retry(reason=reason, wait_seconds=wait):
                self._mark_judged(outcome)
                self._pass_on(claim, self._conduct.retry_topic, reason, outcome, wait=wait)
            case Fail(reason=reason):
                self._mark_judged(outcome)
                self._pass_on(claim, self._conduct.failure_topic, reason, outcome)
            case Hold():
                self._hold(claim, verdict, outcome)
            case _:
                assert_never(verdict)

    def _deliver(self, claim: Claim) -> None:
        if claim.finish():
            tally = self._tally
            tally.completed[("delivered",)] += 1
            tally.delays.observe(time.time() - claim.trail.origin.timestamp / 1000)
            for flag in claim.flags:
                tally.flagged[(flag,)] += 1

    def _pass_on(
        self,
        claim: Claim,
        topic: str,
        reason: Reason,
        outcome: Outcome,
        *,
        wait: float | None = None,
    ) -> None:
        now = _now_ms()
        attempts = claim.trail.attempts + 1
        not_before = 0 if wait is None else now + int(wait * 1000)
        trail = after_failure(claim.trail, attempts=attempts, not_before=not_before, now_ms=now)
        status, error = _told(outcome)
        failure = Failure(reason=reason, status=status, error=error, flags=claim.flags)
        outgoing = Outgoing(
            topic=topic,
            key=claim.record.key,
            value=claim.record.value,
            headers=headers_of(trail, failure),
        )
        level = logging.WARNING if wait is None else logging.INFO
        log.log(
            level,
            "delivery.gave_up" if wait is None else "delivery.retry",
            extra={**_names(claim), "attempts": attempts, "reason": reason.value,
                   "status": status, "error": error, "wait_seconds": wait},
        )  # fmt: skip
        if wait is None:
            self._handoff.start(claim, outgoing, lambda done: self._failed(done, reason))
        else:
            self._handoff.start(claim, outgoing, lambda done: self._scheduled(done, reason))

    def _quarantine(self, claim: Claim, why: Quarantine) -> None:
        trail = after_failure(claim.trail, attempts=claim.trail.attempts, not_before=0,
                              now_ms=_now_ms())  # fmt: skip
        reason = f"quarantined:{why.fault}"
        outgoing = Outgoing(
            topic=self._conduct.failure_topic,
            key=claim.record.key,
            value=claim.record.value,
            headers=headers_of(trail, Failure(reason=reason, error=why.detail)),
        )
        log.warning(
            "event.quarantined",
            extra={**_names(claim), "reason": why.fault.value, "error": why.detail},
        )
        self._handoff.start(claim, outgoing, self._quarantined)

    def _scheduled(self, claim: Claim, reason: Reason) -> None:
        if claim.finish():
            self._tally.retries[(reason.value,)] += 1

    def _failed(self, claim: Claim, reason: Reason) -> None:
        if claim.finish():
            self._tally.failures[(reason.value,)] += 1
            self._tally.completed[("failed",)] += 1

    def _quarantined(self, claim: Claim) -> None:
        if claim.finish():
            self._tally.failures[("quarantined",)] += 1
            self._tally.completed[("quarantined",)] += 1

    # The breaker: when nothing can be delivered, nothing is attempted

    def _hold(self, claim: Claim, verdict: Hold, outcome: Outcome) -> None:
        self._tally.held[(verdict.reason.value,)] += 1
        self._waiting.put_back(claim)
        status, error = _told(outcome)
        self._open_breaker(verdict.reason, asked=verdict.seconds, status=status, error=error)

    def _mark_judged(self, outcome: Outcome) -> None:
        if isinstance(outcome, Answer):
            self._mark_answered()
        elif self._breaker.state is State.HALF_OPEN:
            self._open_breaker(Reason.UNREACHABLE, asked=None, status=None, error=outcome.detail)

    def _mark_answered(self) -> None:
        if self._breaker.state is State.CLOSED:
            return
        self._breaker = self._breaker.answered()
        if self._breaker.state is State.CLOSED:
            self._tally.circuit_open = False
            log.warning("delivery.resumed")

    def _open_breaker(
        self, reason: Reason, *, asked: float | None, status: int | None, error: str
    ) -> None:
        now = self._loop.time()
        before = self._breaker
        self._breaker = before.held(now, asked=asked, chance=random.random())  # noqa: S311
        self._tally.circuit_open = True
        if self._breaker.openings != before.openings:
            log.warning(
                "delivery.held",
                extra={"reason": reason.value, "status": status, "error": error,
                       "next_probe_seconds": round(self._breaker.until - now, 3)},
            )  # fmt: skip

    # Time

    def _set_alarm(self) -> None:
        """Wake when the breaker may probe, or when the next waiting event is due.

        Any other reason to start an attempt comes with an outcome or with a run.
        """
        when = self._next_start()
        if when == self._alarm_at:
            return
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._alarm_at = when
        if when is not None:
            # A millisecond more, so that the clocks agree that the time has come.
            seconds = max(when - _now_ms(), 0) / 1000 + 0.001
            self._alarm = self._loop.call_later(seconds, self._on_alarm)

    def _next_start(self) -> int | None:
        """When to look again, in epoch milliseconds; None when there is nothing to wait for."""
        if not self._working:
            return None
        if self._breaker.state is State.OPEN:
            seconds = self._breaker.until - self._loop.time()
            return _now_ms() + int(seconds * 1000) if seconds > 0 else None
        return self._waiting.next_due() if self._client.room > 0 else None

    def _on_alarm(self) -> None:
        self._alarm = self._alarm_at = None
        with self._abort.on_error("starting an attempt"):
            self._start_attempts()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _told(outcome: Outcome) -> tuple[int | None, str]:
    match outcome:
        case Answer(status=status):
            return status, ""
        case NoAnswer(trouble=trouble, detail=detail):
            return None, f"{trouble}: {detail}" if detail else str(trouble)


def _names(claim: Claim) -> dict[str, object]:
    record = claim.record
    return {
        "pop_id": claim.trail.pop_id,
        "stage": claim.stage.value,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
    }
