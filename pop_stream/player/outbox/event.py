"""The event of a play: the owner's fields, with the times of the site."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from pop_stream.errors import UsageError
from pop_stream.player.outbox.clock import local_time

_START: Final = "startTimestamp"
_END: Final = "endTimestamp"
#: As the owner's document lists them.
_ORDER: Final = ("filename", "assetId", "ioNumber", _START, _END, "screenState", "siteId",
                 "screenId")  # fmt: skip
_NEEDED: Final = ("filename", "assetId", "siteId", "screenId")


def fields_of(event: object) -> Mapping[str, Any]:
    """The fields of an event, whatever it is: what was played is told of in any case."""
    return event if isinstance(event, Mapping) else {"event": event}


def begun_event(fields: Mapping[str, Any], started_ms: int, zone: tzinfo) -> bytes:
    """The event of a play that has just begun: as if it ended at once, until its end is known.

    Whatever else stands in `fields` is carried along. What JSON cannot hold stands there as text.
    """
    at = local_time(started_ms, zone).text
    known = {name: fields[name] for name in _ORDER if name in fields}
    told = dict.fromkeys(_ORDER) | known | {_START: at, _END: at}
    whole = {name: value for name, value in told.items() if value is not None} | {
        name: value for name, value in fields.items() if name not in told
    }
    try:
        return orjson.dumps(whole, default=as_text, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        # A number, a depth or a text that no JSON has: that field is told in words.
        return orjson.dumps({as_text(name): _sendable(value) for name, value in whole.items()})


def with_end(body: bytes, ended_ms: int, zone: str) -> bytes:
    """The same event with its end, as the site's clock shows it."""
    told = orjson.loads(body) | {_END: local_time(ended_ms, ZoneInfo(zone)).text}
    return orjson.dumps(told)


def key_of(fields: Mapping[str, Any]) -> str:
    """The record's key: events of one screen stay in order."""
    site, screen = (fields.get(name) for name in ("siteId", "screenId"))
    return "/".join("" if part is None else as_text(part) for part in (site, screen))


def as_text(value: object) -> str:
    """Whatever it is as a text that can be sent. Raises nothing."""
    try:
        text = str(value)
    except Exception:  # noqa: BLE001 - it is the caller's, and may be anything
        text = f"<{type(value).__name__}>"
    return text.encode("utf-8", "replace").decode()


def require_sound(fields: Mapping[str, Any]) -> None:
    """For development: raises UsageError for an event that GSTV would not take."""
    wrong = [name for name in _NEEDED if not isinstance(fields.get(name), str) or not fields[name]]
    given = [name for name in (_START, _END) if name in fields]
    if wrong:
        raise UsageError(f"these must be texts, and not empty: {', '.join(wrong)}")
    if given:
        raise UsageError(f"the outbox sets these itself: {', '.join(given)}")


def _sendable(value: object) -> object:
    try:
        orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        return as_text(value)
    return value
