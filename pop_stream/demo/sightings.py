"""Puts together what was seen of every event, on the topics and in GSTV's ledger."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping

from pop_stream.demo.account import Evidence
from pop_stream.demo.records import SeenRecord, TopicNames
from pop_stream.demo.snapshot import Counts, Happening

#: Of a topic's partition, the offset below which all is committed; 0 for one that is not named.
Committed = Mapping[tuple[str, int], int]

_HAPPENINGS_KEPT = 20


class Sightings:
    """What was seen so far, by pop-id. Witnesses may come in any order, and lag behind others."""

    def __init__(self, topics: TopicNames) -> None:
        self._topics = topics
        #: Where each event's records stand on the topics that the worker consumes.
        self._places: dict[str, list[tuple[str, int, int]]] = {}
        self._produced: set[str] = set()
        self._retried: set[str] = set()
        self._parked: set[str] = set()
        self._quarantined: set[str] = set()
        self._notified: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        #: Digests of bodies: as the players sent them, and as GSTV took them.
        self._sent_bodies: dict[str, str] = {}
        self._taken_bodies: dict[str, str] = {}
        #: Produced and not settled; kept up to date so that a look at a big run stays cheap.
        self._open: set[str] = set()
        #: On the retry topic, and neither with GSTV nor parked.
        self._waiting: set[str] = set()
        self._happenings: deque[Happening] = deque(maxlen=_HAPPENINGS_KEPT)

    def confirmed(self, pop_ids: Iterable[str]) -> None:
        """Note events that the broker has confirmed to those who produced them."""
        for pop_id in map(str.lower, pop_ids):
            self._produced.add(pop_id)
            if not self._settled(pop_id):
                self._open.add(pop_id)

    def sent(self, pop_id: str, digest: str) -> None:
        """Note an event that the broker has confirmed to a player, with its body's digest."""
        self._sent_bodies[pop_id.lower()] = digest
        self.confirmed([pop_id])

    def record(self, record: SeenRecord, seconds: float) -> None:
        """Note a record; `seconds` is the time since the start of the run."""
        pop_id = record.pop_id
        if record.topic == self._topics.notifications:
            self._notified[pop_id] += 1
            self._settle(pop_id)
            return
        place = (record.topic, record.partition, record.offset)
        self._places.setdefault(pop_id, []).append(place)
        if record.topic == self._topics.events:
            self.confirmed([pop_id])
        elif record.topic == self._topics.retry:
            self._retry(record, seconds)
        else:
            self._park(record, seconds)

    def answer(self, pop_id: str, digest: str, *, took: bool) -> None:
        """Note an attempt that GSTV saw, its body's digest, and whether GSTV took the event."""
        pop_id = pop_id.lower()
        if not took:
            self._refused[pop_id] += 1
            return
        self._accepted[pop_id] += 1
        self._taken_bodies[pop_id] = digest
        self._waiting.discard(pop_id)
        self._settle(pop_id)

    def counts(self) -> Counts:
        """Count what is where."""
        return Counts(
            produced=len(self._produced),
            accepted=len(self._accepted),
            refused_attempts=self._refused.total(),
            waiting=len(self._waiting),
            retried=len(self._retried),
            parked=len(self._parked),
            quarantined=len(self._quarantined),
            notified=len(self._notified),
            settled=len(self._produced) - len(self._open),
        )

    def happenings(self) -> tuple[Happening, ...]:
        """The latest events that took another way than the straight one, oldest first."""
        return tuple(self._happenings)

    def evidence(self, committed: Committed) -> Evidence:
        """Give all that is known, for the account."""
        return Evidence(
            produced=self._produced,
            accepted=self._accepted,
            tried_in_vain=self._refused.keys() | self._retried,
            parked=self._parked,
            quarantined=self._quarantined,
            notified=self._notified,
            unfinished={pop_id for pop_id in self._open if self._is_ahead(pop_id, committed)},
            altered={
                pop_id
                for pop_id, digest in self._taken_bodies.items()
                if self._sent_bodies.get(pop_id, digest) != digest
            },
        )

    def _retry(self, record: SeenRecord, seconds: float) -> None:
        pop_id = record.pop_id
        self._retried.add(pop_id)
        if pop_id not in self._accepted and pop_id not in self._parked:
            self._waiting.add(pop_id)
        self._tell(record, "retry", record.trouble, seconds=seconds)

    def _park(self, record: SeenRecord, seconds: float) -> None:
        pop_id, why = record.pop_id, record.quarantined_for
        self._parked.add(pop_id)
        self._waiting.discard(pop_id)
        self._settle(pop_id)
        if why is None:
            self._tell(record, "parked", record.trouble, seconds=seconds)
        else:
            self._quarantined.add(pop_id)
            self._tell(record, "quarantined", why, seconds=seconds)

    def _tell(self, record: SeenRecord, kind: str, reason: str, *, seconds: float) -> None:
        key = (record.key or b"").decode(errors="replace")
        self._happenings.append(
            Happening(seconds=seconds, pop_id=record.pop_id, key=key, kind=kind, reason=reason)
        )

    def _settled(self, pop_id: str) -> bool:
        return pop_id in self._accepted or (pop_id in self._parked and pop_id in self._notified)

    def _settle(self, pop_id: str) -> None:
        if self._settled(pop_id):
            self._open.discard(pop_id)

    def _is_ahead(self, pop_id: str, committed: Committed) -> bool:
        """Whether a record of the event is still before the worker."""
        return any(
            offset >= committed.get((topic, partition), 0)
            for topic, partition, offset in self._places.get(pop_id, ())
        )
