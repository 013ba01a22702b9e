"""What has to be put in order before it tells anything: kept in a file, so that memory stays flat.

The file is one that SQLite makes in the folder for temporary files and that nobody else sees; it is
gone when the process is, however that ends. Each play takes some 80 bytes there.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice, takewhile
from typing import Any, Final, NamedTuple, Self

from pop_stream.errors import WorkFailedError

_AT_ONCE: Final = 5000
_TABLES: Final = """
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16000; PRAGMA temp_store=FILE;
CREATE TABLE plays(site INT, screen INT, start INT, end INT, asset INT, io INT, hour INT, id BLOB,
sure INT);
CREATE TABLE numbers(screen INT, boot TEXT, seq INT, day INT);
CREATE TABLE told(screen INT, first INT, last INT, reason INT, since INT, until INT);
CREATE TABLE lost(screen INT, first INT, last INT, reason INT, since INT, until INT);
CREATE TABLE unread(id BLOB);
"""
_PLAY: Final = "INSERT INTO plays VALUES (?,?,?,?,?,?,?,?,?)"
_NUMBER: Final = "INSERT INTO numbers VALUES (?,?,?,?)"
_TOLD: Final = "INSERT INTO told VALUES (?,?,?,?,?,?)"
_LOST: Final = "INSERT INTO lost VALUES (?,?,?,?,?,?)"
_UNREAD: Final = "INSERT INTO unread VALUES (?)"
#: By what an index can do: of ranges that are apart, the last numbers are in order, too.
_LOST_IN_ORDER: Final = "CREATE INDEX lost_in_order ON lost(screen, last)"
_BY_TIME: Final = """SELECT site, screen, start, end, asset, io, hour, id, sure FROM plays
ORDER BY site, start, screen, asset, id"""
_REPEATED: Final = """SELECT site, screen, start, end, asset, io, hour, id, sure FROM plays
WHERE id IN (SELECT id FROM plays WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1)
ORDER BY id"""
_BY_NUMBER: Final = "SELECT screen, boot, seq, day FROM numbers ORDER BY screen, boot, seq"
# Of equal ones first those of which it is known when they were.
_BY_LOSS: Final = """SELECT screen, first, last, reason, since, until FROM told
ORDER BY screen, first, since IS NULL, last, reason, since, until"""
_LOSSES: Final = "SELECT screen, first, last, reason, since, until FROM lost ORDER BY screen, last"
_LOST_FROM: Final = "SELECT first, last FROM lost WHERE screen = ? AND last >= ? ORDER BY last"
_BESIDE_LOSSES: Final = """SELECT screen, '', seq, min(day) FROM numbers
WHERE seq IS NOT NULL AND screen IN (SELECT screen FROM lost) GROUP BY screen, seq
ORDER BY screen, seq"""
_ALL_UNREAD: Final = "SELECT count(DISTINCT id) FROM unread"


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


class SpilledLoss(NamedTuple):
    """Numbers of a screen that its player declares lost: from `first` to `last`, both included."""

    screen: int
    first: int
    last: int
    #: The number of its name.
    reason: int
    #: In epoch milliseconds, as the player says; None: not known.
    since: int | None
    until: int | None


class Spill:
    """Plays, numbers and losses, for reading in order. Use it as a context manager."""

    def __init__(self) -> None:
        """Empty. Raises WorkFailedError when there is no room for the file."""
        # An empty name: a file of its own, which the system removes.
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.executescript(_TABLES)
        self._base.execute("BEGIN")
        self._plays: list[SpilledPlay] = []
        self._numbers: list[SpilledNumber] = []
        self._told: list[SpilledLoss] = []
        self._unread: list[tuple[bytes]] = []
        self._has_lost = False

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

    def add_loss(self, loss: SpilledLoss) -> None:
        """Keep a loss as it was told."""
        self._told.append(loss)
        if len(self._told) >= _AT_ONCE:
            self._write(_TOLD, self._told)

    def add_unread(self, pop_id: bytes) -> None:
        """Keep the id of an event whose losses are not known."""
        self._unread.append((pop_id,))
        if len(self._unread) >= _AT_ONCE:
            self._write(_UNREAD, self._unread)

    def keep_lost(self, losses: Iterable[SpilledLoss]) -> None:
        """Keep losses that are apart, once and for all, for `losses` and `lost_within`."""
        rest = iter(losses)
        while some := list(islice(rest, _AT_ONCE)):
            self._has_lost = True
            self._write(_LOST, some)
        self._done(_LOST_IN_ORDER)

    def by_time(self) -> Iterator[SpilledPlay]:
        """All plays: site by site, in the order of their starts."""
        return map(SpilledPlay._make, self._sorted(_BY_TIME))

    def repeated(self) -> Iterator[SpilledPlay]:
        """The plays whose id is there more than once, in the order of their ids."""
        return map(SpilledPlay._make, self._sorted(_REPEATED))

    def by_number(self) -> Iterator[SpilledNumber]:
        """All numbers: screen by screen, boot by boot, ascending."""
        return map(SpilledNumber._make, self._sorted(_BY_NUMBER))

    def by_loss(self) -> Iterator[SpilledLoss]:
        """All losses as they were told: screen by screen, in the order of their first numbers."""
        return map(SpilledLoss._make, self._sorted(_BY_LOSS))

    def losses(self) -> Iterator[SpilledLoss]:
        """All losses that are kept apart: screen by screen, ascending."""
        return map(SpilledLoss._make, self._sorted(_LOSSES))

    def lost_within(self, screen: int, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Of a screen those that have one of these numbers, ascending: first and last of each."""
        # Asked for every hole, and nearly always there is no loss at all.
        if self._has_lost:
            yield from takewhile(
                lambda span: span[0] <= last, self._sorted(_LOST_FROM, (screen, first))
            )

    def beside_losses(self) -> Iterator[SpilledNumber]:
        """The numbers of all screens with losses, each once: screen by screen, ascending."""
        return map(SpilledNumber._make, self._sorted(_BESIDE_LOSSES))

    def unread(self) -> int:
        """How many events there are whose losses are not known."""
        ((number,),) = self._sorted(_ALL_UNREAD)
        return int(number)

    def _sorted(self, query: str, given: tuple[int, ...] = ()) -> Iterator[tuple[Any, ...]]:
        for statement, rows in (
            (_PLAY, self._plays), (_NUMBER, self._numbers), (_TOLD, self._told),
            (_UNREAD, self._unread),
        ):  # fmt: skip
            if rows:
                self._write(statement, rows)
        try:
            yield from self._base.execute(query, given)
        except sqlite3.OperationalError as error:
            raise _no_room(error) from error

    def _done(self, statement: str) -> None:
        try:
            self._base.execute(statement)
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
