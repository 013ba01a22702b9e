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
from functools import partial
from typing import assert_never

from pop_stream.gstv.client import GstvClient
from pop_stream.pop.event import Forward, Quarantine, Rules, read_event
from pop_stream.pop.outcome import Outcome
from pop_stream.pop.play_times import latest_local_time
from pop_stream.pop.trail import Failure, after_failure, headers_of
from pop_stream.pop.verdict import Delivered, Fail, Hold, Policy, Reason, Retry, is_success, judge
from pop_stream.stream.abort import Abort
from pop_stream.stream.claim import Claim, Stage, claims_of
from pop_stream.stream.gate import Gate, told
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
        self._gate = Gate(tally)
        self._working = False
        self._ended = False
        #: How many attempts have ended.
        self.outcomes = 0
        self._loop = asyncio.get_running_loop()
        #: Whether attempts will be started at the end of this turn of the loop.
        self._starting = False
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: int | None = None
        self._latest = latest_local_time(datetime.now(UTC))
        tally.in_flight_limit = self._client.room

    def take(self, run: Run[KafkaRecord], stage: Stage) -> None:
        """Take the events of a run over."""
        self._latest = latest_local_time(datetime.now(UTC))
        claims = claims_of(run, stage)
        self._tally.received[(stage.value,)] += len(claims)
        self._waiting.add(claims)
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

    async def aclose(self) -> None:
        """End all attempts. What has no outcome yet stays unfinished."""
        self.pause()
        self._ended = True
        if self._alarm is not None:
            self._alarm.cancel()
        await self._client.aclose()

    # An event's way: attempt -> outcome -> verdict -> durable outcome

    def _start_attempts(self) -> None:
        room = self._room()
        now = _now_ms()
        while room > 0:
            claim = self._waiting.next(now)
            if claim is None:
                break
            if claim.run.open and self._attempt(claim):
                room -= 1
        if self._alarm is not None or self._gate.is_shut or self._waiting.has_later:
            self._set_alarm()

    def _room(self) -> int:
        if not self._working:
            return 0
        room = self._client.room
        allowed = self._gate.room(self._client.in_flight) if self._gate.is_shut else None
        return room if allowed is None else min(room, allowed)

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
                self._client.post(claim, body, claim.pop_id, claim.attempts + 1)
                if self._gate.is_shut:
                    self._gate.attempted()
                return True

    def _on_outcome(self, claim: Claim, outcome: Outcome) -> None:
        self.outcomes += 1
        try:
            # An attempt that we end ourselves is none: the event is read again.
            if claim.run.open and not self._ended:
                self._settle(claim, outcome)
            if not self._starting:
                # Once for all outcomes of a turn of the loop, not once for each.
                self._starting = True
                self._loop.call_soon(self._start_soon)
        except Exception as error:  # noqa: BLE001 - not a context manager: it costs 1 us an event
            self._abort(f"unexpected {type(error).__name__} in settling an event", error)

    def _start_soon(self) -> None:
        self._starting = False
        with self._abort.on_error("starting attempts"):
            self._start_attempts()

    def _settle(self, claim: Claim, outcome: Outcome) -> None:
        attempts = claim.attempts + 1
        self._tally.attempted(attempts, outcome)
        if is_success(outcome, self._conduct.policy):
            if self._gate.is_shut:
                self._gate.judged(outcome)
            self._deliver(claim)
            return
        verdict = judge(
            outcome,
            attempts,
            self._conduct.policy,
            now=time.time(),
            chance=random.random(),  # noqa: S311 - jitter
        )
        match verdict:
            case Delivered():
                if self._gate.is_shut:
                    self._gate.judged(outcome)
                self._deliver(claim)
            case Retry(reason=reason, wait_seconds=wait):
                self._gate.judged(outcome)
                self._pass_on(claim, reason, outcome, wait=wait)
            case Fail(reason=reason):
                self._gate.judged(outcome)
                self._pass_on(claim, reason, outcome, wait=None)
            case Hold():
                self._hold(claim, verdict, outcome)
            case _:
                assert_never(verdict)

    def _deliver(self, claim: Claim) -> None:
        if claim.finish():
            tally = self._tally
            tally.completed[("delivered",)] += 1
            tally.delays.observe(time.time() - claim.produced_at / 1000)
            for flag in claim.flags:
                tally.flagged[(flag,)] += 1

    def _pass_on(
        self, claim: Claim, reason: Reason, outcome: Outcome, *, wait: float | None
    ) -> None:
        now = _now_ms()
        not_before = 0 if wait is None else now + int(wait * 1000)
        status, error = told(outcome)
        failure = Failure(reason=reason, status=status, error=error, flags=claim.flags)
        attempts = claim.attempts + 1
        trail = after_failure(claim.trail, attempts=attempts, not_before=not_before, now_ms=now)
        facts = {**_names(claim), "attempts": attempts, "reason": reason.value,
                 "status": status, "error": error}  # fmt: skip
        if wait is None:
            log.warning("delivery.gave_up", extra=facts)
            topic, then = self._conduct.failure_topic, partial(self._failed, reason)
        else:
            log.info("delivery.retry", extra={**facts, "wait_seconds": round(wait, 3)})
            topic, then = self._conduct.retry_topic, partial(self._scheduled, reason)
        self._handoff.start(claim, _record(claim, topic, headers_of(trail, failure)), then)

    def _quarantine(self, claim: Claim, why: Quarantine) -> None:
        attempts = claim.attempts
        trail = after_failure(claim.trail, attempts=attempts, not_before=0, now_ms=_now_ms())
        failure = Failure(reason=f"quarantined:{why.fault}", error=why.detail)
        log.warning(
            "event.quarantined",
            extra={**_names(claim), "reason": why.fault.value, "error": why.detail},
        )
        outgoing = _record(claim, self._conduct.failure_topic, headers_of(trail, failure))
        self._handoff.start(claim, outgoing, self._quarantined)

    def _scheduled(self, reason: Reason, claim: Claim) -> None:
        if claim.finish():
            self._tally.retries[(reason.value,)] += 1

    def _failed(self, reason: Reason, claim: Claim) -> None:
        if claim.finish():
            self._tally.failures[(reason.value,)] += 1
            self._tally.completed[("failed",)] += 1

    def _quarantined(self, claim: Claim) -> None:
        if claim.finish():
            self._tally.failures[("quarantined",)] += 1
            self._tally.completed[("quarantined",)] += 1

    def _hold(self, claim: Claim, verdict: Hold, outcome: Outcome) -> None:
        self._tally.held[(verdict.reason.value,)] += 1
        self._waiting.put_back(claim)
        self._gate.hold(verdict.reason, outcome, asked=verdict.seconds)

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
        opens_in = self._gate.opens_in
        if opens_in is not None:
            return _now_ms() + int(opens_in * 1000)
        # Without room only an outcome makes room: a timer would find nothing to do.
        return self._waiting.next_due() if self._room() > 0 else None

    def _on_alarm(self) -> None:
        self._alarm = self._alarm_at = None
        with self._abort.on_error("starting an attempt"):
            self._start_attempts()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _record(claim: Claim, topic: str, headers: list[tuple[str, bytes]]) -> Outgoing:
    record = claim.record
    return Outgoing(topic=topic, key=record.key, value=record.value, headers=headers)


def _names(claim: Claim) -> dict[str, object]:
    record = claim.record
    return {
        "pop_id": claim.pop_id,
        "stage": claim.stage.value,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
    }
