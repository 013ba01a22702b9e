"""Tries what Kafka's protocol offers, as one user, and says whether the broker let it.

Each attempt is one request of its own; clients do too much by themselves to tell what was refused.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    for_code,
)
from aiokafka.protocol.admin import (
    AlterConfigsRequest,
    CreateAclsRequest,
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DeleteGroupsRequest,
    DeleteRecordsRequest,
    DeleteTopicsRequest,
    DescribeAclsRequest,
    DescribeConfigsRequest,
    DescribeGroupsRequest,
)
from aiokafka.protocol.api import Request
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import JoinGroupRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from pop_stream.kafka.connection import client_options
from pop_stream.settings import Settings

_REFUSED = {
    error.errno
    for error in (
        TopicAuthorizationFailedError,
        GroupAuthorizationFailedError,
        ClusterAuthorizationFailedError,
        TransactionalIdAuthorizationFailed,
    )
}
#: Said to who has the right, of something that cannot be done all the same: the topic exists, it
#: has so many partitions already, nobody by this name is in the group, there is no such group.
_LET = {0, 25, 36, 37, 69}
_TOPIC, _BROKER = 2, 4
_MS = 10_000

#: What is tried, by the letter that stands for it in a table.
ON_TOPIC: dict[str, Callable[[str], "Request[Any]"]] = {
    # see that it exists
    "d": lambda topic: MetadataRequest([topic], allow_auto_topic_creation=False),
    # fetch its records
    "r": lambda topic: FetchRequest(0, 0, 1024, 0, [(topic, [(0, 0, 1024)])]),
    # write a record
    "w": lambda topic: ProduceRequest(None, -1, _MS, [(topic, [(0, _batch())])]),
    # see its configuration
    "c": lambda topic: DescribeConfigsRequest([(_TOPIC, topic, ["retention.ms"])], False),
    # alter its configuration
    "a": lambda topic: AlterConfigsRequest([(_TOPIC, topic, [("retention.ms", "1000000")])], True),
    # add partitions
    "p": lambda topic: CreatePartitionsRequest([(topic, (1, None))], _MS, True),  # type: ignore[list-item]
    # create it
    "n": lambda topic: CreateTopicsRequest([(topic, 1, 1, [], [])], _MS, True),
    # delete it
    "x": lambda topic: DeleteTopicsRequest([topic], _MS),
    # delete its records
    "e": lambda topic: DeleteRecordsRequest([(topic, [(0, 1)])], _MS),
}

ON_GROUP: dict[str, Callable[[str], "Request[Any]"]] = {
    # see who is in it
    "d": lambda group: DescribeGroupsRequest([group]),
    # see what it has committed
    "o": lambda group: OffsetFetchRequest(group, None),
    # join it
    "j": lambda group: JoinGroupRequest(
        group,
        _MS,
        _MS,
        "nobody-1",
        None,
        "consumer",
        [("roundrobin", b"")],  # type: ignore[arg-type]
    ),
    # delete it
    "x": lambda group: DeleteGroupsRequest([group]),
}

ON_CLUSTER: dict[str, Callable[[], "Request[Any]"]] = {
    # see the rules
    "s": lambda: DescribeAclsRequest(1, None, 1, None, None, 1, 1),  # type: ignore[arg-type]
    # give a right, to nobody
    "g": lambda: CreateAclsRequest(_TOPIC, "nowhere", 3, "User:nobody-else", "*", 8, 3),
    # create any topic
    "n": lambda: CreateTopicsRequest([("anything", 1, 1, [], [])], _MS, True),
    # see the brokers' configuration
    "b": lambda: DescribeConfigsRequest([(_BROKER, "1", ["log.retention.ms"])], False),
    # alter the brokers' configuration
    "q": lambda: AlterConfigsRequest([(_BROKER, "1", [("log.retention.ms", "1000000")])], True),
    # be an idempotent producer
    "i": lambda: InitProducerIdRequest(None, _MS),  # type: ignore[arg-type]
    # be a transactional one
    "t": lambda: InitProducerIdRequest("t", _MS),
}


class Somebody:
    """One user, connected to one broker."""

    def __init__(self, settings: Settings, runner: asyncio.Runner) -> None:
        self._settings = settings
        self._runner = runner
        self._client: AIOKafkaClient | None = None

    def on_topic(self, topic: str) -> str:
        """What may be done with a topic: the letters of `ON_TOPIC`, a dash for what is refused."""
        return "".join(
            letter if self.may(request(topic)) else "-" for letter, request in ON_TOPIC.items()
        )

    def on_group(self, group: str, topics: dict[str, str]) -> str:
        """What may be done with a group; then of which topics offsets may be committed for it.

        `topics` gives the letter of each.
        """
        done = {letter: request(group) for letter, request in ON_GROUP.items()}
        done |= {
            letter: OffsetCommitRequest(group, -1, "", -1, [(topic, [(0, 0, "")])])
            for topic, letter in topics.items()
        }
        return "".join(letter if self.may(request) else "-" for letter, request in done.items())

    def on_cluster(self) -> str:
        """What may be done with the cluster: the letters of `ON_CLUSTER`."""
        return "".join(
            letter if self.may(request()) else "-" for letter, request in ON_CLUSTER.items()
        )

    def may(self, request: "Request[Any]") -> bool:
        """Ask it of the broker. Raises AssertionError when the answer is of another kind."""
        codes = set(_codes_in(self._runner.run(self._ask(request))))
        if codes & _REFUSED:
            return False
        assert codes <= _LET, (request, [for_code(code) for code in codes])
        return True

    async def _ask(self, request: "Request[Any]") -> Any:
        if self._client is None:
            self._client = AIOKafkaClient(**client_options(self._settings))
            await self._client.bootstrap()
        answer = await self._client.send(self._client.get_random_node(), request)
        if isinstance(request, FetchRequest):
            # aiokafka cannot name what is in it: there are arrays that are null.
            return [{"error_code": code} for _, each in answer.topics for _, code, *_ in each]
        return answer.to_object()

    def leave(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._runner.run(self._client.close())


@contextmanager
def everybody(settings: dict[str, Settings]) -> Iterator[dict[str, Somebody]]:
    """Users by their names, each with a connection of its own."""
    with asyncio.Runner() as runner:
        people = {name: Somebody(each, runner) for name, each in settings.items()}
        try:
            yield people
        finally:
            for one in people.values():
                one.leave()


def _codes_in(answer: Any) -> Iterator[int]:
    """All error codes of an answer, however deep."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            if name == "error_code":
                yield value
            else:
                yield from _codes_in(value)
    elif isinstance(answer, list | tuple):
        for each in answer:
            yield from _codes_in(each)


def _batch() -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1,
        base_sequence=-1, batch_size=1024,
    )  # fmt: skip
    builder.append(0, timestamp=None, key=None, value=b"tried", headers=[])
    return bytes(builder.build())
