"""Fetches that name only what has changed since the one before, as KIP-227 lets consumers do.

aiokafka names all its partitions in each fetch, and is told of all in each answer. A worker has
those of three topics; where events come one by one, each costs a fetch, and 36 partitions cost
aiokafka more than the event does, and the broker as much again.

A broker remembers what it was asked for as a session: an id that it gives, and an epoch that
counts the fetches. Whatever goes wrong, the next fetch names everything again.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import for_code
from aiokafka.protocol.fetch import FetchRequest

#: Topic and partition.
Place = tuple[str, int]
#: From which offset, and how many bytes at most.
Wish = tuple[int, int]

_ALL_EPOCH = 0
_LAST_EPOCH = 2**31 - 1
#: The first version of a fetch that knows of sessions.
_VERSION = 7


@dataclass(frozen=True, slots=True)
class Ask:
    """What a fetch says: of the wishes those that are new, and what is wished no more."""

    session_id: int
    epoch: int
    named: Mapping[Place, Wish]
    forgotten: frozenset[Place]


class FetchSession:
    """What one broker knows of one consumer's wishes."""

    def __init__(self) -> None:
        #: 0: the broker has given none.
        self._id = 0
        self._epoch = _ALL_EPOCH
        self._known: dict[Place, Wish] = {}

    @property
    def asks_for_all(self) -> bool:
        """Whether the next fetch names everything."""
        return self._epoch == _ALL_EPOCH

    def ask(self, wishes: Mapping[Place, Wish]) -> Ask:
        """What to say so that the broker knows of these wishes and no others."""
        known = self._known
        named = {place: wish for place, wish in wishes.items() if known.get(place) != wish}
        forgotten = frozenset(known.keys() - wishes.keys())
        self._known = dict(wishes)
        return Ask(self._id, self._epoch, named, forgotten)

    def answered(self, session_id: int) -> None:
        """The broker has taken what was said. `session_id` 0: and will not remember it."""
        self._id = session_id
        if session_id == 0:
            self.forget()
        else:
            self._epoch = 1 if self._epoch == _LAST_EPOCH else self._epoch + 1

    def forget(self) -> None:
        """Nobody can tell what the broker knows: begin anew. The old id lets it end that one."""
        self._epoch = _ALL_EPOCH
        self._known = {}


def fetch_in_sessions(consumer: AIOKafkaConsumer) -> None:
    """Let a consumer that has not started fetch so, from brokers that can."""
    client: Any = consumer._client  # noqa: SLF001 - aiokafka has no way to hand it another
    client.send = _Sessions(client.send).send


class _Sessions:
    """Stands before a client's `send`. aiokafka has one fetch at a time under way to a broker."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self._by_node: defaultdict[int, FetchSession] = defaultdict(FetchSession)

    async def send(self, node_id: int, request: Any, **options: Any) -> Any:
        if type(request) is not FetchRequest:
            return await self._send(node_id, request, **options)
        session = self._by_node[node_id]
        asks_for_all = session.asks_for_all
        try:
            response = await self._send(node_id, _FetchRequest(request, session), **options)
        except BaseException:
            # Also when it is cancelled: the broker may have it, or not.
            session.forget()
            raise
        if response.API_VERSION >= _VERSION:
            if not response.error_code:
                session.answered(response.session_id)
            else:
                # It knows of no such session, or of another epoch: it was restarted, most likely.
                session.forget()
                if asks_for_all:
                    raise for_code(response.error_code)
        return response


class _FetchRequest(FetchRequest):
    """A fetch of aiokafka's that says what a session has to."""

    def __init__(self, whole: FetchRequest, session: FetchSession) -> None:
        # Not super().__init__(): it is the same request in all but how it is written.
        vars(self).update(vars(whole))
        self._session = session

    def build(self, request_struct_class: Any) -> Any:
        if request_struct_class.API_VERSION < _VERSION:
            return super().build(request_struct_class)
        ask = self._session.ask(
            {
                (topic, partition): (offset, most_bytes)
                for topic, partitions in self._topics
                for partition, offset, most_bytes in partitions
            }
        )
        named: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for (topic, partition), wish in ask.named.items():
            named[topic].append((partition, *wish))
        forgotten: defaultdict[str, list[int]] = defaultdict(list)
        for topic, partition in ask.forgotten:
            forgotten[topic].append(partition)
        self._topics = list(named.items())
        built: Any = super().build(request_struct_class)
        built.session_id, built.session_epoch = ask.session_id, ask.epoch
        built.forgotten_topics_data = list(forgotten.items())
        return built
