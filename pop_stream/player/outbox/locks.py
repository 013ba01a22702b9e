"""Who may do what with an outbox at one moment, over all processes of the machine."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from pop_stream.errors import OutboxBusyError
from pop_stream.player.outbox.modes import mode_beside


class FileLock:
    """A lock on a file of its own. The kernel takes it back when its process ends, however."""

    def __init__(self, outbox: Path, what: str) -> None:
        """`what` it is for ends the file's name. Raises OSError when the file cannot be made."""
        self._path = outbox.with_name(f"{outbox.name}.{what}")
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(self._path, flags, mode_beside(outbox))

    def take(self, purpose: str) -> None:
        """Take it now. Raises OutboxBusyError, with the process that has it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise OutboxBusyError(
                f"{self._path.name}: process {holder} {purpose} already, and only one may: "
                "end it, or give this one an outbox of its own"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def __enter__(self) -> Self:
        """Wait for it."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give it back. Twice is no harm."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


def recording_lock(path: Path) -> FileLock:
    """Of the one process that writes plays down."""
    return FileLock(path, "recording")


def sending_lock(path: Path) -> FileLock:
    """Of the one process that sends them."""
    return FileLock(path, "sending")


def turn_lock(path: Path) -> FileLock:
    """Of whoever writes to the file just now."""
    return FileLock(path, "turn")


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """Have the turn for as long as the block."""
    lock = turn_lock(path)
    try:
        with lock:
            yield
    finally:
        lock.close()
