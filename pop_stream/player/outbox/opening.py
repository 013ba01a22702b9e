"""Opens an outbox, whatever has become of its file."""

import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pop_stream.errors import UsageError
from pop_stream.player.outbox import losses
from pop_stream.player.outbox.file import OutboxFile, is_damage
from pop_stream.player.outbox.locks import turn_lock
from pop_stream.player.outbox.log_check import log_is_damaged
from pop_stream.player.outbox.marks import Marks
from pop_stream.player.outbox.salvage import finish, salvage
from pop_stream.player.outbox.schema import ForeignFileError

log = logging.getLogger(__name__)

_SQLITE: Final = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An outbox that can be written to."""

    file: OutboxFile
    #: The highest number of each screen.
    numbers: Mapping[str, int]
    #: Below this, plays of a screen were delivered and are kept no more.
    kept_from: Mapping[str, int]


def open_outbox(path: Path, marks: Marks, boot: bytes) -> Opened:
    """Open it; mended, with what is missing declared lost, where it is damaged.

    To be called by the process that records. Raises UsageError for a file that is none of ours,
    OSError and sqlite3.Error when the disk takes nothing.
    """
    with turn_lock(path):
        was_mended = finish(path) is not None
        if log_is_damaged(path):
            _salvage(path, "its log is damaged")
            was_mended = True
    file = None
    try:
        file = OutboxFile(path)
        numbers = _numbers(file.connection)
    except ForeignFileError as error:
        if file is None and not marks.highest:
            raise UsageError(str(error)) from error
        file, was_mended = _mended(path, str(error)), True
        numbers = _numbers(file.connection)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if not is_damage(error):
            raise
        if file is not None:
            file.close()
        elif not marks.highest and not _looks_like_ours(path):
            raise UsageError(f"{path} is no outbox: give the name of a file of its own") from error
        file, was_mended = _mended(path, str(error)), True
        numbers = _numbers(file.connection)
    highest = _declare(file, numbers, marks, boot, with_holes=was_mended)
    return Opened(file=file, numbers=highest, kept_from=marks.kept_from)


def mend(file: OutboxFile, marks: Marks, boot: bytes, why: str) -> None:
    """Mend an outbox in the middle of the work, and declare what is missing then.

    Raises OSError and sqlite3.Error when the disk takes nothing.
    """
    with file.replacing() as is_ours:
        if is_ours:
            _salvage(file.path, why)
    if is_ours:
        _declare(file, _numbers(file.connection), marks, boot, with_holes=True)


def _declare(
    file: OutboxFile, numbers: Mapping[str, int], marks: Marks, boot: bytes, *, with_holes: bool
) -> Mapping[str, int]:
    """Declare what is missing; gives the highest number of each screen."""
    with file.transaction() as connection:
        missing = losses.cut_off(numbers, marks, boot)
        if with_holes:
            missing += losses.holes(connection, marks, boot)
        losses.note(connection, missing)
        highest = {key: max(number, numbers.get(key, 0)) for key, number in marks.highest.items()}
        highest = dict(numbers) | highest
        connection.executemany("INSERT OR REPLACE INTO screens VALUES (?, ?)", highest.items())
    for loss in missing:
        log.error("outbox.plays_missing", extra=loss.as_object())
    return highest


def _numbers(connection: sqlite3.Connection) -> dict[str, int]:
    # All that is small is read, so that it is known to be sound; plays are looked at on patrol.
    connection.execute("SELECT id FROM plays WHERE state < 3 LIMIT 1").fetchone()
    for table in ("losses", "facts"):
        connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - our own names
    return dict(connection.execute("SELECT key, seq FROM screens").fetchall())


def _mended(path: Path, why: str) -> OutboxFile:
    with turn_lock(path):
        _salvage(path, why)
    return OutboxFile(path)


def _salvage(path: Path, why: str) -> None:
    found = salvage(path)
    log.error(
        "outbox.mended",
        extra={"path": str(path), "why": why, "rows": found.rows, "aside": str(found.aside)},
    )


def _looks_like_ours(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(100)
    return not head or head[:16] == _SQLITE or b"CREATE TABLE plays" in path.read_bytes()[:8192]
