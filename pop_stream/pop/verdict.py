"""What follows from an attempt: delivered, retry, fail, or hold.

```
Answer 2xx, 409 (a setting)            -> Delivered   its offset may be committed
Answer 408, 425, 5xx; timeout; reset   -> Retry       over the retry topic, until the retries
Answer 400, 404, 413, other 4xx        -> Retry         are spent: then
                                          Fail        to the failure topic
Answer 429, or 503 with Retry-After    -> Hold        wait as told; no attempt is spent
Answer 401, 403, 407, 3xx; TLS and     -> Hold        somebody must mend it; no attempt is spent
  what else is wrongly set up
nothing was sent                       -> Hold        GSTV never had the event; none is spent
```
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from pop_stream.pop.backoff import Backoff
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from pop_stream.pop.retry_after import parse_retry_after


class Reason(StrEnum):
    """Why an event was not delivered; the header `pop-reason` and a label of metrics."""

    #: GSTV or the way to it failed; the same event may well succeed later.
    TRANSIENT = "transient"
    #: GSTV does not want this event as it is.
    REJECTED = "rejected"
    #: GSTV asks for fewer events.
    SLOW_DOWN = "slow-down"
    #: Credentials, address or certificates are wrong: no event can succeed before a person acts.
    MISCONFIGURED = "misconfigured"
    #: GSTV cannot be reached at all.
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Delivered:
    """GSTV has the event."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The event goes to the retry topic, and is attempted again after the wait."""

    reason: Reason
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class Fail:
    """The retries are spent: the event goes to the failure topic, and is notified."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Hold:
    """The attempt does not count. The event keeps its place, and nothing is attempted meanwhile."""

    reason: Reason
    #: How long GSTV asked to wait; None when it did not say.
    seconds: float | None = None


Verdict = Delivered | Retry | Fail | Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an operator decides about attempts."""

    success_statuses: frozenset[int] = frozenset((*range(200, 300), 409))
    #: How many more attempts follow the first.
    retries: int = 3
    backoff: Backoff = field(default_factory=Backoff)
    #: The longest wait that GSTV may ask for, in seconds.
    retry_after_cap: float = 900.0


_DELIVERED = Delivered()
#: Nothing is there. Said of one event it is that event; of all, the address is wrong.
ABSENT_STATUSES = frozenset((404, 410))
_MISCONFIGURED_STATUSES = frozenset((401, 403, 407, *range(300, 400)))
_MISCONFIGURED_TROUBLES = frozenset(
    (Trouble.TLS, Trouble.ADDRESS, Trouble.PROXY, Trouble.CREDENTIALS)
)
_TRANSIENT_STATUSES = frozenset((408, 425, *range(500, 600)))


def judge(outcome: Outcome, attempts: int, policy: Policy, *, now: float, chance: float) -> Verdict:
    """Say what follows from `outcome`.

    `attempts` counts this one and those before it; `now` is in epoch seconds; `chance` is drawn
    evenly from [0, 1), for the jitter of the wait.
    """
    match outcome:
        case Answer(status=status) if status in policy.success_statuses:
            return _DELIVERED
        case Answer(status=status, retry_after=text):
            asked = parse_retry_after(text, now=now, cap=policy.retry_after_cap)
            reason = _reason_of_status(status, asked)
            if reason in (Reason.SLOW_DOWN, Reason.MISCONFIGURED):
                return Hold(reason, asked)
        case NoAnswer(trouble=trouble) if trouble in _MISCONFIGURED_TROUBLES:
            return Hold(Reason.MISCONFIGURED)
        case NoAnswer(sent=False):
            return Hold(Reason.UNREACHABLE)
        case NoAnswer():
            reason = Reason.TRANSIENT
        case _:
            assert_never(outcome)
    if attempts > policy.retries:
        return Fail(reason)
    return Retry(reason, policy.backoff.wait(attempts, chance))


def _reason_of_status(status: int, asked: float | None) -> Reason:
    if status == 429 or (status == 503 and asked is not None):
        return Reason.SLOW_DOWN
    if status in _MISCONFIGURED_STATUSES:
        return Reason.MISCONFIGURED
    if status in _TRANSIENT_STATUSES:
        return Reason.TRANSIENT
    # What is left is the other 4xx, and 2xx that the operator does not count as success.
    return Reason.REJECTED
