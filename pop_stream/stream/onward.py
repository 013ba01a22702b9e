"""Where events go that were not delivered: to the retry topic, or to the failure topic."""

from collections.abc import Callable
from functools import partial

from pop_stream.pop.event import Quarantine
from pop_stream.pop.outcome import Outcome
from pop_stream.pop.trail import Failure, after_failure, headers_of
from pop_stream.pop.verdict import Fail, Retry
from pop_stream.stream.claim import Claim, now_ms
from pop_stream.stream.event_log import EventLog
from pop_stream.stream.gate import told
from pop_stream.stream.handoff import Handoff, Outgoing
from pop_stream.watch.tally import Tally

Finish = Callable[[Claim], bool]


class Onward:
    """Hands events on, each with its trail, and finishes them once the broker has confirmed."""

    def __init__(
        self,
        handoff: Handoff,
        tally: Tally,
        event_log: EventLog,
        *,
        retry_topic: str,
        failure_topic: str,
        finish: Finish,
    ) -> None:
        """`finish` notes the durable outcome of an event, and says whether it counts."""
        self._handoff = handoff
        self._tally = tally
        self._event_log = event_log
        self._retry_topic = retry_topic
        self._failure_topic = failure_topic
        self._finish = finish

    def pass_on(self, claim: Claim, verdict: Retry | Fail, outcome: Outcome) -> None:
        """Hand an event on whose attempt failed."""
        now, reason = now_ms(), verdict.reason.value
        if isinstance(verdict, Retry):
            self._event_log.retry(claim, verdict, outcome)
            topic, not_before = self._retry_topic, now + int(verdict.wait_seconds * 1000)
            make = partial(_failed_record, claim, topic, reason, outcome, now, not_before)
            self._handoff.gather(claim, topic, make, partial(self._scheduled, reason))
        else:
            self._event_log.gave_up(claim, verdict, outcome)
            record = _failed_record(claim, self._failure_topic, reason, outcome, now, 0)
            self._handoff.start(claim, record, partial(self._failed, reason))

    def quarantine(self, claim: Claim, why: Quarantine) -> None:
        """Hand an event on that cannot be posted."""
        trail = after_failure(claim.trail, attempts=claim.attempts, not_before=0, now_ms=now_ms())
        failure = Failure(reason=f"quarantined:{why.fault}", error=why.detail)
        self._event_log.quarantined(claim, why)
        topic, then = self._failure_topic, partial(self._quarantined, why.fault.value)
        make = partial(_record, claim, topic, headers_of(trail, failure))
        if claim.record.key is None and claim.record.value is None:
            # One by one they would take an answer of Kafka's each: somebody may write a million.
            self._handoff.gather(claim, topic, make, then)
        else:
            self._handoff.start(claim, make(), then)

    def _scheduled(self, reason: str, claim: Claim) -> None:
        if self._finish(claim):
            self._tally.retries_scheduled[(reason,)] += 1

    def _failed(self, reason: str, claim: Claim) -> None:
        if self._finish(claim):
            self._tally.failed_events[(reason,)] += 1
            self._tally.events_completed[("failed",)] += 1

    def _quarantined(self, fault: str, claim: Claim) -> None:
        if self._finish(claim):
            self._tally.decode_errors[(fault,)] += 1
            self._tally.failed_events[("quarantined",)] += 1
            self._tally.events_completed[("quarantined",)] += 1


def _failed_record(
    claim: Claim, topic: str, reason: str, outcome: Outcome, now: int, not_before: int
) -> Outgoing:
    """The record of an event whose attempt failed at `now`, with its trail so far."""
    status, error = told(outcome)
    failure = Failure(reason=reason, status=status, error=error, flags=claim.flags)
    attempts = claim.attempts + 1
    trail = after_failure(claim.trail, attempts=attempts, not_before=not_before, now_ms=now)
    return _record(claim, topic, headers_of(trail, failure))


def _record(claim: Claim, topic: str, headers: list[tuple[str, bytes]]) -> Outgoing:
    record = claim.record
    return Outgoing(topic=topic, key=record.key, value=record.value, headers=headers)
