"""What became of every event, by the topics and the mock's ledger; never by the worker's word."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

from aiokafka import ConsumerRecord

from pop_stream.gstv.mock.ledger import LedgerEntry
from pop_stream.pop.identity import fallback_pop_id
from tests.support.kafka import Records


class Place(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


class Kill(NamedTuple):
    """A worker's sudden death, and what Kafka knew then."""

    #: Epoch seconds.
    at: float
    #: The committed offset of each partition that has one.
    committed: Mapping[tuple[str, int], int]


@dataclass(frozen=True, kw_only=True)
class Account:
    """All that stands on the topics, and all that the mock GSTV was asked."""

    events: Records
    retries: Records
    parked: Records
    notifications: Records
    entries: list[LedgerEntry]

    @cached_property
    def sent(self) -> dict[str, ConsumerRecord[bytes | None, bytes | None]]:
        """The players' records by their ids."""
        return {id_of(record): record for record in self.events}

    @cached_property
    def delivered(self) -> Counter[str]:
        """How often each event was delivered."""
        return Counter(entry.id or "" for entry in self.entries if entry.delivered)

    @property
    def duplicates(self) -> dict[str, int]:
        """How many deliveries too many each event had."""
        return {pop_id: times - 1 for pop_id, times in self.delivered.items() if times > 1}

    def assert_nothing_lost(self) -> None:
        """Every event was delivered, or parked and told of; nothing was altered or invented."""
        parked = {id_of(record) for record in self.parked}
        told = {id_of(record) for record in self.notifications}
        assert self.sent.keys() - self.delivered.keys() - parked == set(), "lost"
        assert parked - told == set(), "parked, and nobody was told"
        assert told - parked == set(), "told of, and not parked"
        assert (parked | self.delivered.keys()) - self.sent.keys() == set(), "invented"
        altered = {
            entry.id
            for entry in self.entries
            if entry.sha256 != sha256(self.sent[entry.id or ""].value or b"").hexdigest()
        } | {
            id_of(record)
            for record in (*self.retries, *self.parked)
            if (record.key, record.value) != _key_and_value(self.sent[id_of(record)])
        }
        assert altered == set(), "altered"

    def assert_duplicates_explained(self, kills: Collection[Kill]) -> int:
        """Nothing came twice but what was in flight or uncommitted at a kill; how much that was.

        An event is exposed to a kill if GSTV had seen it by then, and a record of it stood at or
        above the committed offset.
        """
        exposed = [self._exposed(kill) for kill in kills]
        assert self.duplicates.keys() - set().union(*exposed) == set(), "duplicates out of nothing"
        budget = sum(map(len, exposed))
        duplicates = sum(self.duplicates.values())
        assert duplicates <= budget
        return duplicates

    def uncommitted_at(self, kill: Kill) -> set[str]:
        """The events of which a record stood at or above the committed offset, or came later."""
        return {
            id_of(record)
            for record in (*self.events, *self.retries)
            if record.offset >= kill.committed.get((record.topic, record.partition), 0)
        }

    def _exposed(self, kill: Kill) -> set[str]:
        seen = {entry.id for entry in self.entries if entry.received_at <= kill.at}
        return self.uncommitted_at(kill) & seen


def header_of(record: ConsumerRecord[bytes | None, bytes | None], name: str) -> str | None:
    """A header's value; the latest of a name counts."""
    return next((value.decode() for key, value in reversed(record.headers) if key == name), None)


def id_of(record: ConsumerRecord[bytes | None, bytes | None]) -> str:
    """The event's id: the one it came with, or the one of its place."""
    place = (record.topic, record.partition, record.offset)
    return header_of(record, "pop-id") or fallback_pop_id(*place)


def attempts_of(record: ConsumerRecord[bytes | None, bytes | None]) -> int:
    """How many attempts a record tells of; -1 for a player's own, which is before any."""
    # A player's may say what it likes under this name, so only a record with an origin counts.
    told = header_of(record, "pop-attempt") if header_of(record, "pop-origin") else None
    return -1 if told is None else int(told)


def place_of(record: ConsumerRecord[bytes | None, bytes | None]) -> Place:
    """Where a record stands."""
    return Place(record.topic, record.partition, record.offset)


def by_id(records: Iterable[ConsumerRecord[bytes | None, bytes | None]]) -> dict[str, Records]:
    """Sort records by event; those of one event stay in their order."""
    sorted_records: dict[str, Records] = {}
    for record in records:
        sorted_records.setdefault(id_of(record), []).append(record)
    return sorted_records


def _key_and_value(
    record: ConsumerRecord[bytes | None, bytes | None],
) -> tuple[bytes | None, bytes | None]:
    return record.key, record.value
