"""Rights in Kafka itself: the rules that are there, and those that are made."""

import asyncio
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, Final, NoReturn, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    BrokerResponseError,
    ClusterAuthorizationFailedError,
    NoError,
    SecurityDisabled,
    for_code,
)
from aiokafka.protocol.admin import (
    CreateAclsRequest_v1,
    DescribeAclsRequest,
)
from aiokafka.protocol.api import Request

from pop_stream.errors import WorkFailedError
from pop_stream.kafka.entries import Entry
from pop_stream.kafka.rights import Kind, Operation

_ANY: Final = 1
_LITERAL, _PREFIXED = 3, 4
_DENY, _ALLOW = 2, 3
_AT_ONCE: Final = 1000
_IN_FORCE_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05
_OPEN_SETTING: Final = "allow.everyone.if.no.acl.found"
_NO_AUTHORIZER: Final = (
    "this Kafka asks nobody for rights: it has no authorizer, so there are no rules in it. Set "
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer and super.users "
    "on all brokers and controllers, and start them anew"
)
Word = TypeVar("Word", Kind, Operation)


class Default(Enum):
    """What brokers do with what no rule is about."""

    #: It is denied: who has no rule may do nothing.
    DENIED = "denied"
    #: Everybody may do everything with it, until it has its first rule.
    ALLOWED = "allowed"
    #: Brokers do not show it.
    UNSEEN = "unseen"


class _CreateAcls(Request[CreateAclsRequest_v1]):
    """Many rules in one request: aiokafka's own takes one."""

    API_KEY = CreateAclsRequest_v1.API_KEY

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        return request_struct_class([
            (each.kind.value, each.name, _PREFIXED if each.prefixed else _LITERAL, each.principal,
             each.host, each.operation.value, _ALLOW if each.allow else _DENY)
            for each in self._entries
        ])  # fmt: skip


async def entries_there(admin: AIOKafkaAdminClient) -> set[Entry]:
    """All rules of this Kafka. Raises WorkFailedError where there are none by design, or no right.

    What this version does not know a word for is left out: it is none of ours.
    """
    answer = await _ask(admin, DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY))  # type: ignore[arg-type]
    if answer["error_code"]:
        _refuse(answer["error_code"], answer["error_message"], "see the rules", "Describe")
    found = set()
    for resource in answer["resources"]:
        kind = _known(Kind, resource["resource_type"])
        for acl in resource["acls"]:
            operation = _known(Operation, acl["operation"])
            if kind is not None and operation is not None:
                found.add(
                    Entry(
                        kind,
                        resource["resource_name"],
                        resource["resource_pattern_type"] == _PREFIXED,
                        acl["principal"],
                        operation,
                        acl["permission_type"] == _ALLOW,
                        acl["host"],
                    )
                )
    return found


async def create(admin: AIOKafkaAdminClient, entries: Iterable[Entry]) -> None:
    """Make rules; return when the broker that was asked keeps to them.

    Those of the cluster come last: they could shut out who makes the others. Raises
    WorkFailedError when Kafka refuses one; those before it stay.
    """
    ordered = sorted(entries, key=lambda each: each.kind is Kind.CLUSTER)
    for begin in range(0, len(ordered), _AT_ONCE):
        some = ordered[begin : begin + _AT_ONCE]
        answer = await _ask(admin, _CreateAcls(some))
        for entry, told in zip(some, answer["creation_responses"], strict=True):
            if told["error_code"]:
                _refuse(told["error_code"], told["error_message"], f"make: {entry}", "Alter")
    await _in_force(admin, set(ordered))


async def _in_force(admin: AIOKafkaAdminClient, entries: set[Entry]) -> None:
    try:
        async with asyncio.timeout(_IN_FORCE_SECONDS):
            while not entries <= await entries_there(admin):  # noqa: ASYNC110 - Kafka has no event
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError as error:
        raise WorkFailedError(
            f"the rules were made, and are not in force after {_IN_FORCE_SECONDS:g} s: does the "
            "broker reach its controller?"
        ) from error


async def default_of(admin: AIOKafkaAdminClient) -> Default:
    """What the brokers do with what no rule is about, as far as they show it."""
    nodes = [str(one["node_id"]) for one in (await admin.describe_cluster())["brokers"]]
    answers = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.BROKER, node) for node in nodes]
    )
    found = set()
    for answer in answers:
        for resource in answer.to_object()["resources"]:
            if for_code(resource["error_code"]) is not NoError:
                return Default.UNSEEN
            # Where it is not set, it is false.
            values = {
                one["config_names"]: one["config_value"] for one in resource["config_entries"]
            }
            found.add(values.get(_OPEN_SETTING, "false"))
    if None in found:
        # Kafka hides what is set and is no setting of its own: this one is the authorizer's.
        return Default.UNSEEN
    return Default.ALLOWED if "true" in found else Default.DENIED


async def _ask(admin: AIOKafkaAdminClient, request: "Request[Any]") -> dict[str, Any]:
    answer = await admin._send_request(request)  # noqa: SLF001 - aiokafka has no public way
    return answer.to_object()


def _refuse(code: int, message: str | None, what: str, right: str) -> NoReturn:
    error: type[BrokerResponseError] = for_code(code)
    if error is SecurityDisabled:
        raise WorkFailedError(_NO_AUTHORIZER)
    if error is ClusterAuthorizationFailedError:
        raise WorkFailedError(
            f"no right to {what}: this user needs {right} on the cluster, as the role admin has it"
        )
    raise WorkFailedError(f"Kafka refused to {what}: {message or error.description}")


def _known(words: type[Word], code: int) -> Word | None:
    try:
        return words(code)
    except ValueError:
        return None
