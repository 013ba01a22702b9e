"""The topics: who writes them, how long each keeps what, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pop_stream.settings import Settings

#: What Kafka itself takes by default: 1 MiB and the overhead of a batch.
EVENTS_MAX_BYTES = 1_048_588
#: A record that is handed on is the event, byte for byte, and our headers.
HANDED_ON_MAX_BYTES = 2 * 1024 * 1024
#: Our headers are under 2 KiB; the rest is the overhead of a record and its batch.
HEADER_ROOM_BYTES = 4 * 1024
#: More than the delivery receipts take that a worker writes together.
RECEIPT_MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPlan:
    """What one topic should be like."""

    name: str
    #: For people.
    holds: str
    #: What it should keep; None: everything.
    retention: timedelta | None
    #: Why it should keep that.
    because: str
    #: Less than this loses events in an outage that is to be expected.
    least_retention: timedelta
    max_message_bytes: int
    #: Whether each record of it is an event that is still owed to GSTV or to its owner.
    owed: bool

    def configs(self, *, replication: int) -> dict[str, str]:
        """Give the configuration to create it with, every entry that matters said outright.

        A broker's own defaults may be anything.
        """
        return {
            # Compaction keeps one record of a key: of all the events of a screen, the last.
            "cleanup.policy": "delete",
            "retention.ms": "-1" if self.retention is None else _milliseconds(self.retention),
            # By age alone: a limit by size deletes most when most is waiting.
            "retention.bytes": "-1",
            "max.message.bytes": str(self.max_message_bytes),
            # A confirmed record (`acks=all`) survives the loss of a broker.
            "min.insync.replicas": str(least_in_sync(replication)),
            # A replica that lags must not become the leader: what it lacks would be lost.
            "unclean.leader.election.enable": "false",
            # The broker's clock. By a player's clock, a record dated too far back would be deleted
            # early, and one dated ahead would be refused.
            "message.timestamp.type": "LogAppendTime",
        }


def least_in_sync(replication: int) -> int:
    """How many copies must confirm a write: all but one, so that one broker may be down."""
    return max(1, replication - 1)


def topic_table(settings: Settings) -> tuple[TopicPlan, ...]:
    """Give the topics, under the names that the settings give them."""
    return (
        TopicPlan(
            name=settings.events_topic,
            holds="events, as players send them",
            retention=timedelta(days=14),
            because="it must outlast the longest outage of the worker or of GSTV",
            least_retention=timedelta(days=3),
            max_message_bytes=EVENTS_MAX_BYTES,
            owed=True,
        ),
        TopicPlan(
            name=settings.retry_topic,
            holds="events that wait for their next attempt",
            retention=timedelta(days=14),
            because="while GSTV is down, events wait here as long as on the topic before",
            least_retention=timedelta(days=3),
            max_message_bytes=HANDED_ON_MAX_BYTES,
            owed=True,
        ),
        TopicPlan(
            name=settings.failure_topic,
            holds="events that are out of retries, or were never fit to be sent",
            retention=None,
            because="parked events are kept until somebody redrives them",
            least_retention=timedelta(days=30),
            max_message_bytes=HANDED_ON_MAX_BYTES,
            owed=True,
        ),
        TopicPlan(
            name=settings.notification_topic,
            holds="failure notifications",
            retention=timedelta(days=30),
            because="GSTV's side reads them; the events themselves are on the failure topic",
            least_retention=timedelta(days=3),
            max_message_bytes=EVENTS_MAX_BYTES,
            owed=False,
        ),
        TopicPlan(
            name=settings.receipts_topic,
            holds="what was delivered, and when",
            retention=None,
            because="they are the proof of delivery, and small: one record for many events",
            least_retention=timedelta(days=30),
            max_message_bytes=EVENTS_MAX_BYTES,
            owed=False,
        ),
        TopicPlan(
            name=settings.settled_topic,
            holds="which parked events people have settled",
            retention=None,
            because="a mark that is gone would let its event be sent again",
            least_retention=timedelta(days=30),
            max_message_bytes=EVENTS_MAX_BYTES,
            owed=False,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicState:
    """What a topic is like."""

    name: str
    partitions: int
    #: The least number of copies that any partition has.
    replication: int
    #: Partitions that nobody can read or write now.
    leaderless: tuple[int, ...]
    #: Empty when Kafka does not let us see it.
    configs: Mapping[str, str]


def _milliseconds(duration: timedelta) -> str:
    return str(duration // timedelta(milliseconds=1))
