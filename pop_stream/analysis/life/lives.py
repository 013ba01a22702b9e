"""Finds the records that tell of some events, on all topics."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.life.life import id_of
from pop_stream.analysis.period import Stored
from pop_stream.analysis.roles import Role
from pop_stream.analysis.scan import Progress, Span, Topics
from pop_stream.pop.identity import time_of

#: A player's clock may be behind by so long. It may be ahead by any time: a record that is stored
#: before its id was minted is found by the whole scan.
_SLACK_MS = 3_600_000
#: Of more records than that, something is wrong with the ids, and not all are shown.
MOST_RECORDS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What was found, and where it was looked for."""

    records: Sequence[EventView]
    spans: Sequence[Span]
    #: From when on, in epoch milliseconds; None: everything that the topics keep.
    since_ms: int | None


def find_records(
    topics: Topics,
    pop_ids: frozenset[str],
    roles: Mapping[str, Role],
    *,
    is_whole: bool,
    progress: Callable[[Progress], None],
    note: Callable[[str], None],
) -> Searched:
    """Look for all records of events; `note` is told when everything must be searched after all.

    A UUIDv7 tells when it was minted: an event is stored later, and what is written about it later
    still. So it is looked for from then on, and before that only where an event is not found: its
    player's clock may have been wrong. Raises what `Topics.read` does.
    """
    spans = topics.spans(tuple(roles))
    since = None if is_whole else _minted_at(pop_ids)
    if since is None:
        return Searched(records=list(_of(topics, spans, pop_ids, roles, progress)), spans=spans,
                        since_ms=None)  # fmt: skip
    late = _bounded(topics.spans(tuple(roles), Stored(since)), spans)
    records = list(_of(topics, late, pop_ids, roles, progress))
    produced = {one.pop_id for one in records if roles[one.topic] is Role.EVENTS}
    if produced >= pop_ids:
        return Searched(records=records, spans=late, since_ms=since)
    note("not found from the time in its id on: searching all that the topics keep")
    early = _before(late, spans)
    records += _of(topics, early, pop_ids, roles, progress)
    return Searched(records=records, spans=spans, since_ms=None)


def _minted_at(pop_ids: frozenset[str]) -> int | None:
    """When the first of them was minted, less some slack; None when one does not tell."""
    times = [time_of(pop_id) for pop_id in pop_ids]
    known = [at for at in times if at is not None]
    if len(known) < len(times):
        return None
    return max(int(min(known) * 1000) - _SLACK_MS, 0)


def _of(
    topics: Topics,
    spans: Sequence[Span],
    pop_ids: frozenset[str],
    roles: Mapping[str, Role],
    progress: Callable[[Progress], None],
) -> Iterator[EventView]:
    found = 0
    for events in topics.read(spans, progress=progress):
        for event in events:
            if id_of(event, roles[event.topic]) in pop_ids:
                found += 1
                if found <= MOST_RECORDS:
                    yield event


def _bounded(narrowed: Sequence[Span], whole: Sequence[Span]) -> list[Span]:
    # The ends of the first look count for both: what was searched is one and the same.
    ends = {(each.topic, each.partition): each.end for each in whole}
    return [
        each._replace(
            begin=min(each.begin, ends[each.topic, each.partition]),
            end=ends[each.topic, each.partition],
        )
        for each in narrowed
        if (each.topic, each.partition) in ends
    ]


def _before(late: Sequence[Span], whole: Sequence[Span]) -> list[Span]:
    begins = {(each.topic, each.partition): each.begin for each in late}
    return [
        each._replace(end=min(each.end, begins.get((each.topic, each.partition), each.end)))
        for each in whole
    ]
