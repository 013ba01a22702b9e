"""Opens an outbox to look at it: nothing is written, whoever records or sends meanwhile."""

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import quote

from pop_stream.errors import UsageError
from pop_stream.player.outbox.log_check import log_of
from pop_stream.player.outbox.marks import read_marks
from pop_stream.player.outbox.opening import looks_like_ours
from pop_stream.player.outbox.schema import ForeignFileError, check

#: What SQLite says where the disk, or this user's rights, take no file beside the outbox.
_TAKES_NO_FILE: Final = frozenset((sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY))


def require_outbox(path: Path) -> None:
    """Raises UsageError where there is no outbox, and none has been; or where it may not be read.

    One that is damaged or gone is still an outbox: its marks stand beside it.
    """
    was_there = bool(read_marks(path).highest)
    try:
        is_likely = looks_like_ours(path) and path.stat().st_size > 0
    except OSError as error:
        if was_there and error.errno in (errno.ENOENT, errno.EIO):
            return
        if error.errno == errno.ENOENT:
            raise UsageError(
                f"there is no outbox {path}: its player makes it, or `pop-stream player send`"
            ) from error
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error
    if was_there:
        return
    if not is_likely:
        raise UsageError(
            f"{path} is no outbox: give the name of the file that the player records into"
        )
    try:
        with reading(path):
            pass
    except ForeignFileError as error:
        raise UsageError(str(error)) from error
    except (sqlite3.Error, UnicodeDecodeError):
        return  # it is damaged, which is for the caller to say


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that reads only.

    Raises ForeignFileError, and sqlite3.Error, also when the file is damaged.
    """
    with ExitStack() as stack:
        try:
            connection = _connected(path)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _TAKES_NO_FILE or not path.exists():
                raise
            connection = _connected_without_writing(path, stack)
        stack.callback(connection.close)
        check(connection, path)
        yield connection


def _connected_without_writing(path: Path, stack: ExitStack) -> sqlite3.Connection:
    """Where SQLite cannot put what readers share of a log, it reads no file that has one."""
    log = log_of(path)
    if not log.exists() or not log.stat().st_size:
        return _connected(path, "&immutable=1")
    copy = Path(stack.enter_context(TemporaryDirectory(prefix="pop-stream-"))) / path.name
    for source, target in ((path, copy), (log, log_of(copy))):
        shutil.copyfile(source, target)
    return _connected(copy)


def _connected(path: Path, more: str = "") -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro{more}", uri=True, isolation_level=None
    )
    try:
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
