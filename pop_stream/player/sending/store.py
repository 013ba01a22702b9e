"""The outbox as its sender has it: locked, opened, and mended when it is found damaged."""

import logging
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from pop_stream.errors import WorkFailedError
from pop_stream.player.outbox import opening
from pop_stream.player.outbox.file import is_damage, is_full
from pop_stream.player.outbox.locks import sending_lock
from pop_stream.player.outbox.marks import read_marks
from pop_stream.player.outbox.room import Reserve
from pop_stream.player.outbox.row import Row
from pop_stream.player.sending.leases import Leases, Waiting
from pop_stream.player.sending.pruning import Pruning

log = logging.getLogger(__name__)

T = TypeVar("T")

KEPT_DAYS: Final = 14
_TRIES: Final = 4


class Store:
    """For one thread at a time. All methods raise sqlite3.Error and OSError."""

    def __init__(self, path: Path, *, kept_days: int = KEPT_DAYS) -> None:
        """`kept_days`: so long delivered plays are kept, to be sent again on demand.

        Raises OutboxBusyError when another process sends from it, and UsageError for no outbox.
        """
        self._path = path
        self._lock = sending_lock(path)
        self._boot = secrets.token_bytes(16)
        try:
            self._lock.take("sends from it")
            # Before the outbox is looked at: then they are never ahead of it.
            self._file = opening.open_outbox(path, read_marks(path), self._boot).file
        except BaseException:
            self._lock.close()
            raise
        self._leases = Leases(self._file)
        self._pruning = Pruning(self._file, kept_days)
        if given_back := self._mending(self._leases.reset):
            log.info("outbox.leases_reset", extra={"rows": given_back})

    def newest(self) -> int:
        """The number of the row that was begun last."""
        return self._mending(self._leases.newest)

    def take(self, plays: int, until: int | None = None) -> list[Row]:
        """Take about so many plays that wait; none, when none do."""
        return self._mending(lambda: self._leases.take(plays, until))

    def acked(self, rows: Sequence[Row], at_ms: int) -> None:
        """The broker has confirmed them."""
        found = self._mending(lambda: self._leases.acked(rows, at_ms))
        if found < len(rows):
            log.warning("outbox.confirmed_not_found", extra={"rows": len(rows) - found})

    def release(self, rows: Sequence[Row]) -> None:
        """They wait again."""
        self._mending(lambda: self._leases.release(rows))

    def aside(self, row: Row, refused: Sequence[Row], why: str, at_ms: int) -> None:
        """Set those of a row aside that the broker refuses; the others of it are confirmed."""
        self._mending(lambda: self._leases.aside(row, refused, why, at_ms))

    def waiting(self, until: int | None = None) -> Waiting:
        """Count what is not delivered, and was begun no later than the row `until`."""
        return self._mending(lambda: self._leases.waiting(until))

    def prune(self, now_ms: int) -> bool:
        """Take out some of what was delivered long ago; gives whether there is more to do now."""
        return self._mending(lambda: self._pruning.step(now_ms))

    def close(self) -> None:
        """Let another process send."""
        self._file.close()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _mending(self, work: Callable[[], T]) -> T:
        """Do it, with a mended file where it was damaged, and with the reserve on a full disk."""
        for _ in range(_TRIES):
            try:
                return work()
            except Exception as error:
                if is_full(error) and self._give_reserve():
                    continue
                if not is_damage(error):
                    raise
                opening.mend(self._file, read_marks(self._path), self._boot, str(error))
        raise WorkFailedError(f"{self._path} is damaged again as soon as it is mended")

    def _give_reserve(self) -> bool:
        """To confirm what was sent is what makes room again. Gives whether there was any."""
        given = Reserve(self._path).give()
        self._file.empty_log()
        return given
