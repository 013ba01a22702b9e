"""The life of an event in a worker: taken, attempted, judged, and seen to a durable outcome.

Nothing here awaits for an event: runs come in, outcomes are called back, and in between an event
is a claim in one of three places: waiting, in flight at the client, or in a hand-off.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, assert_never

from pop_stream.gstv.client import GstvClient
from pop_stream.pop.breaker import Breaker
from pop_stream.pop.event import Fault, Quarantine, Rules, is_forwarded_as_it_is, read_event
from pop_stream.pop.outcome import Answer, Outcome
from pop_stream.pop.play_times import latest_local_time
from pop_stream.pop.recent import Failed
from pop_stream.pop.trail import traceparent_of
from pop_stream.pop.verdict import Delivered, Fail, Hold, Policy, Reason, Retry, judge
from pop_stream.stream.abort import Abort
from pop_stream.stream.alarm import Alarm
from pop_stream.stream.claim import Claim, Stage, claims_of, now_ms
from pop_stream.stream.deliveries import Deliveries, Success
from pop_stream.stream.event_log import EventLog
from pop_stream.stream.gate import Gate, told
from pop_stream.stream.handoff import Handoff
from pop_stream.stream.ledger import Run
from pop_stream.stream.onward import Onward
from pop_stream.stream.pacer import Pacer
from pop_stream.stream.receipts import Receipts
from pop_stream.stream.record import KafkaRecord
from pop_stream.stream.screen_order import ScreenOrder
from pop_stream.stream.waiting import Waiting
from pop_stream.watch.status import Held
from pop_stream.watch.tally import Tally
from pop_stream.watch.tracing import Tracing

MakeClient = Callable[[Callable[[Claim, Outcome], None]], GstvClient[Claim]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How events are read, judged, and where they go."""

    rules: Rules
    policy: Policy
    retry_topic: str
    failure_topic: str
    breaker: Breaker = field(default_factory=Breaker)
    #: The most attempts a second of all workers together; None: as many as GSTV takes.
    rate_limit: float | None = None
    #: screen: of each key one event at a time, in order.
    order: Literal["none", "screen"] = "none"


