"""Finds what a plan would send, and what it would pass over, and why. Sends nothing."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.matching import matching
from pop_stream.analysis.parked.overview import Overview
from pop_stream.analysis.parked.parked_now import ParkedNow
from pop_stream.analysis.parked.parking import State, is_whole
from pop_stream.analysis.replay.seen import Seen
from pop_stream.analysis.replay.target import is_live, reaches_gstv
from pop_stream.analysis.scan import Progress, Span, Topics
from pop_stream.analysis.selection import Selection
from pop_stream.pop.trail import is_replayed, redrives_of
from pop_stream.settings import Settings

Told = Callable[[Progress], None]

#: Why an event is not sent; the states of parked events are further reasons.
LIMIT: Final = "at the limit of redrives"
TWICE: Final = "met before"
REPLAYED: Final = "written by a replay"
NO_EVENT: Final = State.NO_EVENT.value
SETTLED: Final = State.SETTLED.value


@dataclass(slots=True)
class Findings:
    """What there is to send. It grows with the kinds of events, not with their number."""

    cluster: str
    spans: Sequence[Span]
    overview: Overview = field(default_factory=Overview)
    passed_over: Counter[str] = field(default_factory=Counter)


def find_parked(
    settings: Settings,
    selection: Selection,
    *,
    max_redrives: int,
    keep: Callable[[EventView], None],
    told: Told,
) -> Findings:
    """Find the parked events that would be sent back; `keep` gets each, in the order of places.

    Raises what `Topics.read` does.
    """
    with ParkedNow(settings) as parked, Topics(settings) as topics:
        read = parked.read(part(told, 0, 2))
        spans = since(read, topics.spans([settings.failure_topic], selection.stored))
        found = Findings(topics.cluster_id(), spans)

        def why_not(event: EventView) -> str | None:
            state = parked.parking.state_of(event)
            if state is not State.WAITING:
                return state.value
            return LIMIT if redrives_of(event.headers) >= max_redrives else None

        _look(topics, found, selection, why_not, keep, part(told, 1, 2))
    return found


def find_replayable(
    settings: Settings,
    topics_asked: Sequence[str],
    selection: Selection,
    *,
    target: str,
    keep: Callable[[EventView], None],
    told: Told,
) -> Findings:
    """Find the events that would be replayed to a target; likewise.

    What people have settled is not to reach GSTV once more; and what a replay has written into the
    live system is not to go around there.
    """
    is_delivered = reaches_gstv(target, settings)
    with ParkedNow(settings) as parked, Topics(settings) as topics, Seen() as seen:
        if is_delivered:
            parked.read_marks()
        found = Findings(topics.cluster_id(), topics.spans(topics_asked, selection.stored))

        def why_not(event: EventView) -> str | None:
            if event.is_ours and not is_whole(event):
                return NO_EVENT
            if is_delivered and parked.parking.is_settled(event.pop_id):
                return SETTLED
            if is_live(target, settings) and is_replayed(event.headers):
                return REPLAYED
            return None if seen.is_new(event) else TWICE

        _look(topics, found, selection, why_not, keep, told)
    return found


def _look(
    topics: Topics,
    found: Findings,
    selection: Selection,
    why_not: Callable[[EventView], str | None],
    keep: Callable[[EventView], None],
    told: Told,
) -> None:
    total = sum(span.end - span.begin for span in found.spans)
    done = 0
    # One partition after the other: so the list of a plan is sorted without being collected.
    for span in found.spans:
        progress = _behind(told, done, total)
        for event in matching(topics, [span], selection, progress=progress):
            if why := why_not(event):
                found.passed_over[why] += 1
            else:
                found.overview.add(event)
                keep(event)
        done += span.end - span.begin


def _behind(told: Told, done: int, total: int) -> Told:
    return lambda progress: told(Progress(done + progress.done, total))


def since(spans: Sequence[Span], begins: Sequence[Span]) -> list[Span]:
    """Spans, from where others begin."""
    begin = {(span.topic, span.partition): span.begin for span in begins}
    return [
        span._replace(
            begin=min(max(span.begin, begin.get((span.topic, span.partition), 0)), span.end)
        )
        for span in spans
    ]


def part(told: Told, number: int, parts: int) -> Told:
    """Tell of one of several scans of the same records as of a part of the whole."""
    return lambda progress: told(
        Progress(number * progress.total + progress.done, parts * progress.total)
    )


def now_ms() -> int:
    """Now, in epoch milliseconds."""
    return time.time_ns() // 1_000_000
