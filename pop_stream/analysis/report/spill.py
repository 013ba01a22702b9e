"""What has to be put in order before it tells anything: kept in a file, so that memory stays flat.

The file is one that SQLite makes in the folder for temporary files and that nobody else sees; it is
gone when the process is, however that ends. Each play takes some 80 bytes there.
"""

import sqlite3
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Self

from pop_stream.errors import WorkFailedError

_AT_ONCE: Final = 5000
_TABLES: Final = """
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16000; PRAGMA temp_store=FILE;
CREATE TABLE plays(site INT, screen INT, start INT, end INT, asset INT, io INT, hour INT, id BLOB,
sure INT);
CREATE TABLE numbers(screen INT, boot TEXT, seq INT, day INT);
"""
_PLAY: Final = "INSERT INTO plays VALUES (?,?,?,?,?,?,?,?,?)"
_NUMBER: Final = "INSERT INTO numbers VALUES (?,?,?,?)"
_BY_TIME: Final = """SELECT site, screen, start, end, asset, io, hour, id, sure FROM plays
ORDER BY site, start, screen, asset, id"""
_REPEATED: Final = """SELECT site, screen, start, end, asset, io, hour, id, sure FROM plays
WHERE id IN (SELECT id FROM plays WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1)
ORDER BY id"""
_BY_NUMBER: Final = "SELECT screen, boot, seq, day FROM numbers ORDER BY screen, boot, seq"


class SpilledPlay(NamedTuple):
    """A play, with the numbers of its names; times are in seconds since 1970."""

    site: int
    screen: int
    start: int
    end: int
    asset: int
    io: int
    hour: int
    #: None: this play is kept once more, with its id, at another time at which it may have been.
    pop_id: bytes | None
    #: Whether it was surely then.
    is_sure: bool


class SpilledNumber(NamedTuple):
    """The number that a player gave to an event; None: it gave none."""

    screen: int
    boot: str
    seq: int | None
    #: Days since 1970, by the site's clock; None: its time cannot be read.
    day: int | None


class Spill:
    """Plays and numbers, for reading in order. Use it as a context manager."""

    def __init__(self) -> None:
        """Empty. Raises WorkFailedError when there is no room for the file."""
        # An empty name: a file of its own, which the system removes.
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.executescript(_TABLES)
        self._base.execute("BEGIN")
        self._plays: list[SpilledPlay] = []
        self._numbers: list[SpilledNumber] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def add_play(self, play: SpilledPlay) -> None:
        """Keep a play."""
        self._plays.append(play)
        if len(self._plays) >= _AT_ONCE:
            self._write(_PLAY, self._plays)

    def add_number(self, number: SpilledNumber) -> None:
        """Keep a number."""
        self._numbers.append(number)
        if len(self._numbers) >= _AT_ONCE:
            self._write(_NUMBER, self._numbers)

    def by_time(self) -> Iterator[SpilledPlay]:
        """All plays: site by site, in the order of their starts."""
        return map(SpilledPlay._make, self._sorted(_BY_TIME))

    def repeated(self) -> Iterator[SpilledPlay]:
        """The plays whose id is there more than once, in the order of their ids."""
        return map(SpilledPlay._make, self._sorted(_REPEATED))

    def by_number(self) -> Iterator[SpilledNumber]:
        """All numbers: screen by screen, boot by boot, ascending."""
        return map(SpilledNumber._make, self._sorted(_BY_NUMBER))

    def _sorted(self, query: str) -> Iterator[tuple[Any, ...]]:
        self._write(_PLAY, self._plays)
        self._write(_NUMBER, self._numbers)
        try:
            yield from self._base.execute(query)
        except sqlite3.OperationalError as error:
            raise _no_room(error) from error

    def _write(self, statement: str, rows: list[Any]) -> None:
        try:
            self._base.executemany(statement, rows)
        except sqlite3.OperationalError as error:
            raise _no_room(error) from error
        rows.clear()


def _no_room(error: sqlite3.OperationalError) -> WorkFailedError:
    return WorkFailedError(
        f"the report's temporary file cannot be written: {error}; it needs 200 bytes for each play "
        "in the folder that TMPDIR names, or in /var/tmp"
    )
