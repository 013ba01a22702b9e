"""What a worker does, in a sentence."""

from pop_stream.pop.breaker import State
from pop_stream.pop.remedies import REMEDIES, TROUBLES
from pop_stream.pop.verdict import Reason
from pop_stream.watch.figures import count, counted, forecast, rate, span
from pop_stream.watch.finding import Finding, Level
from pop_stream.watch.status import Flow, Held, Status, WorkStatus

#: A start that takes longer waits for something.
_START_SECONDS = 60.0
#: An attempt is given so long before it is told of.
_ATTEMPT_SECONDS = 15.0
#: A backlog of less work than this is no backlog to speak of.
_BEHIND_SECONDS = 60.0
#: So much of what is delivered, and a backlog grows; less may come and go.
_GROWS = 0.01

_LEVELS = {
    Reason.MISCONFIGURED: Level.ACT,
    Reason.REJECTED: Level.ACT,
    Reason.TRANSIENT: Level.WATCH,
    Reason.UNREACHABLE: Level.WATCH,
    Reason.SLOW_DOWN: Level.WAIT,
}
_NOTHING = Flow(total=0, per_second=0.0)


def doing(status: Status, now: float) -> Finding:
    """Say what the worker does; `now` is in epoch seconds."""
    work = status.work
    if work is None or not status.joined:
        return _starting(status, now)
    if work.is_ending:
        return Finding(Level.WAIT, "Ending: what is under way is finished first")
    if work.held is not None:
        return _held(work.held, work.circuit, now)
    return _delivering(work) or _idle(work, now)


def _starting(status: Status, now: float) -> Finding:
    what = "Starting" if status.work is None else "Starting: it waits for its partitions"
    seconds = 0.0 if status.began_at is None else now - status.began_at
    if seconds < _START_SECONDS:
        return Finding(Level.WAIT, what)
    return Finding(
        Level.WATCH,
        f"{what}, for {span(seconds)} now",
        "The log says what it waits for; `pop-stream doctor` looks for what is wrong.",
    )


def _held(held: Held, circuit: str, now: float) -> Finding:
    reason = Reason(held.reason)
    says = f"Everything is held for {span(now - held.since)}: {TROUBLES[reason]}"
    remedy = REMEDIES[reason]
    return Finding(
        _LEVELS[reason],
        f"{says}; {_probe(held, circuit, now)}",
        f"{remedy[0].upper()}{remedy[1:]}. Nothing is lost: Kafka keeps what waits.",
    )


def _probe(held: Held, circuit: str, now: float) -> str:
    if held.next_probe_at > now:
        return f"next probe in {span(held.next_probe_at - now)}"
    if circuit == State.HALF_OPEN:
        return "a probe is under way"
    return "the next event probes"


def _delivering(work: WorkStatus) -> Finding | None:
    per_second = work.flows.get("delivered", _NOTHING).per_second
    if per_second <= 0:
        return None
    limit = work.events_per_second_limit
    says = f"Delivering: {_events(per_second)}"
    if limit is not None:
        says += f", {rate(limit)} at most"
    backlog, growth = work.backlog or 0, work.backlog_growth
    if backlog / per_second < _BEHIND_SECONDS:
        return Finding(Level.WELL, says)
    says += f"; {count(backlog)} wait, {forecast(backlog, growth)}"
    if growth is None or growth < _GROWS * per_second:
        return Finding(Level.WELL, says)
    return Finding(
        Level.WATCH,
        says,
        "More comes than is delivered: more workers help, as far as GSTV takes more.",
    )


def _events(per_second: float) -> str:
    if per_second >= 1:
        return f"{rate(per_second).removesuffix('/s')} events/s"
    return f"{counted(max(round(per_second * 60), 1), 'event')} a minute"


def _idle(work: WorkStatus, now: float) -> Finding:
    notified = work.flows.get("notified", _NOTHING).per_second
    if notified > 0:
        return Finding(Level.WELL, f"Notifying: {_events(notified)}")
    if work.in_flight:
        return _attempting(work, now)
    waits = _waits(work)
    if waits:
        return Finding(Level.WAIT, f"Waiting: {waits}")
    why = "no event waits" if work.partitions else "it has no partition now"
    return Finding(Level.WELL, f"Nothing to do: {why}")


def _waits(work: WorkStatus) -> str:
    if work.unconfirmed:
        return f"Kafka is to confirm {counted(work.unconfirmed, 'record')}"
    if work.unfinished:
        return f"{counted(work.unfinished, 'event')} before the next attempt"
    return f"{counted(work.backlog, 'event')} to be fetched" if work.backlog else ""


def _attempting(work: WorkStatus, now: float) -> Finding:
    oldest = 0.0 if work.oldest_attempt_at is None else now - work.oldest_attempt_at
    says = f"Waiting: {counted(work.in_flight, 'attempt')} under way"
    if oldest < _ATTEMPT_SECONDS:
        return Finding(Level.WAIT, says)
    return Finding(
        Level.WATCH,
        f"{says}, the oldest for {span(oldest)}; GSTV took none in the last minute",
        "GSTV is slow, or the way to it: see whether it is up.",
    )
