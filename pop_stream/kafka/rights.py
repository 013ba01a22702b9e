"""Who needs which rights in Kafka, and why: least privilege, as a table.

A principal has the rights of its roles and no others, where brokers deny what no rule allows
(`allow.everyone.if.no.acl.found=false`, Kafka's default).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from pop_stream.settings import Settings


class Role(StrEnum):
    """What somebody is to pop-stream. A worker of all stages is a forwarder and a notifier."""

    PLAYER = "player"
    FORWARDER = "forwarder"
    NOTIFIER = "notifier"
    ANALYST = "analyst"
    OPERATOR = "operator"
    WATCH = "watch"
    ADMIN = "admin"


#: One line for each, for people.
ROLES = {
    Role.PLAYER: "sends plays",
    Role.FORWARDER: "a worker of the stages forward and retry",
    Role.NOTIFIER: "a worker of the stage failure",
    Role.ANALYST: "reads: events, explain, audit, reconcile, failures list",
    Role.OPERATOR: "an analyst who also redrives and settles",
    Role.WATCH: "pop-stream watch and status",
    Role.ADMIN: "creates and alters the topics, and gives rights",
}


class _Code(IntEnum):
    """A word of Kafka's, with its code in the protocol."""

    @property
    def word(self) -> str:
        """As Kafka's own tools and documentation spell it."""
        return "".join(part.capitalize() for part in self.name.split("_"))


class Kind(_Code):
    """What a rule is about."""

    TOPIC = 2
    GROUP = 3
    CLUSTER = 4
    TRANSACTIONAL_ID = 5
    DELEGATION_TOKEN = 6
    USER = 7


class Operation(_Code):
    """What is done with it."""

    ALL = 2
    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    ALTER = 7
    DESCRIBE = 8
    CLUSTER_ACTION = 9
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11
    IDEMPOTENT_WRITE = 12
    CREATE_TOKENS = 13
    DESCRIBE_TOKENS = 14
    TWO_PHASE_COMMIT = 15


#: The stages that deliver events.
DELIVERING = frozenset(("forward", "retry"))