class Forwarder:
    """Attempts events, and sees each to a durable outcome. Belongs to one event loop."""

    def __init__(  # noqa: PLR0913 - its neighbours
        self,
        conduct: Conduct,
        *,
        make_client: MakeClient,
        handoff: Handoff,
        tally: Tally,
        abort: Abort,
        tracing: Tracing | None = None,
        receipts: Receipts | None = None,
    ) -> None:
        """`tracing` None: no spans are made. `receipts` None: what is delivered is not noted."""
        self._conduct = conduct
        self._tracing = tracing
        self._receipts = receipts
        self._client = make_client(self._on_outcome)
        self._successes = conduct.policy.success_statuses
        self._deliveries = Deliveries(tally)
        self._tally = tally
        self._abort = abort
        self._event_log = EventLog()
        self._onward = Onward(
            handoff,
            tally,
            self._event_log,
            retry_topic=conduct.retry_topic,
            failure_topic=conduct.failure_topic,
            finish=self._finish,
        )
        self._waiting = Waiting()
        self._order = ScreenOrder() if conduct.order == "screen" else None
        self._gate = Gate(tally, conduct.breaker)
        self._pacer = Pacer(self._client, tally, events_per_second=conduct.rate_limit)
        self._working = False
        self._closed = False
        #: How many attempts have ended.
        self.outcomes = 0
        self._loop = asyncio.get_running_loop()
        #: What has ended in this turn of the loop; at its end all are settled together.
        self._ended: list[tuple[Claim, Outcome]] = []
        self._will_turn = False
        self._alarm = Alarm(self._on_alarm)
        self._latest = latest_local_time(datetime.now(UTC))

    def take(self, run: Run[KafkaRecord], stage: Stage) -> None:
        """Take the events of a run over; leave them if its partition is closed by now."""
        if not run.open:
            return
        self._latest = latest_local_time(datetime.now(UTC))
        claims = claims_of(run, stage)
        self._tally.events_received[(stage.value,)] += len(claims)
        if self._order is not None:
            self._waiting.add(self._order.admit(claims))
        elif stage is Stage.FORWARD:
            self._waiting.add_ready(claims)
        else:
            self._waiting.add(claims)
        self._start_attempts()

    def resume(self, share: float = 1.0) -> None:
        """Begin with new partitions. `share`: the part of the rate limit that is this worker's."""
        # What came in since the pause belongs to the partitions before.
        self._let_go()
        self._working = True
        self._pacer.keep_share(share)
        self._start_attempts()

    def pause(self) -> None:
        """Start no more attempts, and let go of the events that wait for one."""
        self._working = False
        self._let_go()

    def _let_go(self) -> None:
        self._waiting.clear()
        if self._order is not None:
            self._order.clear()

    @property
    def held(self) -> Held | None:
        """Why nothing is delivered for now; None while events are."""
        return self._gate.held

    @property
    def free_since(self) -> float:
        """Since when events are delivered, or when they last could be, in epoch seconds."""
        return self._gate.free_since

    @property
    def events_per_second_limit(self) -> float | None:
        """The most attempts that may be started in a second; None: as many as GSTV takes."""
        return self._pacer.events_per_second_limit

    @property
    def in_flight(self) -> int:
        """How many attempts are under way, or have ended and are not settled."""
        return self._client.in_flight + len(self._ended)

    @property
    def oldest_attempt_at(self) -> float | None:
        """When the oldest attempt under way began, on the clock of `time.monotonic`."""
        return self._client.oldest_started_at

    @property
    def most_overdue(self) -> float | None:
        """When the retry that should have been attempted first was due, in epoch seconds."""
        due = self._waiting.first_due()
        return due / 1000 if due is not None and due <= now_ms() else None

    async def aclose(self) -> None:
        """End all attempts. What has no outcome yet stays unfinished."""
        self.pause()
        self._closed = True
        self._alarm.set(None)
        await self._client.aclose()
        self._settle_all()

    # An event's way: attempt -> outcome -> verdict -> durable outcome

    def _start_attempts(self) -> None:
        self._settle_all()
        room, started = self._room(), 0
        now = now_ms()
        while started < room and (claims := self._take_waiting(now, room - started)):
            for claim in claims:
                if claim.run.open and self._attempt(claim):
                    started += 1
        self._pacer.started(started)
        if self._alarm.is_set or self._has_to_wait:
            self._alarm.set(self._next_start())

    def _room(self) -> int:
        if not self._working:
            return 0
        in_flight = self._client.in_flight
        room = min(self._client.room, self._pacer.room(in_flight))
        allowed = self._gate.room(in_flight) if self._gate.is_shut else None
        return room if allowed is None else min(room, allowed)

    def _take_waiting(self, now: int, most: int) -> list[Claim]:
        if self._gate.is_shut:
            # Any one of those that wait: were it the first, a row of bad events at the head would
            # be taken for an outage for as long as the row is.
            return self._waiting.take_any(now, random.random())  # noqa: S311
        return self._waiting.take(now, most)

    def _attempt(self, claim: Claim) -> bool:
        """Start an attempt. Returns False for an event that cannot be posted."""
        value, key, rules = claim.record.value, claim.record.key, self._conduct.rules
        if is_forwarded_as_it_is(value, key, rules, self._latest):
            body, claim.flags = value, ()
        else:
            reading = (
                read_event(value, key, rules=rules, latest=self._latest)
                if claim.record.unreadable is None
                else Quarantine(Fault.UNREADABLE, claim.record.unreadable)
            )
            if isinstance(reading, Quarantine):
                self._onward.quarantine(claim, reading)
                return False
            body, claim.flags = reading
        tracing = self._tracing
        traceparent = None if tracing is None else _begin_span(tracing, claim)
        claim.attempted_at = self._client.post(
            claim, body, claim.pop_id, claim.attempts + 1, traceparent
        )
        if self._gate.is_shut:
            self._gate.attempted()
        return True

    def _on_outcome(self, claim: Claim, outcome: Outcome) -> None:
        self._ended.append((claim, outcome))
        self._turn_soon()

    def _turn_soon(self) -> None:
        """Settle, and start attempts, once for all that happens in a turn of the loop."""
        if not self._will_turn:
            self._will_turn = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._will_turn = False
        with self._abort.on_error("settling events"):
            self._start_attempts()

    def _settle_all(self) -> None:
        ended, self._ended = self._ended, []
        self.outcomes += len(ended)
        successes, untold = list[Success](), 0
        for claim, outcome in ended:
            # An attempt that we end ourselves is none: the event is read again.
            counts = claim.run.open and not self._closed
            if claim.span is not None:
                claim.span.end(outcome if counts else None)
            if not counts:
                continue
            if type(outcome) is Answer and outcome.status in self._successes:
                successes.append((claim, outcome))
                untold += 1
            else:
                # The gate is told in the order in which they ended.
                self._succeeded(untold)
                untold = 0
                self._settle(claim, outcome)
        self._succeeded(untold)
        if successes:
            self._enter(successes)

    def _succeeded(self, times: int) -> None:
        if times and self._gate.succeeded(times):
            self._pacer.restart()

    def _enter(self, successes: list[Success]) -> None:
        entered = self._deliveries.enter(successes)
        if self._receipts is not None:
            self._receipts.delivered(entered, int(time.time() * 1000))
        if self._order is not None:
            for claim, _ in entered:
                self._waiting.add(self._order.finished(claim))

    def _settle(self, claim: Claim, outcome: Outcome) -> None:
        """See to an event that was not delivered."""
        self._tally.attempted(claim.attempts + 1, outcome)
        self._tally.attempts_error.observe(time.monotonic() - claim.attempted_at)
        verdict = judge(
            outcome,
            claim.attempts + 1,
            self._conduct.policy,
            now=time.time(),
            chance=random.random(),  # noqa: S311 - jitter
        )
        match verdict:
            case Delivered():
                raise AssertionError("a success is no failure")
            case Retry() | Fail():
                self._failed(claim, verdict, outcome)
            case Hold():
                is_news = verdict.reason is not Reason.SLOW_DOWN or self._pacer.slowed()
                if is_news or verdict.seconds is not None or self._gate.is_shut:
                    self._gate.hold(verdict, _screen_of(claim), outcome)
                self._put_back(claim, verdict.reason)
            case _:
                assert_never(verdict)

    def _failed(self, claim: Claim, verdict: Retry | Fail, outcome: Outcome) -> None:
        if not self._gate.counts:
            # It was under way when it showed that nothing can be delivered: that was not its fault.
            self._put_back(claim, verdict.reason)
            return
        status, _ = told(outcome)
        failed = Failed(_screen_of(claim), verdict.reason, status)
        if self._gate.failed(failed, outcome, is_first=claim.attempts == 0):
            self._pacer.restart()
        if self._order is not None and isinstance(verdict, Retry):
            self._retry_here(claim, verdict, outcome)
        else:
            self._onward.pass_on(claim, verdict, outcome)

    def _retry_here(self, claim: Claim, verdict: Retry, outcome: Outcome) -> None:
        """Let an event wait where it is: on the retry topic, later ones would overtake it."""
        self._event_log.retry(claim, verdict, outcome)
        now = now_ms()
        claim.attempts += 1
        claim.not_before = now + int(verdict.wait_seconds * 1000)
        claim.first_failed_at = claim.first_failed_at or now
        self._tally.retries_scheduled[(verdict.reason.value,)] += 1
        self._waiting.add((claim,))

    def _put_back(self, claim: Claim, reason: Reason) -> None:
        self._tally.attempts_held[(reason.value,)] += 1
        self._waiting.put_back(claim)

    def _finish(self, claim: Claim) -> bool:
        """Note a durable outcome, and let the next event of the screen go."""
        counts = claim.finish()
        if counts and self._order is not None:
            self._waiting.add(self._order.finished(claim))
            self._turn_soon()
        return counts

    # Time

    @property
    def _has_to_wait(self) -> bool:
        # Not whether the pace forbids an attempt now: since it was asked for room, its time may
        # have come, and nothing else would wake us.
        is_paced = self._pacer.events_per_second_limit is not None
        return self._gate.is_shut or self._waiting.has_later or (is_paced and bool(self._waiting))

    def _next_start(self) -> int | None:
        """When the breaker may probe, or the next waiting event is due, in epoch milliseconds.

        None: any other reason to start an attempt comes with an outcome or with a run.
        """
        if not self._working:
            return None
        waits = [s for s in (self._gate.opens_in, self._pacer.ready_in) if s is not None]
        if waits:
            return now_ms() + int(max(waits) * 1000)
        # Without room only an outcome makes room: a timer would find nothing to do.
        return self._waiting.next_due() if self._room() > 0 else None

    def _on_alarm(self) -> None:
        with self._abort.on_error("starting an attempt"):
            self._start_attempts()


def _screen_of(claim: Claim) -> bytes | str:
    """What stands for the event's screen; an event without a key stands for itself."""
    return claim.record.key or claim.pop_id


def _begin_span(tracing: Tracing, claim: Claim) -> str:
    """Begin the span of an attempt; what GSTV is told of it."""
    claim.span = tracing.begin(
        traceparent_of(claim.record.headers),
        {
            "pop.id": claim.pop_id,
            "pop.attempt": claim.attempts + 1,
            "messaging.destination.name": claim.run.place.topic,
        },
    )
    return claim.span.traceparent
