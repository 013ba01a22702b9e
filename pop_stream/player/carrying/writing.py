"""Writes what waits in an outbox into a signed file, and takes it out of the outbox if asked to."""

import errno
import os
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from pop_stream.errors import UsageError, WorkFailedError
from pop_stream.player.carrying.form import Contents, first_line, play_line, signature_line
from pop_stream.player.carrying.key import key_id, signing
from pop_stream.player.carrying.reading import verified
from pop_stream.player.carrying.waiting import STATES, plays_of, survey_of, waiting_rows
from pop_stream.player.outbox.file import OutboxFile
from pop_stream.player.outbox.locks import sending_lock
from pop_stream.player.outbox.modes import private
from pop_stream.player.outbox.reading import reading
from pop_stream.player.outbox.room import moved
from pop_stream.player.outbox.row import State
from pop_stream.player.outbox.schema import ForeignFileError
from pop_stream.pop.moments import utc

#: Which row it was: its number and its pop-id.
_TAKEN: Final = struct.Struct(">q16s")
_AT_ONCE: Final = 2000
_CONFIRM: Final = tuple(
    f"UPDATE plays SET {moved(before, State.ACKED)}, acked = ? "  # noqa: S608 - our own names
    f"WHERE id = ? AND pop_id = ? AND state = {before:d}"
    for before in STATES
)

Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What is in the file now."""

    contents: Contents
    bytes: int
    #: Rows that are not what was written: they are not in the file, and stay in the outbox.
    damaged: int
    #: Plays that the outbox does not send any more.
    taken: int


def write(outbox: Path, to: Path, key: bytes, *, now_ms: int, told: Told) -> Written:
    """Write all plays that wait; the outbox stays as it is. `told`: plays done, and of how many.

    Raises UsageError when there is such a file already, and WorkFailedError when either cannot be
    read or written: then there is no file.
    """
    with TemporaryFile() as rows:
        return _written(outbox, to, key, rows, now_ms=now_ms, told=told)


def write_and_take(outbox: Path, to: Path, key: bytes, *, now_ms: int, told: Told) -> Written:
    """Write all plays that wait, and then have the outbox not send them any more.

    They count as confirmed once the file is on the disk, and was read from there again. Raises
    OutboxBusyError while a process sends from the outbox, and what `write` raises.
    """
    lock = sending_lock(outbox)
    try:
        lock.take("sends plays")
        with TemporaryFile() as rows:
            written = _written(outbox, to, key, rows, now_ms=now_ms, told=told)
            _require_kept(to, key)
            taken = _take(outbox, rows, now_ms)
        return Written(contents=written.contents, bytes=written.bytes, damaged=written.damaged,
                       taken=taken)  # fmt: skip
    finally:
        lock.close()


def _written(
    outbox: Path, to: Path, key: bytes, rows: IO[bytes], *, now_ms: int, told: Told
) -> Written:
    with _new_file(to) as file, _at_one_moment(outbox) as connection:
        survey = survey_of(connection)
        signature, done = signing(key), 0

        def put(line: bytes) -> None:
            signature.update(line)
            file.write(line)

        put(first_line(survey.contents(), outbox=outbox.name, made=utc(now_ms), key_id=key_id(key)))
        for row in waiting_rows(connection):
            plays = plays_of(row)
            if plays is None:
                continue
            for _, record in plays:
                put(play_line(record))
                done += 1
            rows.write(_TAKEN.pack(row.id, row.pop_id))
            told(done, survey.plays)
        file.write(signature_line(signature.hexdigest()))
        file.flush()
        os.fsync(file.fileno())
        # What is read again is to come from the disk.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        _sync_folder(to.parent)
        return Written(
            contents=survey.contents(), bytes=file.tell(), damaged=survey.damaged, taken=0
        )


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that was not there; it is gone again when the block fails."""
    try:
        file = open(path, "xb", opener=private)  # noqa: SIM115 - closed by who uses it
    except FileExistsError:
        raise UsageError(f"{path} is there already: it is never written over") from None
    except OSError as error:
        raise WorkFailedError(f"{path} cannot be written ({error.strerror})") from error
    try:
        with file:
            yield file
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise WorkFailedError(
                f"{path} cannot be written ({error.strerror}): nothing was taken out of the outbox"
            ) from error
        raise


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    except OSError as error:
        # The file systems of some sticks know no such thing.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(opened)


@contextmanager
def _at_one_moment(outbox: Path) -> Iterator[sqlite3.Connection]:
    try:
        with reading(outbox) as connection:
            connection.execute("BEGIN")
            yield connection
    except (sqlite3.Error, ForeignFileError, UnicodeDecodeError) as error:
        raise WorkFailedError(
            f"{outbox} cannot be read to its end ({error}); `pop-stream player verify` says more"
        ) from error


def _require_kept(path: Path, key: bytes) -> None:
    try:
        with verified(path, key):
            pass
    except UsageError as error:
        raise WorkFailedError(
            f"what stands in {path} is not what was written ({error}): this disk cannot be "
            "trusted, and nothing was taken out of the outbox"
        ) from error


def _take(outbox: Path, rows: IO[bytes], now_ms: int) -> int:
    """Have rows count as confirmed; gives how many plays. A few at a time: others write, too."""
    taken = 0
    rows.seek(0)
    try:
        with closing(OutboxFile(outbox)) as file:
            while some := rows.read(_AT_ONCE * _TAKEN.size):
                with file.transaction() as connection:
                    for number, pop_id in _TAKEN.iter_unpack(some):
                        taken += _confirm(connection, number, pop_id, now_ms)
    except (sqlite3.Error, OSError, ForeignFileError) as error:
        raise WorkFailedError(
            f"the file is written, and {outbox} does not take it ({error}): the outbox sends these "
            "plays as well, under the same pop-ids"
        ) from error
    return taken


def _confirm(connection: sqlite3.Connection, number: int, pop_id: bytes, now_ms: int) -> int:
    # With its pop-id: another file may have come, or a pack, with other plays under this number.
    changed = sum(
        connection.execute(statement, (now_ms, number, pop_id)).rowcount for statement in _CONFIRM
    )
    if not changed:
        return 0
    found = connection.execute("SELECT number FROM plays WHERE id = ?", (number,)).fetchone()
    return int(found[0])
