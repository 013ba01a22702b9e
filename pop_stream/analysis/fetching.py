"""Fetches record batches as Kafka stores them, in a thread of its own, one answer ahead.

No group is joined and nothing is committed. By aiokafka's connections, with a Fetch of our own: its
consumer makes an object of each record, which is most of the time of a scan.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError, RequestTimedOutError
from aiokafka.protocol.fetch import FetchRequest

from pop_stream.analysis.batches import Fetched, end_of
from pop_stream.kafka.clients import client_of
from pop_stream.settings import Settings

T = TypeVar("T")

_WAIT_MS: Final = 250
_PARTITION_BYTES: Final = 2 * 1024 * 1024
_ANSWER_BYTES: Final = 8 * 1024 * 1024
_AGAIN_SECONDS: Final = 0.1
_READ_COMMITTED: Final = 1
_WITH_REPLICA: Final = 11
#: The leader has changed, or is just being chosen: whoever knows better is asked again.
_ELSEWHERE: Final = frozenset((5, 6, 9, 56, 74, 75, 76, 78))

Place = tuple[str, int]


class RefusedError(Exception):
    """Kafka does not give a partition: with its error code."""

    def __init__(self, topic: str, code: int) -> None:
        self.topic, self.code = topic, code
        super().__init__(f"{topic}: error {code}")


class Fetching:
    """A connection for fetching. Belongs to one thread; may be used while that has a loop."""

    def __init__(self, settings: Settings) -> None:
        """Connects when something is fetched."""
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: AIOKafkaClient | None = None
        self._is_connected = False
        #: The last thing that went wrong with a connection.
        self.trouble: str | None = None

    def fetch(self, spans: Mapping[Place, tuple[int, int]]) -> Iterator[list[Fetched]]:
        """Give batches from the first to before the last offset of each place, some at a time.

        Nothing at all, when nothing came for a while. Ends when all has been given. Raises
        RefusedError, and KafkaError for what is no passing trouble.
        """
        rounds = _Rounds(spans)
        coming: Future[list[Fetched]] | None = None
        try:
            while rounds.left or coming is not None:
                coming = coming or self._submit(self._round(rounds))
                given = coming.result()
                coming = self._submit(self._round(rounds)) if rounds.left else None
                yield given
        finally:
            if coming is not None:
                coming.cancel()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._loop is None:
            return
        self._submit(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._loop = None

    def _submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(
                target=_run, args=(self._loop,), name="pop-stream-fetch", daemon=True
            ).start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _end(self) -> None:
        """Close the connection, and end what is under way: after Ctrl-C, that is much."""
        if self._client is not None:
            await self._client.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _round(self, rounds: "_Rounds") -> list[Fetched]:
        """Ask every leader once."""
        try:
            client = await self._connected(rounds.topics())
            by_node: dict[int, list[Place]] = defaultdict(list)
            for place in rounds.left:
                by_node[client.cluster.leader_for_partition(TopicPartition(*place))].append(place)
            without_leader = [*by_node.pop(-1, ()), *by_node.pop(None, ())]  # type: ignore[call-overload]
            answers = await asyncio.gather(
                *(self._ask(client, node, places, rounds) for node, places in by_node.items())
            )
            if without_leader or any(not answer.is_whole for answer in answers):
                await client.force_metadata_update()
                await asyncio.sleep(_AGAIN_SECONDS)
        except (KafkaConnectionError, NodeNotReadyError, RequestTimedOutError, OSError) as error:
            self.trouble = repr(error)
            await asyncio.sleep(_AGAIN_SECONDS)
            return []
        return [each for answer in answers for each in answer.fetched]

    async def _connected(self, topics: Iterable[str]) -> AIOKafkaClient:
        if self._client is None:
            # At once: it is closed then, too, when it is interrupted before it is connected.
            self._client = client_of(self._settings, client_id="pop-stream-analyst")
        if not self._is_connected:
            await self._client.bootstrap()
            self._is_connected = True
        for topic in topics:
            await self._client.add_topic(topic)
        return self._client

    async def _ask(
        self, client: AIOKafkaClient, node: int, places: list[Place], rounds: "_Rounds"
    ) -> "_Answer":
        by_topic: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for topic, partition in places:
            by_topic[topic].append((partition, rounds.at[topic, partition], _PARTITION_BYTES))
        answer = await client.send(
            node, FetchRequest(_WAIT_MS, 1, _ANSWER_BYTES, _READ_COMMITTED, [*by_topic.items()])
        )
        found = _Answer()
        # The newest form tells behind them from which replica to read.
        aborted_at = -3 if answer.API_VERSION >= _WITH_REPLICA else -2
        for topic, partitions in answer.topics:
            for partition, code, *rest in partitions:
                if code in _ELSEWHERE:
                    found.is_whole = False
                elif code:
                    raise RefusedError(topic, code)
                elif (end := end_of(rest[-1] or b"")) is not None:
                    found.fetched.append(
                        Fetched(topic, partition, rest[-1], rest[aborted_at] or (), end)
                    )
                    rounds.reached(topic, partition, end)
        return found


class _Answer:
    """What a broker gave."""

    def __init__(self) -> None:
        self.fetched: list[Fetched] = []
        #: Whether it leads all that it was asked for.
        self.is_whole = True


class _Rounds:
    """How far each place is."""

    def __init__(self, spans: Mapping[Place, tuple[int, int]]) -> None:
        self.at = {place: begin for place, (begin, _) in spans.items()}
        self.left = {place: end for place, (begin, end) in spans.items() if begin < end}

    def topics(self) -> set[str]:
        return {topic for topic, _ in self.left}

    def reached(self, topic: str, partition: int, offset: int) -> None:
        self.at[topic, partition] = max(offset, self.at[topic, partition])
        if self.at[topic, partition] >= self.left.get((topic, partition), 0):
            self.left.pop((topic, partition), None)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.close()