#: Kafka knows the cluster by this name only.
CLUSTER_NAME = "kafka-cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one role may do with one thing, or may not.

    In Kafka Read, Write, Delete and Alter include Describe, and AlterConfigs DescribeConfigs.
    """

    kind: Kind
    name: str
    operations: tuple[Operation, ...]
    because: str
    #: Whether it is about everything whose name begins so.
    prefixed: bool = False
    #: False: it denies, and wins over every rule that allows.
    allow: bool = True


def rules_of(role: Role, settings: Settings) -> tuple[Rule, ...]:
    """All rules of a role, for the topics and the group that the settings name."""
    return tuple(_RULES[role](settings))


def rules_of_worker(settings: Settings) -> tuple[Rule, ...]:
    """What a worker of the settings needs: of the stages that it has, and no more."""
    rules = [_membership(settings)]
    if DELIVERING & {*settings.stages}:
        rules += _delivering(settings, settings.stages)
    if "failure" in settings.stages:
        rules += _notifying(settings)
    return tuple(rules)


def topics_of_worker(settings: Settings) -> set[str]:
    """The topics that a worker of the settings reads or writes."""
    work = {Operation.READ, Operation.WRITE}
    rules = rules_of_worker(settings)
    return {each.name for each in rules if each.kind is Kind.TOPIC and work & {*each.operations}}


def redrive_groups(group: str) -> str:
    """How the names of the groups begin that note what was sent back."""
    return f"{group}-redrive-"


def _topic(name: str, because: str, *operations: Operation) -> Rule:
    return Rule(kind=Kind.TOPIC, name=name, operations=operations, because=because)


def _player(settings: Settings) -> Iterator[Rule]:
    yield _topic(settings.events_topic, "sends its plays; reads nobody's, not even its own",
                 Operation.WRITE)  # fmt: skip


def _forwarder(settings: Settings) -> Iterator[Rule]:
    yield from _delivering(settings, DELIVERING)
    yield _membership(settings)


def _delivering(settings: Settings, stages: Collection[str]) -> Iterator[Rule]:
    look = Operation.DESCRIBE_CONFIGS
    if "forward" in stages:
        yield _topic(settings.events_topic, "takes events, and looks at retention before it starts",
                     Operation.READ, look)  # fmt: skip
    else:
        yield _sharing_out(settings.events_topic)
    if "retry" in stages:
        yield _topic(settings.retry_topic, "has events wait there, and takes them when they are "
                     "due", Operation.READ, Operation.WRITE, look)  # fmt: skip
    else:
        yield _topic(settings.retry_topic, "has events wait there", Operation.WRITE, look)
    yield _topic(settings.failure_topic, "parks events, and tells of those that were deleted",
                 Operation.WRITE, look)  # fmt: skip
    if settings.receipts == "on":
        yield _topic(settings.receipts_topic, "writes down what was delivered (receipts are on)",
                     Operation.WRITE, look)  # fmt: skip


def _notifier(settings: Settings) -> Iterator[Rule]:
    yield from _notifying(settings)
    yield _membership(settings)


def _notifying(settings: Settings) -> Iterator[Rule]:
    look = Operation.DESCRIBE_CONFIGS
    yield _topic(settings.failure_topic, "takes what is parked, and tells of what was deleted",
                 Operation.READ, Operation.WRITE, look)  # fmt: skip
    yield _topic(settings.notification_topic, "writes the notifications", Operation.WRITE, look)
    yield _sharing_out(settings.events_topic)
    if settings.auto_redrive == "off":
        yield _sharing_out(settings.retry_topic)
    else:
        yield _topic(settings.retry_topic, "sends parked events back (automatic redrive)",
                     Operation.WRITE, look)  # fmt: skip
        yield _topic(settings.settled_topic, "learns which events are settled, and not sent back",
                     Operation.READ, look)  # fmt: skip
        yield Rule(kind=Kind.GROUP, name=redrive_groups(settings.group), prefixed=True,
                   operations=(Operation.READ,),
                   because="notes up to where it has sent back")  # fmt: skip


def _sharing_out(topic: str) -> Rule:
    # One member of a group shares out the partitions for all. Of a topic that it cannot see it
    # gives none to anybody, and says nothing.
    return _topic(topic, "shares out its partitions if it leads the group; reads nothing of it",
                  Operation.DESCRIBE)  # fmt: skip


def _membership(settings: Settings) -> Rule:
    return Rule(
        kind=Kind.GROUP,
        name=settings.group,
        operations=(Operation.READ,),
        because="takes part in the group, and commits what is done",
    )


def _analyst(settings: Settings) -> Iterator[Rule]:
    for name in _topics(settings):
        yield _topic(name, "reads it, without a group", Operation.READ, Operation.DESCRIBE_CONFIGS)
    yield from _onlooker(settings)


def _operator(settings: Settings) -> Iterator[Rule]:
    writes = {
        settings.retry_topic: "reads it, and sends parked events back (failures redrive)",
        settings.settled_topic: "reads it, and marks events as settled (failures settle)",
    }
    for rule in _analyst(settings):
        if rule.kind is Kind.TOPIC and rule.name in writes:
            yield _topic(rule.name, writes[rule.name], *rule.operations, Operation.WRITE)
        else:
            yield rule


def _watch(settings: Settings) -> Iterator[Rule]:
    for name in (settings.events_topic, settings.retry_topic, settings.failure_topic):
        yield _topic(name, "sees how old the oldest event is, and how long it is kept",
                     Operation.READ, Operation.DESCRIBE_CONFIGS)  # fmt: skip
    yield _topic(settings.settled_topic, "knows which events are settled", Operation.READ)
    yield from _onlooker(settings)


def _onlooker(settings: Settings) -> Iterator[Rule]:
    """See what workers have committed, and never commit in their place: that skips events."""
    groups = ((settings.group, False), (redrive_groups(settings.group), True))
    for name, prefixed in groups:
        yield Rule(kind=Kind.GROUP, name=name, prefixed=prefixed, operations=(Operation.DESCRIBE,),
                   because="sees what is committed")  # fmt: skip
    for name, prefixed in groups:
        yield Rule(kind=Kind.GROUP, name=name, prefixed=prefixed, allow=False,
                   operations=(Operation.READ, Operation.DELETE),
                   because="whoever commits for the workers makes them skip events")  # fmt: skip


def _admin(settings: Settings) -> Iterator[Rule]:
    for name in _topics(settings):
        yield _topic(name, "creates and alters it; reads and writes nothing, and deletes nothing",
                     Operation.CREATE, Operation.ALTER, Operation.ALTER_CONFIGS)  # fmt: skip
    yield Rule(
        kind=Kind.CLUSTER,
        name=CLUSTER_NAME,
        operations=(Operation.ALTER, Operation.DESCRIBE_CONFIGS),
        because="gives rights: whoever may do that can give himself any",
    )


def _topics(settings: Settings) -> tuple[str, ...]:
    return (
        settings.events_topic,
        settings.retry_topic,
        settings.failure_topic,
        settings.notification_topic,
        settings.receipts_topic,
        settings.settled_topic,
    )


_RULES = {
    Role.PLAYER: _player,
    Role.FORWARDER: _forwarder,
    Role.NOTIFIER: _notifier,
    Role.ANALYST: _analyst,
    Role.OPERATOR: _operator,
    Role.WATCH: _watch,
    Role.ADMIN: _admin,
}
