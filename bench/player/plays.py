"""The plays that are written down: what a program says of them, and what has to be kept."""

import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from pop_stream.player.outbox.event import begun_event, with_end
from pop_stream.player.outbox.row import Row, State, seal_of
from pop_stream.pop.identity import PopIdMaker, uuid7

ZONE: Final = "America/Chicago"
SCREENS: Final = 12
_BEGIN_MS: Final = 1_795_190_400_000
_LASTED_MS: Final = 15_000

Message = dict[str, Any]


def fields_of(screen: int) -> dict[str, str]:
    """What a player's program says of a play."""
    return {
        "filename": "Advertisement-Cold_Brew_Summer.webm",
        "assetId": "5942a4aac7a201da97cef3a7",
        "ioNumber": "41245",
        "screenState": "Full",
        "siteId": "1202",
        "screenId": str(screen + 1),
    }


class Facts:
    """Makes messages with what GSTV must get of a play: the outbox sees to that by itself."""

    def __init__(self) -> None:
        self._ids = PopIdMaker(lambda: time.time_ns() // 1_000_000, secrets.randbits)
        self._boot = secrets.token_hex(16)
        self._zone = ZoneInfo(ZONE)
        self._lock = threading.Lock()
        self._numbers = [0] * SCREENS

    def begun(self, screen: int) -> Message:
        """A play that begins."""
        with self._lock:
            pop_id = self._ids()
            self._numbers[screen] += 1
            number = self._numbers[screen]
        started = time.time_ns() // 1_000_000
        body = begun_event(fields_of(screen), started, self._zone).decode()
        return {
            "popId": pop_id, "boot": self._boot, "seq": number, "key": f"1202/{screen + 1}",
            "started": started, "ended": None, "lasted": None, "offset": -360, "zone": ZONE,
            "clock": "synced", "event": body,
        }  # fmt: skip

    def ended(self, message: Message) -> Message:
        """The same, when it is over."""
        ended = time.time_ns() // 1_000_000
        event = with_end(message["event"].encode(), ended, ZONE).decode()
        return message | {"ended": ended, "lasted": ended - message["started"], "event": event}


def rows(plays: int) -> Iterator[Row]:
    """Plays that are over and wait, in turn on all screens, as the outbox has them."""
    for n in range(plays):
        screen, turn = n % SCREENS, n // SCREENS
        started = _BEGIN_MS + turn * _LASTED_MS
        ended = started + _LASTED_MS
        if screen == 0:
            # Of a million plays, the events are made once for all screens.
            body = with_end(begun_event(fields_of(screen), started, ZoneInfo(ZONE)), ended, ZONE)
        row = Row(
            id=n + 1, state=State.READY, seal=0, pop_id=(started << 80 | n).to_bytes(16, "big"),
            boot=bytes(range(16)), key=f"1202/{screen + 1}", seq=turn + 1, started=started,
            ended=ended, lasted=_LASTED_MS, offset=-360, zone=ZONE, clock="synced",
            body=body.replace(b'"screenId":"1"', b'"screenId":"%d"' % (screen + 1)), extra=None,
        )  # fmt: skip
        yield replace(row, seal=seal_of(row))


def messages(plays: int) -> Iterator[Message]:
    """The same plays as messages."""
    for row in rows(plays):
        yield {
            "popId": uuid7(row.started, row.id), "boot": row.boot.hex(), "seq": row.seq,
            "key": row.key, "started": row.started, "ended": row.ended, "lasted": row.lasted,
            "offset": row.offset, "zone": row.zone, "clock": row.clock, "event": row.body.decode(),
        }  # fmt: skip
