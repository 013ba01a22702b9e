"""What the retry topic, the failure topic and the marks tell of the players' records.

Each record there names its origin: the offset of the player's own record. Only what can still hold
an event back is kept, so that the memory grows with what waits and what is parked, and not with
what was delivered.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final, NamedTuple

import orjson

from pop_stream.analysis.audit.commits import Commits
from pop_stream.analysis.audit.sendings import Sendings
from pop_stream.analysis.audit.sightings import Likenesses, Sightings
from pop_stream.analysis.audit.whereabouts import Known, of_parked, of_retry, together
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.roles import Role
from pop_stream.pop.hole import GONE
from pop_stream.pop.settlement import note_mark
from pop_stream.pop.trail import redrives_of

#: No partition has so many records.
_MOST_OFFSETS: Final = 1 << 40
_MOST_REDRIVES: Final = 4000


class ToldHole(NamedTuple):
    """Offsets that were deleted before they were done, as a record on the failure topic tells."""

    topic: str
    partition: int
    begin: int
    end: int
    #: When it was told, in epoch milliseconds.
    told_at: int
    #: A person has settled it.
    settled: bool


class Elsewhere:
    """Collects what other topics tell. Give it the marks first, the retry topic, then failures."""

    def __init__(
        self, commits: Commits, roles: Mapping[str, Role], sendings: Sendings | None = None
    ) -> None:
        """`sendings` is what receipts say was sent back; it is told of each record, too."""
        self._commits = commits
        self._sendings = sendings
        self._roles = roles
        self._events_topic = next(name for name, role in roles.items() if role is Role.EVENTS)
        #: By id: what people have settled.
        self.settled: set[str] = set()
        likenesses = Likenesses()
        #: By the partition of the player's record.
        self.known: defaultdict[int, Sightings] = defaultdict(lambda: Sightings(likenesses))
        #: By id: those that do not name a record of the players' topic.
        self.strays: dict[str, Known] = {}
        self.holes: list[ToldHole] = []
        #: All records of the retry topic that were stored since then are there.
        self.retry_kept_since: float = 0.0

    def take(self, event: EventView) -> None:
        """Note a record."""
        role = self._roles[event.topic]
        if role is Role.SETTLED:
            note_mark(self.settled, event.key, event.value)
        elif role is Role.RETRY:
            self._take_retry(event)
        elif role is Role.FAILURE:
            hole = self._hole(event) if event.text("reason") == GONE else None
            if hole is None:
                self._take_parked(event)
            else:
                self.holes.append(hole)

    def _take_retry(self, event: EventView) -> None:
        is_done = self._commits.of(event.topic, event.partition).has(event.offset)
        redrives = _redrives_of(event)
        if not is_done or redrives:
            self._note(event, of_retry(redrives=redrives, is_done=is_done))

    def _take_parked(self, event: EventView) -> None:
        # By its step's commit, or by a receipt; in either case after it was parked.
        passed = self._commits.was_sent_back(event.headers, event.partition, event.offset)
        since = None if self._sendings is None else self._sendings.since(event)
        parked = of_parked(
            redrives=_redrives_of(event),
            passed=passed or since is not None,
            is_kept=max(event.timestamp, since or 0) >= self.retry_kept_since,
            settled=event.pop_id in self.settled,
        )
        self._note(event, parked)

    def _note(self, event: EventView, known: Known) -> None:
        if self._sendings is not None:
            self._sendings.note(event.pop_id, known)
        origin = event.trail.origin
        if origin.topic == self._events_topic and origin.offset < _MOST_OFFSETS:
            self.known[origin.partition].add(origin.offset, known)
        else:
            before = self.strays.get(event.pop_id, Known())
            self.strays[event.pop_id] = together((before, known))

    def _hole(self, event: EventView) -> ToldHole | None:
        """What a hole's record tells; None when it cannot be read: then it counts as an event."""
        try:
            told = orjson.loads(event.value or b"")
            begin, end = int(told["from"]), int(told["to"])
            topic, partition = str(told["topic"]), int(told["partition"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return None
        is_settled = event.pop_id in self.settled
        return ToldHole(topic, partition, begin, end, event.timestamp, is_settled)


def _redrives_of(event: EventView) -> int:
    # More than any schedule makes: so that the likenesses are few.
    return min(redrives_of(event.headers), _MOST_REDRIVES)
