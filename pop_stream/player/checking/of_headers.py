"""What the headers of an event's record break."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from pop_stream.player.checking import rules as r
from pop_stream.player.checking.evidence import Evidence, Headers
from pop_stream.player.checking.of_event import Broken
from pop_stream.player.outbox.clock import Sync
from pop_stream.pop.identity import parse_pop_id, time_of
from pop_stream.pop.loss import HEADER, DeclaredLoss, read_losses
from pop_stream.pop.play_times import time_of_play
from pop_stream.pop.trail import own_headers

_MOST_BYTES: Final = 2048
_SHOWN: Final = 60
_CLOCKS: Final = frozenset(str(each) for each in Sync)
#: Clocks are off by a little, everywhere.
_APART: Final = timedelta(minutes=5)
#: The event tells whole seconds.
_A_SECOND: Final = timedelta(seconds=1)
_is_number: Final = re.compile(r"[0-9]{1,15}").fullmatch
_is_boot: Final = re.compile(r"[0-9A-Za-z_-]{1,64}").fullmatch
_is_utc: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"
).fullmatch
_offset_parts: Final = re.compile(r"([+-])([01][0-9]):([0-5][0-9])").fullmatch
_is_trace: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"
).fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """By what an event is known, as far as its headers tell it soundly."""

    pop_id: str | None = None
    boot: str = ""
    seq: int | None = None
    losses: tuple[DeclaredLoss, ...] = ()


def identity_of(headers: Headers) -> Identity:
    """The identity that headers tell; the last of a name counts, as it does for the worker."""
    told = _texts(headers)
    number = told.get("pop-seq", "")
    return Identity(
        pop_id=parse_pop_id(dict(headers).get("pop-id")),
        boot=told.get("pop-boot", "")[:64],
        seq=int(number) if _is_number(number) and int(number) > 0 else None,
        losses=read_losses(told.get(HEADER, "")) or (),
    )


def broken_by_headers(evidence: Evidence, identity: Identity) -> Iterator[Broken]:
    """What they break."""
    told = _texts(evidence.headers)
    yield from _of_all(evidence.headers)
    yield from _of_id(evidence, identity.pop_id)
    yield from _of_numbers(told, identity)
    yield from _of_times(told)
    yield from _of_site(told)
    yield from _of_clock(told)
    yield from _of_agreement(told, evidence.value)
    if "traceparent" in told and not _is_trace(told["traceparent"]):
        yield r.TRACE, _shown(told["traceparent"])


def _of_all(headers: Headers) -> Iterator[Broken]:
    size = sum(len(name.encode()) + len(value) for name, value in headers)
    if size >= _MOST_BYTES:
        yield r.SIZE_OF_HEADERS, f"{size} bytes"
    for name, value in headers:
        try:
            value.decode()
        except UnicodeDecodeError:
            yield r.SIZE_OF_HEADERS, f"{_shown(name)} is no text"
            break
    ours = sorted({name for name, _ in own_headers(headers)} - {"pop-id"})
    if ours:
        yield r.RESERVED, ", ".join(ours)


def _of_id(evidence: Evidence, pop_id: str | None) -> Iterator[Broken]:
    times = Counter(name for name, _ in evidence.headers)["pop-id"]
    if times != 1:
        yield r.POP_ID, "it has none" if not times else f"it has {times}"
    elif pop_id is None:
        yield r.POP_ID, _shown(_texts(evidence.headers)["pop-id"])
    if pop_id is None:
        return
    minted = time_of(pop_id)
    if minted is None or pop_id[19] not in "89ab":
        yield r.POP_ID_V7, pop_id
    elif evidence.stored >= 0 and minted - evidence.stored / 1000 > _APART.total_seconds():
        yield r.MINTED, f"{minted - evidence.stored / 1000:.0f} s after it"


def _of_numbers(told: Mapping[str, str], identity: Identity) -> Iterator[Broken]:
    if "pop-seq" not in told:
        yield r.NO_SEQ, "it has none"
    elif identity.seq is None:
        yield r.POP_SEQ, f"pop-seq {_shown(told['pop-seq'])}"
    elif not _is_boot(told.get("pop-boot", "")):
        yield r.POP_SEQ, f"pop-boot {_shown(told.get('pop-boot', ''))}"
    if HEADER in told and read_losses(told[HEADER]) is None:
        yield r.POP_LOST, _shown(told[HEADER])


def _of_times(told: Mapping[str, str]) -> Iterator[Broken]:
    for name in ("pop-start-utc", "pop-end-utc"):
        if name in told and _moment(told[name]) is None:
            yield r.POP_TIMES, f"{name} {_shown(told[name])}"
            return
    start, end = _moment(told.get("pop-start-utc")), _moment(told.get("pop-end-utc"))
    if start is not None and end is not None and end < start:
        # Unlike the site's clock, UTC repeats no hour.
        yield r.POP_TIMES, "the end is before the start"


def _of_site(told: Mapping[str, str]) -> Iterator[Broken]:
    if "pop-tz" in told and not _is_zone(told["pop-tz"]):
        yield r.POP_ZONE, f"pop-tz {_shown(told['pop-tz'])}"
    if "pop-utcoffset" in told and _offset(told["pop-utcoffset"]) is None:
        yield r.POP_ZONE, f"pop-utcoffset {_shown(told['pop-utcoffset'])}"


def _of_clock(told: Mapping[str, str]) -> Iterator[Broken]:
    if "pop-clock" in told and told["pop-clock"] not in _CLOCKS:
        yield r.POP_CLOCK, f"pop-clock {_shown(told['pop-clock'])}"
    if "pop-mono-ms" in told and not _is_number(told["pop-mono-ms"]):
        yield r.POP_CLOCK, f"pop-mono-ms {_shown(told['pop-mono-ms'])}"


def _of_agreement(told: Mapping[str, str], value: bytes | None) -> Iterator[Broken]:
    start, offset = _moment(told.get("pop-start-utc")), _offset(told.get("pop-utcoffset"))
    if start is None or offset is None:
        return
    try:
        text = orjson.loads(value or b"null")["startTimestamp"]
        local = time_of_play(text)
    except (orjson.JSONDecodeError, TypeError, KeyError):
        return
    if local is None:
        return
    said = local.replace(tzinfo=timezone(offset))
    if not -_A_SECOND < said - start < _A_SECOND:
        yield r.POP_AGREE, f"the event begins at {text}, its headers say {told['pop-start-utc']}"


def _moment(text: str | None) -> datetime | None:
    if text is None or not _is_utc(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset(text: str | None) -> timedelta | None:
    parts = _offset_parts(text or "")
    if parts is None:
        return None
    sign = -1 if parts[1] == "-" else 1
    return sign * timedelta(hours=int(parts[2]), minutes=int(parts[3]))


@lru_cache(maxsize=256)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _texts(headers: Headers) -> dict[str, str]:
    return {name: value.decode("utf-8", "replace") for name, value in headers}


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
