"""Runs a plan: opens what it needs, checks that the world is the one it was made for, and sends."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from time import monotonic
from typing import Any, Final

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.parked.parked_now import ParkedNow
from pop_stream.analysis.parked.parking import Parking, State
from pop_stream.analysis.replay.file_target import FileTarget
from pop_stream.analysis.replay.gstv_target import GstvTarget
from pop_stream.analysis.replay.journal import Journal
from pop_stream.analysis.replay.plan import Plan
from pop_stream.analysis.replay.plan_files import journal_of, list_of, planned_in
from pop_stream.analysis.replay.planned_events import planned_events
from pop_stream.analysis.replay.sending import Checks, Ending, Limits, Sending
from pop_stream.analysis.replay.target import NullTarget, Target, reaches_gstv
from pop_stream.analysis.replay.topic_target import HeadersOf, TopicTarget
from pop_stream.analysis.scan import Progress, Topics
from pop_stream.errors import UsageError
from pop_stream.gstv.from_settings import endpoint_of
from pop_stream.pop.trail import redriven, replayed
from pop_stream.settings import Settings

Told = Callable[[Progress], None]

#: So often it is looked again at what people settle, and at what comes back.
_LOOK_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who runs a plan, and why."""

    name: str
    reason: str
    version: str
    retries_failed: bool = False

    def as_object(self, limits: Limits) -> dict[str, Any]:
        """For the journal and the receipt."""
        return {
            "operator": self.name,
            "reason": self.reason,
            "version": self.version,
            "at": now(),
            "rate": limits.rate,
            "max": limits.most,
            "stopAtErrors": limits.stop_at_errors,
            "retriesFailed": self.retries_failed,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How a plan is run, by whom, and what listens meanwhile."""

    limits: Limits
    operator: Operator
    #: Set when nothing more is to be begun.
    pause: Flag
    told: Told


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended."""

    ending: Ending
    sent: int
    #: How many events that were sent back are parked again, as far as that was seen.
    came_back: int = 0
    #: Why the target takes nothing more, when it stopped.
    why: str | None = None


def now() -> str:
    """Now, in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def gstv_origin(settings: Settings) -> str:
    """GSTV's address without what may be secret. Raises UsageError."""
    try:
        return endpoint_of(settings, settings.gstv_url or "").origin
    except ValueError as error:
        raise UsageError(f"POP_STREAM_GSTV_URL: {error}") from error


def require_same_world(plan: Plan, settings: Settings) -> None:
    """Raise UsageError when the settings name other topics or another GSTV than the plan."""
    if plan.kind == "redrive":
        topics = {span.topic for span in plan.spans}
        if topics != {settings.failure_topic} or plan.target != f"topic:{settings.retry_topic}":
            raise UsageError(
                f"the plan goes from {', '.join(sorted(topics))} to {plan.target}; the settings "
                f"say from {settings.failure_topic} to topic:{settings.retry_topic}"
            )
    elif plan.target.startswith("gstv:") and plan.target != f"gstv:{gstv_origin(settings)}":
        raise UsageError(
            f"the plan was made for {plan.target}; the settings say gstv:{gstv_origin(settings)}"
        )


def run_plan(settings: Settings, plan: Plan, journal: Journal, path: Path, conduct: Conduct) -> Ran:
    """Send what is not done of a plan.

    Raises UsageError when it was made for another cluster, and what reading and sending raise;
    what was confirmed is in the journal then.
    """
    require_same_world(plan, settings)
    with ExitStack() as stack:
        topics = stack.enter_context(Topics(settings))
        if topics.cluster_id() != plan.cluster:
            raise UsageError("the plan was made for another Kafka cluster")
        checks = stack.enter_context(_checks(plan, settings))
        target = _target(plan, settings, journal, conduct.pause)
        stack.callback(target.close)
        journal.begin(conduct.operator.as_object(conduct.limits))
        sending = Sending(journal, target, conduct.limits, checks, conduct.pause)
        done = journal.written.done
        lines = (line for line in planned_in(list_of(path)) if line.number not in done)
        ends = {(span.topic, span.partition): span.end for span in plan.spans}
        found = planned_events(topics, lines, ends)
        ending = sending.run(found, plan.listed.events - len(done), conduct.told)
        return Ran(ending, sending.sent, checks.came_back(), target.stopped)


def open_journal(plan: Plan, path: Path) -> Journal:
    """The journal of a plan. Raises UsageError."""
    return Journal(journal_of(path), plan.sha256)


def _target(plan: Plan, settings: Settings, journal: Journal, pause: Flag) -> Target:
    kind, _, name = plan.target.partition(":")
    if kind == "topic":
        with Topics(settings) as topics:
            topics.spans([name])
        return TopicTarget(settings, name, _headers_of(plan))
    if kind == "gstv":
        return GstvTarget(settings, pause)
    if kind == "file":
        written = journal.written
        return FileTarget(Path(name), known_bytes=written.file_bytes, is_ours=bool(written.runs))
    return NullTarget()


def _headers_of(plan: Plan) -> HeadersOf:
    if plan.kind == "redrive":
        return lambda event: [*redriven(event.headers)]
    return lambda event: [
        *replayed(event.headers, event.trail, replay=plan.plan_id, is_ours=event.is_ours)
    ]


@contextmanager
def _checks(plan: Plan, settings: Settings) -> Iterator[Checks]:
    """What is asked of the world meanwhile."""
    if plan.kind == "replay" and not reaches_gstv(plan.target, settings):
        yield Checks()
        return
    with ParkedNow(settings) as parked:
        read = parked.read if plan.kind == "redrive" else parked.read_marks
        read()
        yield _looking(plan, parked.parking, read)


def _looking(plan: Plan, parking: Parking, read: Callable[[], object]) -> Checks:
    before, looked_at = parking.came_back, monotonic()

    def refresh() -> None:
        nonlocal looked_at
        if monotonic() - looked_at >= _LOOK_SECONDS:
            read()
            looked_at = monotonic()

    def objection(event: EventView) -> str | None:
        if plan.kind == "replay":
            return State.SETTLED.value if parking.is_settled(event.pop_id) else None
        state = parking.state_of(event)
        return None if state is State.WAITING else state.value

    return Checks(refresh, objection, lambda: parking.came_back - before)
