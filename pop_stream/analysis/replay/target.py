"""Where events are sent: what every target does, and which are refused."""

from collections.abc import Sequence
from typing import Protocol

from pop_stream.analysis.event_view import EventView
from pop_stream.errors import UsageError
from pop_stream.settings import Settings

#: How the event at the same place ended; None: it was not tried, or nobody knows how it ended.
Outcomes = list[str | None]


class Target(Protocol):
    """Takes events, some at a time."""

    #: Why nothing more can be sent; None: it can.
    stopped: str | None

    def send(self, events: Sequence[EventView]) -> Outcomes:
        """Send them; returns once it is known of each how it ended, or the target stopped."""

    def close(self) -> None:
        """Let go of what it holds."""


def require_topic(name: str, settings: Settings, *, is_sure: bool) -> None:
    """Raise UsageError for a topic that a replay must not write to.

    `is_sure`: a person has said that events may go once more into the live system.
    """
    for forbidden, why in (
        (settings.retry_topic, "parked events go back with `pop-stream failures redrive`"),
        (settings.failure_topic, "each record there is notified as a failure"),
        (settings.notification_topic, "GSTV's side takes each record there for a failure"),
        (settings.settled_topic, "records there are marks of people"),
        (settings.receipts_topic, "records there are proofs of delivery"),
    ):
        if name == forbidden:
            raise UsageError(f"nothing is replayed to {name}: {why}")
    if name == settings.events_topic and not is_sure:
        raise UsageError(
            f"{name} is the topic of the live system: the workers would send every event to GSTV "
            "once more, and would notify those that fail once more; if you mean it, add "
            "--yes-into-live-topic"
        )


def is_live(target: str, settings: Settings) -> bool:
    """Whether a target is a topic that the workers read."""
    return target == f"topic:{settings.events_topic}"


def reaches_gstv(target: str, settings: Settings) -> bool:
    """Whether what is sent there reaches GSTV, at once or by the workers."""
    return target.startswith("gstv:") or is_live(target, settings)


class NullTarget:
    """Takes everything and keeps nothing."""

    stopped: str | None = None

    def send(self, events: Sequence[EventView]) -> Outcomes:
        """All of them are taken."""
        return ["sent"] * len(events)

    def close(self) -> None:
        """Nothing is held."""
