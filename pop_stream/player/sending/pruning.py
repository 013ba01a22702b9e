"""Takes out what was delivered long ago, a little at a time: plays are written down meanwhile."""

import logging
from typing import Final

from pop_stream.player.outbox.file import OutboxFile
from pop_stream.player.outbox.missing import numbers_of
from pop_stream.player.outbox.row import COLUMNS, Row, State, sound_row
from pop_stream.player.outbox.schema import DamagedError
from pop_stream.player.outbox.settled import Span, settle

log = logging.getLogger(__name__)

_DAY_MS: Final = 86_400_000
_AT_ONCE: Final = 1000
_NEXT: Final = f"SELECT {', '.join(COLUMNS)} FROM plays WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
_PRUNE: Final = "DELETE FROM plays WHERE id = ? AND pop_id = ? AND state = 3"


class Pruning:
    """A walk through an outbox from its beginning, once a day."""

    def __init__(self, file: OutboxFile, days: int) -> None:
        """Delivered plays are kept for so many days."""
        self._file = file
        self._days = days
        #: The day of the last walk that came to its end.
        self._walked = -1
        self._after = 0
        self._deleted = 0

    def step(self, now_ms: int) -> bool:
        """Take out some, if it is time; gives whether there is more to do now.

        Raises sqlite3.Error and OSError.
        """
        today = now_ms // _DAY_MS
        if today == self._walked:
            return False
        # By whole days: then it is no more than a look for the rest of them.
        before = (today - self._days) * _DAY_MS
        rows = self._read()
        acked = [row for row in rows if row.state is State.ACKED]
        old = [row for row in acked if (row.acked or 0) < before]
        if old:
            self._delete(old)
        # Behind those that were delivered since, none are older.
        if len(rows) == _AT_ONCE and (old or not acked):
            self._after = rows[-1].id
            return True
        if self._deleted:
            log.info("outbox.pruned", extra={"rows": self._deleted, "kept_days": self._days})
        self._walked, self._after, self._deleted = today, 0, 0
        return False

    def _read(self) -> list[Row]:
        """The next rows. Without a turn: their seals take longer than all the rest."""
        found = self._file.connection.execute(_NEXT, (self._after, _AT_ONCE)).fetchall()
        rows = [row for values in found if (row := sound_row(values)) is not None]
        if len(rows) < len(found):
            # Only what is what was written says that it may be taken out.
            raise DamagedError(f"{len(found) - len(rows)} rows are not what was written")
        return rows

    def _delete(self, rows: list[Row]) -> None:
        numbers: dict[str, list[Span]] = {}
        for row in rows:
            for key, first, last in numbers_of(row):
                numbers.setdefault(key, []).append((first, last))
        with self._file.transaction() as connection:
            # So that nobody takes them for lost when the file is mended.
            settle(connection, numbers)
            done = connection.executemany(_PRUNE, [(row.id, row.pop_id) for row in rows])
            self._deleted += done.rowcount
