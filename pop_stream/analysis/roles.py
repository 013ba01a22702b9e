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


def roles_of(settings: Settings) -> Mapping[str, Role]:
    """The role of each topic that tells of events, by its name."""
    return {
        settings.events_topic: Role.EVENTS,
        settings.retry_topic: Role.RETRY,
        settings.failure_topic: Role.FAILURE,
        settings.notification_topic: Role.NOTIFICATIONS,
        settings.settled_topic: Role.SETTLED,
    }
