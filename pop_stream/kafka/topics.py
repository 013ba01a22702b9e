"""Creates the topics that are missing, and looks at those that are there. Never alters one."""

import asyncio
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    KafkaError,
    NoError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from pop_stream.errors import UsageError, WorkFailedError
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.allowed import is_hidden, topics_named
from pop_stream.kafka.topic_findings import Finding, judge
from pop_stream.kafka.topic_table import TopicPlan, TopicState, topic_table
from pop_stream.settings import Settings

#: More partitions than workers that will ever share them; a screen's events stay in order.
DEFAULT_PARTITIONS = 12
MOST_COPIES = 3
#: For the brokers to have elected leaders for new partitions.
LEADERS_TIMEOUT_SECONDS = 15.0
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsuredTopic:
    """A topic that is there now."""

    name: str
    #: Whether it was made just now.
    created: bool
    partitions: int
    replication: int


async def ensure(
    settings: Settings, *, partitions: int = DEFAULT_PARTITIONS, replication: int | None = None
) -> list[EnsuredTopic]:
    """Create the topics that are missing, and return when all of them can be used.

    `replication` None: as many copies as there are brokers, 3 at most. Existing topics stay as
    they are; `check` judges them. Raises KafkaUnreachableError, UsageError when there are not
    enough brokers, WorkFailedError when Kafka refuses to create a topic.
    """
    async with connected_admin(settings) as admin:
        plans = topic_table(settings)
        there = await _describe(admin, [plan.name for plan in plans])
        missing = [plan for plan in plans if plan.name not in there]
        created: set[str] = set()
        if missing:
            copies = await _copies(admin, replication)
            created = await _create(admin, missing, partitions=partitions, replication=copies)
            there = await _wait_for_leaders(admin, [plan.name for plan in plans])
        return [
            EnsuredTopic(
                name=plan.name,
                created=plan.name in created,
                partitions=there[plan.name].partitions,
                replication=there[plan.name].replication,
            )
            for plan in plans
        ]


async def check(settings: Settings) -> list[Finding]:
    """Judge the topics as they are; empty: all is well. Raises KafkaUnreachableError."""
    async with connected_admin(settings) as admin:
        names = [plan.name for plan in topic_table(settings)]
        states = await _describe(admin, names)
        configs = await configs_of(admin, states)
        unseen = [name for name in names if name not in states]
        hidden = {one["topic"] for one in await topics_named(admin, unseen) if is_hidden(one)}
        return judge(
            settings,
            {
                name: TopicState(
                    name=name,
                    partitions=state.partitions,
                    replication=state.replication,
                    leaderless=state.leaderless,
                    configs=configs.get(name, {}),
                )
                for name, state in states.items()
            },
            hidden=hidden,
        )


async def _copies(admin: AIOKafkaAdminClient, replication: int | None) -> int:
    brokers = len((await admin.describe_cluster())["brokers"])
    if replication is None:
        return min(brokers, MOST_COPIES)
    if replication > brokers:
        raise UsageError(
            f"a replication of {replication} needs as many brokers, and Kafka has {brokers}"
        )
    return replication


async def _create(
    admin: AIOKafkaAdminClient, plans: Collection[TopicPlan], *, partitions: int, replication: int
) -> set[str]:
    response = await admin.create_topics(
        [
            NewTopic(
                plan.name,
                partitions,
                replication,
                topic_configs=plan.configs(replication=replication),
            )
            for plan in plans
        ]
    )
    created = set()
    refusals = []
    for topic in response.to_object()["topic_errors"]:
        error = for_code(topic["error_code"])
        if error is NoError:
            created.add(topic["topic"])
        elif error is TopicAuthorizationFailedError:
            refusals.append(f"{topic['topic']}: no right to do so; this user needs Create on it")
        elif error is not TopicAlreadyExistsError:
            why = topic.get("error_message") or error.description
            refusals.append(f"{topic['topic']}: {why} ({error.__name__})")
    if refusals:
        raise WorkFailedError("Kafka refused to create " + "; ".join(refusals))
    return created


async def _wait_for_leaders(
    admin: AIOKafkaAdminClient, names: Collection[str]
) -> dict[str, TopicState]:
    states: dict[str, TopicState] = {}
    try:
        async with asyncio.timeout(LEADERS_TIMEOUT_SECONDS):
            while True:
                states = await _describe(admin, names)
                if len(states) == len(names) and not any(s.leaderless for s in states.values()):
                    return states
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError as exc:
        if hidden := sorted(set(names) - states.keys()):
            raise WorkFailedError(
                f"Kafka has {', '.join(hidden)} and does not show it: this user needs Describe on "
                "it"
            ) from exc
        raise WorkFailedError(
            f"the new topics have no leaders after {LEADERS_TIMEOUT_SECONDS:g} s: is a broker down?"
        ) from exc


async def _describe(admin: AIOKafkaAdminClient, names: Collection[str]) -> dict[str, TopicState]:
    """Give the state of those topics that exist, without their configuration."""
    # All topics: to ask for one that is missing could create it, where the broker is set to.
    described = await admin.describe_topics()
    return {
        topic["topic"]: _state(topic)
        for topic in described
        if topic["topic"] in names and for_code(topic["error_code"]) is NoError
    }


def _state(topic: Mapping[str, Any]) -> TopicState:
    partitions = topic["partitions"]
    return TopicState(
        name=topic["topic"],
        partitions=len(partitions),
        replication=min((len(p["replicas"]) for p in partitions), default=0),
        leaderless=tuple(sorted(p["partition"] for p in partitions if p["leader"] < 0)),
        configs={},
    )


def retention_of(config: Mapping[str, str]) -> float | None:
    """How long a topic keeps its records, in seconds; infinite: for ever.

    None: Kafka does not let us see it.
    """
    if "retention.ms" not in config:
        return None
    milliseconds = int(config["retention.ms"])
    return math.inf if milliseconds < 0 else milliseconds / 1000


async def configs_of(
    admin: AIOKafkaAdminClient, names: Collection[str]
) -> dict[str, dict[str, str]]:
    """Give the configuration of those topics that Kafka lets us see."""
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    try:
        responses = await admin.describe_configs(resources)
    except KafkaError as exc:
        raise WorkFailedError(f"Kafka does not tell how topics are configured: {exc}") from exc
    return {
        resource["resource_name"]: {
            entry["config_names"]: entry["config_value"]
            for entry in resource["config_entries"]
            if entry["config_value"] is not None
        }
        for response in responses
        for resource in response.to_object()["resources"]
        if for_code(resource["error_code"]) is NoError
    }
