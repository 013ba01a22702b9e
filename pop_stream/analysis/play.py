"""A play as two sides compare it: texts under our names, whatever a file calls them."""

import re
from collections.abc import Mapping
from functools import lru_cache
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
_LETTERS: Final = len("yyyy-mm-dd HH:MM:SS")
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d*)?")
#: What each field is usually called, without what people write differently.
_USUAL: Final = {field: (field.lower(),) for field in FIELDS} | {
    "ioNumber": ("ionumber", "tinumber"),
    "screenId": ("screenid", "terminalid"),
}


# The same names come with every row.
@lru_cache(maxsize=1024)
def plain_name(name: str) -> str:
    """A name without what people write differently: `Site_ID` is `siteid`."""
    return re.sub(r"[\s_-]", "", name).lower()


def play_of(fields: Mapping[str, Any], columns: Mapping[str, str] | None = None) -> Play:
    """Read a play from a row. `columns` says which column holds a field where its name does not."""
    named = {plain_name(name): value for name, value in fields.items()}
    play = {}
    for field, usual in _USUAL.items():
        names = usual if not columns or field not in columns else (plain_name(columns[field]),)
        for name in names:
            if name in named:
                play[field] = _plain_text(field, named[name])
                break
    return play


def _plain_text(field: str, value: Any) -> str:
    text = (value if type(value) is str else text_of(value) or "").strip()
    if field not in _TIMES or (len(text) == _LETTERS and text[10] == " "):
        return text
    time = _TIME.fullmatch(text)
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
