import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.pop.identity import NOTIFICATION_NAMESPACE
from pop_stream.pop.notification import Notification, NotificationStyle, notify_of
from tests.unit.pop.events import KEY, event, nested

POP_ID = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
ID = str(uuid5(NOTIFICATION_NAMESPACE, POP_ID))
#: Half past ten at night, in a zone an hour ahead of UTC.
NOW = datetime(2026, 11, 20, 22, 30, 5, 123_456, tzinfo=timezone(timedelta(hours=1)))


def notification(
    value: bytes | None = event(),
    key: bytes | None = b"other-key",
    *,
    pop_id: str = POP_ID,
    **style: str,
) -> Notification:
    """The notification of an event."""
    return notify_of(pop_id, value=value, key=key, style=NotificationStyle(**style), now=NOW)


def test_the_standard_notification_is_exactly_the_owners() -> None:
    """Four fields in the order of the owner's document, and not a byte more."""
    assert notification() == Notification(
        key=KEY,
        value=(
            f'{{"id":"{ID}","notificationType":"MEDIA_POP_FAILED","status":"failure",'
            '"additionalInformation":"Failed to post POP"}'
        ).encode(),
    )


def test_the_extended_notification_adds_time_site_and_terminal() -> None:
    """The profile keeps the four fields and adds three; the time is in UTC."""
    assert notification(profile="extended") == Notification(
        key=KEY,
        value=(
            f'{{"id":"{ID}","notificationType":"MEDIA_POP_FAILED","status":"failure",'
            '"additionalInformation":"Failed to post POP",'
            '"notificationTimestamp":"2026-11-20 21:30:05.123","siteId":"s-1","terminalId":"2"}'
        ).encode(),
    )


def test_the_type_is_the_operators() -> None:
    """Any text may be the type, and is escaped as JSON has it."""
    written = json.loads(notification(type='A "type"\n').value)

    assert written["notificationType"] == 'A "type"\n'


@pytest.mark.parametrize(
    ("value", "site", "screen"),
    [
        (None, "", ""),
        (b"", "", ""),
        (b"not json", "", ""),
        (b"\xff\xfe", "", ""),
        (b"[1]", "", ""),
        (b"null", "", ""),
        (nested(5_000), "", ""),
        (event(without=("siteId",)), "", "2"),
        (event(screenId=7), "s-1", ""),
        (event(siteId=""), "", "2"),
        (event(siteId={"a": 1}, screenId=None), "", ""),
        (event(siteId="s" * 600_000), "", "2"),
        (event(screenId="2" * 257), "s-1", ""),
    ],
)
def test_an_event_that_tells_no_place_is_notified_under_its_own_key(
    value: bytes | None, site: str, screen: str
) -> None:
    """What is known of the place is told; the key then is the record's, absent or not."""
    for key in (b"other-key", None):
        told = notification(value, key, profile="extended")
        written = json.loads(told.value)
        assert told.key == key
        assert (written["siteId"], written["terminalId"]) == (site, screen)
        assert written["id"] == ID


@given(st.none() | st.binary(max_size=60), st.uuids(), st.datetimes(timezones=st.just(UTC)))
def test_the_id_depends_on_the_event_alone(
    value: bytes | None, pop_id: UUID, now: datetime
) -> None:
    """The same failure told again, at any time and with any value, is the same notification."""
    style = NotificationStyle()
    told = notify_of(str(pop_id), value=value, key=None, style=style, now=now)

    assert json.loads(told.value) == {
        "id": str(uuid5(NOTIFICATION_NAMESPACE, str(pop_id))),
        "notificationType": "MEDIA_POP_FAILED",
        "status": "failure",
        "additionalInformation": "Failed to post POP",
    }
