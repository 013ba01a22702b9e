"""Opens an outbox, whatever has become of its file."""

import errno
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pop_stream.errors import UsageError
from pop_stream.player.outbox import facts, losses, missing
from pop_stream.player.outbox.file import OutboxFile, identity_of, is_damage
from pop_stream.player.outbox.locks import turn
from pop_stream.player.outbox.log_check import log_is_damaged
from pop_stream.player.outbox.losses import Loss
from pop_stream.player.outbox.marks import Marks
from pop_stream.player.outbox.salvage import finish, salvage
from pop_stream.player.outbox.schema import ForeignFileError, NewerFileError
from pop_stream.player.outbox.settled import settle, settled

log = logging.getLogger(__name__)

_SQLITE: Final = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An outbox that can be written to."""

    file: OutboxFile
    #: The highest number of each screen.
    numbers: Mapping[str, int]


def open_outbox(path: Path, marks: Marks, boot: bytes) -> Opened:
    """Open it; mended, with what is missing declared lost, where it is damaged.

    To be called by the process that records. Raises UsageError for a file that is none of ours,
    OSError and sqlite3.Error when the disk takes nothing, or something else stands in its place.
    """
    if path.exists() and not path.is_file():
        # Not to be mended: a device would be set aside. It may be a file again later.
        raise FileExistsError(errno.EEXIST, "it is no file", str(path))
    with turn(path):
        finish(path)
        if log_is_damaged(path):
            _salvage(path, "its log is damaged")
    before = identity_of(path)
    try:
        return _opened(path, marks, boot)
    except NewerFileError as error:
        raise UsageError(str(error)) from error
    except Exception as error:
        if not is_damage(error):
            raise
        _require_ours(path, marks, error)
        why = str(error)
    with turn(path):
        # Unless another process has just done so.
        if identity_of(path) == before:
            _salvage(path, why)
    return _opened(path, marks, boot)


def mend(file: OutboxFile, marks: Marks, boot: bytes, why: str) -> None:
    """Mend an outbox in the middle of the work, and declare what is missing then.

    Raises OSError and sqlite3.Error when the disk takes nothing.
    """
    with file.replacing() as is_ours:
        if is_ours:
            _salvage(file.path, why)
    _declare(file, marks, boot)


def _opened(path: Path, marks: Marks, boot: bytes) -> Opened:
    file = OutboxFile(path)
    try:
        return Opened(file=file, numbers=_declare(file, marks, boot))
    except BaseException:
        file.close()
        raise


def _declare(file: OutboxFile, marks: Marks, boot: bytes) -> Mapping[str, int]:
    """Declare what is missing; gives the highest number of each screen.

    All that is small is read, so that it is known to be sound; plays are looked at on patrol.
    """
    with file.transaction() as connection:
        known = facts.facts(connection)
        losses.waiting(connection)
        settled(connection)
        numbers = facts.numbers(connection)
        found: list[Loss] = []
        if facts.MENDED in known:
            settle(connection, marks.settled)
            numbers, found = missing.account(connection, boot)
            facts.forget_fact(connection, facts.MENDED)
        if facts.HEARTBEAT not in known:
            facts.note_fact(connection, facts.HEARTBEAT, marks.lived)
        found += missing.cut_off(numbers, marks, boot)
        losses.note(connection, found)
        highest = numbers | {
            key: max(number, numbers.get(key, 0)) for key, number in marks.highest.items()
        }
        for key, number in highest.items():
            facts.note_number(connection, key, number)
    for loss in found:
        log.error("outbox.plays_missing", extra=loss.as_object())
    return highest


def _salvage(path: Path, why: str) -> None:
    found = salvage(path)
    log.error(
        "outbox.mended",
        extra={"path": str(path), "why": why, "rows": found.rows, "aside": str(found.aside)},
    )


def _require_ours(path: Path, marks: Marks, error: Exception) -> None:
    """Raise UsageError, unless it is likely that this was an outbox.

    Marks stand beside it then, or it has the words of one.
    """
    if marks.highest or marks.lived:
        return
    if isinstance(error, ForeignFileError):
        raise UsageError(str(error)) from error
    if not looks_like_ours(path):
        raise UsageError(f"{path} is no outbox: give the name of a file of its own") from error


def looks_like_ours(path: Path) -> bool:
    """Whether a file that SQLite cannot read may have been an outbox."""
    with path.open("rb") as file:
        head = file.read(8192)
    return not head or head[:16] == _SQLITE or b"CREATE TABLE plays" in head
