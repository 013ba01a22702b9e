"""The failure notification: what GSTV's side is told about an event that was not delivered."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import orjson

from pop_stream.pop.identity import notification_id

_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationStyle:
    """The form of the notification."""

    #: The owner's document leaves the type open ("TBD").
    type: str = "MEDIA_POP_FAILED"
    #: standard: exactly the owner's four fields; extended: time, site and terminal besides.
    profile: Literal["standard", "extended"] = "standard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One notification as it stands on the topic."""

    #: `siteId/screenId`, as far as the event tells them; else the event's own key.
    key: bytes | None
    value: bytes


def notify_of(
    pop_id: str,
    *,
    value: bytes | None,
    key: bytes | None,
    style: NotificationStyle,
    now: datetime,
) -> Notification:
    """Write an event's notification. Its id depends on `pop_id` alone, so it never changes."""
    site, screen = _place(value)
    fields: dict[str, str] = {
        "id": notification_id(pop_id),
        "notificationType": style.type,
        "status": "failure",
        "additionalInformation": "Failed to post POP",
    }
    if style.profile == "extended":
        fields["notificationTimestamp"] = _utc_milliseconds(now)
        fields["siteId"] = site or ""
        fields["terminalId"] = screen or ""
    place = f"{site}/{screen}".encode() if site and screen else key
    return Notification(key=place, value=orjson.dumps(fields))


def _place(value: bytes | None) -> tuple[str | None, str | None]:
    try:
        fields = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None, None
    if not isinstance(fields, dict):
        return None, None
    return _name(fields.get("siteId")), _name(fields.get("screenId"))


def _name(field: object) -> str | None:
    # An event that was quarantined for its size may hold anything: it must not make the
    # notification too large for its own topic.
    return field if isinstance(field, str) and len(field) <= _LONGEST_NAME else None


def _utc_milliseconds(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
