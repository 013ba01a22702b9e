"""Takes out what was delivered long ago, a little at a time: plays are written down meanwhile."""

from typing import Final

from pop_stream.player.outbox.file import OutboxFile
from pop_stream.player.outbox.missing import numbers_of
from pop_stream.player.outbox.row import COLUMNS, State, sound_row
from pop_stream.player.outbox.settled import Span, settle
from pop_stream.player.sending.leases import DamagedRowsError

_DAY_MS: Final = 86_400_000
_AT_ONCE: Final = 1000
_NEXT: Final = f"SELECT {', '.join(COLUMNS)} FROM plays WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608


class Pruning:
    """A walk through an outbox from its beginning, once a day."""

    def __init__(self, file: OutboxFile, days: int) -> None:
        """Delivered plays are kept for so many days."""
        self._file = file
        self._days = days
        #: The day of the last walk that came to its end.
        self._walked = -1
        self._after = 0

    def step(self, now_ms: int) -> bool:
        """Take out some, if it is time; gives whether there is more to do now.

        Raises sqlite3.Error, OSError, and DamagedRowsError.
        """
        today = now_ms // _DAY_MS
        if today == self._walked:
            return False
        # By whole days: then it is no more than a look for the rest of them.
        rows, gone, has_others = self._take_out((today - self._days) * _DAY_MS)
        # Behind those that were delivered since, none are older.
        if rows == _AT_ONCE and (gone or has_others):
            return True
        self._walked, self._after = today, 0
        return False

    def _take_out(self, before: int) -> tuple[int, int, bool]:
        """How many rows were looked at, how many are gone, and whether some were not delivered."""
        numbers: dict[str, list[Span]] = {}
        gone: list[tuple[int]] = []
        has_others = False
        with self._file.transaction() as connection:
            found = connection.execute(_NEXT, (self._after, _AT_ONCE)).fetchall()
            for values in found:
                row = sound_row(values)
                if row is None:
                    # What is told of it could be anything, its number, too.
                    raise DamagedRowsError("a row is not what was written")
                has_others |= row.state is not State.ACKED
                if row.state is State.ACKED and (row.acked or 0) < before:
                    gone.append((row.id,))
                    for key, first, last in numbers_of(row):
                        numbers.setdefault(key, []).append((first, last))
            settle(connection, numbers)
            connection.executemany("DELETE FROM plays WHERE id = ?", gone)
        self._after = found[-1][0] if found else 0
        return len(found), len(gone), has_others
