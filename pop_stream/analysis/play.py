"""A play as two sides compare it: texts under our names, whatever a file calls them."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final, TypeAlias

from pop_stream.analysis.event_view import text_of

#: By our names. An empty text: the side has the field, and no value in it.
Play: TypeAlias = dict[str, str]

FIELDS: Final = ("filename", "assetId", "ioNumber", "startTimestamp", "endTimestamp",
                 "screenState", "siteId", "screenId")  # fmt: skip
#: What tells two plays apart where there are no ids: one screen, one asset, one start.
NATURAL_KEY: Final = ("siteId", "screenId", "assetId", "startTimestamp")
_TIMES: Final = ("startTimestamp", "endTimestamp")
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d*)?")
_ALIASES: Final = {"tinumber": "ionumber", "terminalid": "screenid"}


def plain_name(name: str) -> str:
    """A name without what people write differently: `Site_ID` is `siteid`."""
    return re.sub(r"[\s_-]", "", name).lower()


def play_of(fields: Mapping[str, Any], columns: Mapping[str, str] | None = None) -> Play:
    """Read a play from a row. `columns` says which column holds a field where its name does not."""
    named = {plain_name(name): value for name, value in fields.items()}
    play = {}
    for field in FIELDS:
        column = plain_name((columns or {}).get(field, field))
        names = (column, *(alias for alias, meant in _ALIASES.items() if meant == column))
        for name in names:
            if name in named and field not in play:
                play[field] = _plain_text(field, named[name])
    return play


def _plain_text(field: str, value: Any) -> str:
    text = (text_of(value) or "").strip()
    time = _TIME.fullmatch(text) if field in _TIMES else None
    return text if time is None else f"{time[1]} {time[2]}"


def natural_key(play: Play) -> bytes | None:
    """Sixteen bytes for a play without an id; None when it lacks a part of its natural key."""
    parts = [play.get(field, "") for field in NATURAL_KEY]
    if not all(parts):
        return None
    text = "\0".join(parts)
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()


def differing(ours: Play, theirs: Play) -> tuple[str, ...]:
    """The fields in which two plays differ, of those that their side has at all."""
    return tuple(
        field for field in FIELDS if field in theirs and ours.get(field, "") != theirs[field]
    )
