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
    return orjson.dumps(whole, default=str, option=orjson.OPT_NON_STR_KEYS)


def with_end(body: bytes, ended_ms: int, zone: str) -> bytes:
    """The same event with its end, as the site's clock shows it."""
    told = orjson.loads(body) | {_END: local_time(ended_ms, ZoneInfo(zone)).text}
    return orjson.dumps(told)


def key_of(fields: Mapping[str, Any]) -> str:
    """The record's key: events of one screen stay in order."""
    return f"{fields.get('siteId', '')}/{fields.get('screenId', '')}"


def require_sound(fields: Mapping[str, Any]) -> None:
    """For development: raises UsageError for an event that GSTV would not take."""
    wrong = [name for name in _NEEDED if not isinstance(fields.get(name), str) or not fields[name]]
    given = [name for name in (_START, _END) if name in fields]
    if wrong:
        raise UsageError(f"these must be texts, and not empty: {', '.join(wrong)}")
    if given:
        raise UsageError(f"the outbox sets these itself: {', '.join(given)}")
