"""What Kafka lets this user do, as Kafka itself says: to name the right that is missing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    TopicAuthorizationFailedError,
)
from aiokafka.protocol.admin import DescribeGroupsRequest_v3, DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from pop_stream.errors import WorkFailedError
from pop_stream.kafka.rights import Kind, Operation, Rule

#: Kafka's number for "not told".
_UNTOLD: Final = -(2**31)

Thing: TypeAlias = tuple[Kind, str]


async def topics_named(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> list[dict[str, Any]]:
    """Describe topics by their names; one that is missing is not created by that."""
    request = MetadataRequest([*topics], allow_auto_topic_creation=False)
    answer = await admin._send_request(request)  # noqa: SLF001 - aiokafka has no public way
    described: list[dict[str, Any]] = answer.to_object()["topics"]
    return described


def is_hidden(described: Mapping[str, Any]) -> bool:
    """Whether this user may not even see a topic."""
    return bool(described["error_code"] == TopicAuthorizationFailedError.errno)


def no_right_to_see(topics: Iterable[str]) -> WorkFailedError:
    """Make the error for topics that are hidden from this user."""
    return WorkFailedError(
        f"no right to see {', '.join(sorted(topics))}: this user needs Describe there, which Read "
        "and Write include; `pop-stream topics acls` shows the rights of each role"
    )


async def lacking(
    admin: AIOKafkaAdminClient, rules: Collection[Rule]
) -> list[tuple[Rule, list[Operation]]]:
    """Of rules that allow, what Kafka does not let this user do. Topics that are missing lack none.

    Raises KafkaError.
    """
    names: dict[Kind, list[str]] = {Kind.TOPIC: [], Kind.GROUP: []}
    for rule in rules:
        names[rule.kind].append(rule.name)
    allowed = await _on_topics(admin, names[Kind.TOPIC])
    for group in names[Kind.GROUP]:
        allowed[Kind.GROUP, group] = await _on_group(admin, group)
    found = []
    for rule in rules:
        bits = allowed.get((rule.kind, rule.name), _UNTOLD)
        missing = [each for each in rule.operations if bits != _UNTOLD and not bits >> each & 1]
        if missing:
            found.append((rule, missing))
    return found


async def _on_topics(admin: AIOKafkaAdminClient, topics: Sequence[str]) -> dict[Thing, int]:
    answer = await admin._send_request(_TopicRights(topics))  # noqa: SLF001 - as above
    return {
        (Kind.TOPIC, one["topic"]): 0 if is_hidden(one) else one["authorized_operations"]
        for one in answer.to_object()["topics"]
        if is_hidden(one) or not one["error_code"]
    }


async def _on_group(admin: AIOKafkaAdminClient, group: str) -> int:
    try:
        node = await admin.find_coordinator(group)
    except GroupAuthorizationFailedError:
        return 0
    except GroupCoordinatorNotAvailableError:
        return _UNTOLD  # a new Kafka, which has had no group yet
    answer = await admin._send_request(_GroupRights(group), node)  # noqa: SLF001 - as above
    (described,) = answer.to_object()["groups"]
    operations: int = described["authorized_operations"]
    return operations


class _TopicsResponse(Response):
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(
                ("node_id", Int32),
                ("host", String("utf-8")),
                ("port", Int32),
                ("rack", String("utf-8")),
            ),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _TopicsRequest(RequestStruct):
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _TopicsResponse
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _TopicRights(Request[_TopicsRequest]):
    """Of topics, what this user may do: aiokafka's own Metadata is too old for that."""

    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_TopicsRequest]) -> _TopicsRequest:
        return request_struct_class(list(self._topics), False, False, True)


class _GroupRequest(RequestStruct):
    API_KEY = 15
    API_VERSION = 3
    #: aiokafka's own reads the answer as one of an older form.
    RESPONSE_TYPE = DescribeGroupsResponse_v3
    SCHEMA = DescribeGroupsRequest_v3.SCHEMA


class _GroupRights(Request[_GroupRequest]):
    """Of a group, what this user may do."""

    API_KEY = 15

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[_GroupRequest]) -> _GroupRequest:
        return request_struct_class([self._group], True)
