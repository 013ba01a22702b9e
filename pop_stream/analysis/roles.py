"""What each topic is for, by whatever name it has."""

from collections.abc import Mapping
from enum import StrEnum

from pop_stream.settings import Settings


class Role(StrEnum):
    """A topic's role; also what it is called on the command line."""

    EVENTS = "events"
    RETRY = "retry"
    FAILURE = "failure"
    NOTIFICATIONS = "notifications"
    SETTLED = "settled"


def topics_of(settings: Settings) -> Mapping[Role, str]:
    """The topic of each role."""
    return {
        Role.EVENTS: settings.events_topic,
        Role.RETRY: settings.retry_topic,
        Role.FAILURE: settings.failure_topic,
        Role.NOTIFICATIONS: settings.notification_topic,
        Role.SETTLED: settings.settled_topic,
    }


def roles_of(settings: Settings) -> Mapping[str, Role]:
    """The role of each topic that tells of events, by its name."""
    return {topic: role for role, topic in topics_of(settings).items()}
