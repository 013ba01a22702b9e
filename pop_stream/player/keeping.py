"""Writes plays into an outbox that were told of from outside, when they were over."""

import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from pop_stream.errors import OutboxBusyError, WorkFailedError
from pop_stream.player.outbox.changes import Started
from pop_stream.player.outbox.clock import Clock
from pop_stream.player.outbox.limits import Limits, noted_limits
from pop_stream.player.outbox.reading import reading
from pop_stream.player.outbox.recording import Recording
from pop_stream.player.outbox.row import Row
from pop_stream.player.outbox.schema import ForeignFileError
from pop_stream.player.telling import Told, row_of

_TOGETHER: Final = 512
#: Others that tell of a play at the same moment are done by then; a player is not.
_PATIENCE_SECONDS: Final = 5.0
_TRY_SECONDS: Final = 0.02


def keep(
    path: Path, plays: Iterable[tuple[Told, bytes]], *, boot: bytes, zone: ZoneInfo
) -> Iterator[list[Row]]:
    """Write plays down with their pop-ids; gives them as they are on the disk, some at a time.

    Raises OutboxBusyError when another process goes on recording into it, UsageError when the file
    is no outbox, and WorkFailedError when they cannot be written: then those given before are.
    """
    recording = _recording(path, boot)
    try:
        rows = (row_of(told, pop_id=pop_id, boot=boot, zone=zone) for told, pop_id in plays)
        while some := list(islice(rows, _TOGETHER)):
            started = [
                Started(row, {}, recording.next_number, recording.take_losses) for row in some
            ]
            recording.write(started)
            if any(each.is_lost for each in started):
                raise WorkFailedError(
                    f"{path} takes nothing (the log says why): the plays not listed were not kept; "
                    "send them again when it does"
                )
            yield [each.row for each in started]
    finally:
        recording.close()


def _recording(path: Path, boot: bytes) -> Recording:
    patience, limits = time.monotonic() + _PATIENCE_SECONDS, _limits_of(path)
    while True:
        try:
            return Recording(path, boot=boot, limits=limits, clock=Clock())
        except OutboxBusyError:
            if time.monotonic() > patience:
                raise
            time.sleep(_TRY_SECONDS)


def _limits_of(path: Path) -> Limits:
    """Those of its player, if it has one."""
    # What is wrong with it is for the recording to say, or to mend.
    unreadable = suppress(OSError, sqlite3.Error, ForeignFileError, UnicodeDecodeError)
    with unreadable, reading(path) as connection:
        return noted_limits(connection)
    return Limits()


def new_boot() -> bytes:
    """An id of one start of one process."""
    return secrets.token_bytes(16)
