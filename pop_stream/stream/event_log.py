"""Log lines that tell of one event each: one of many, so that a storm of failures stays readable.

The numbers of a storm are told by `failures.parked` and by the metrics.
"""

import logging
import time
from collections.abc import Callable, Mapping

from pop_stream.pop.event import Quarantine
from pop_stream.pop.outcome import Outcome
from pop_stream.pop.verdict import Fail, Retry
from pop_stream.stream.claim import Claim
from pop_stream.stream.gate import told

log = logging.getLogger(__name__)

_SECONDS = 60.0

Facts = Callable[[], Mapping[str, object]]


class EventLog:
    """Tells of events that failed: of each kind and reason one a minute.

    The next line that is written says in `repeated` how many were left out since the last.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: in seconds."""
        self._clock = clock
        #: When a line was last written, and how many were left out since.
        self._written: dict[tuple[str, str], tuple[float, int]] = {}

    def retry(self, claim: Claim, verdict: Retry, outcome: Outcome) -> None:
        """An attempt failed, and there will be another."""
        self._tell(logging.INFO, "delivery.retry", verdict.reason.value, lambda: {
            **_failure(claim, outcome), "wait_seconds": round(verdict.wait_seconds, 3),
        })  # fmt: skip

    def gave_up(self, claim: Claim, verdict: Fail, outcome: Outcome) -> None:
        """The last attempt failed."""
        facts = lambda: _failure(claim, outcome)  # noqa: E731
        self._tell(logging.WARNING, "delivery.gave_up", verdict.reason.value, facts)

    def quarantined(self, claim: Claim, why: Quarantine) -> None:
        """An event cannot be posted."""
        self._tell(logging.WARNING, "event.quarantined", why.fault.value, lambda: {
            **_names(claim), "error": why.detail,
        })  # fmt: skip

    def notified(self, claim: Claim) -> None:
        """The failure notification of an event is out."""
        self._tell(logging.WARNING, "failure.notified", "", lambda: _names(claim))

    def _tell(self, level: int, event: str, reason: str, facts: Facts) -> None:
        # The record is made only when it will be written: making it costs as much as an attempt.
        key, now = (event, reason), self._clock()
        written, left_out = self._written.get(key, (float("-inf"), 0))
        if now - written < _SECONDS:
            self._written[key] = (written, left_out + 1)
            return
        self._written[key] = (now, 0)
        extra = dict(facts())
        if reason:
            extra["reason"] = reason
        if left_out:
            extra["repeated"] = left_out
        log.log(level, event, extra=extra)


def _failure(claim: Claim, outcome: Outcome) -> dict[str, object]:
    status, error = told(outcome)
    return {**_names(claim), "attempts": claim.attempts + 1, "status": status, "error": error}


def _names(claim: Claim) -> dict[str, object]:
    """What a log line says of an event, so that people find it."""
    topic, partition = claim.run.place
    return {
        "pop_id": claim.pop_id,
        "stage": claim.stage.value,
        "topic": topic,
        "partition": partition,
        "offset": claim.record.offset,
    }
