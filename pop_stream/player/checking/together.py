"""What events break together: ids and numbers that are used twice, numbers that are missing.

Exact, for any number of events: in a database of its own on the disk, which is gone at the end. An
event takes about 150 bytes there; the memory stays what it is.
"""

import sqlite3
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from pop_stream.errors import WorkFailedError
from pop_stream.player.checking import rules as r
from pop_stream.player.checking.evidence import Evidence
from pop_stream.player.checking.of_event import Broken
from pop_stream.player.checking.of_headers import Identity

_TABLES: Final = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA cache_size = -16384",
    "CREATE TABLE ids(id BLOB PRIMARY KEY, digest BLOB, place TEXT) WITHOUT ROWID",
    "CREATE TABLE numbers(screen TEXT, boot TEXT, seq INTEGER, place TEXT)",
    "CREATE TABLE lost(screen TEXT, first INTEGER, last INTEGER)",
    "BEGIN",
)


class Together:
    """All events, as far as they are known by an id or a number."""

    def __init__(self) -> None:
        # Without a name: on the disk, where temporary files are (TMPDIR), and gone when closed.
        self._database = sqlite3.connect("", isolation_level=None)
        for statement in _TABLES:
            self._database.execute(statement)
        #: Events that came again as they were: a player may send one twice.
        self.repeats = 0

    def close(self) -> None:
        """Give the disk back."""
        self._database.close()

    def take(self, evidence: Evidence, identity: Identity, screen: str) -> Iterator[Broken]:
        """Take an event; gives what it breaks with one before it."""
        try:
            if identity.pop_id is not None:
                before = self._seen(evidence, identity, identity.pop_id)
                if before == "":
                    self.repeats += 1
                    return
                if before is not None:
                    yield r.POP_ID_UNIQUE, f"{identity.pop_id} is another event's at {before}"
            if identity.seq is not None:
                self._database.execute(
                    "INSERT INTO numbers VALUES (?, ?, ?, ?)",
                    (screen, identity.boot, identity.seq, evidence.place),
                )
            self._database.executemany(
                "INSERT INTO lost VALUES (?, ?, ?)",
                [(screen, each.first, each.last) for each in identity.losses],
            )
        except sqlite3.OperationalError as error:
            raise _no_room(error) from error

    def _seen(self, evidence: Evidence, identity: Identity, pop_id: str) -> str | None:
        """Where another event has this id; empty: it is the same one; None: nowhere."""
        key = bytes.fromhex(pop_id.replace("-", ""))
        # With its number: two plays may be equal in all else.
        digest = blake2b(f"{identity.boot}/{identity.seq}/".encode(), digest_size=8)
        digest.update((evidence.key or b"") + b"\0" + (evidence.value or b""))
        done = self._database.execute("INSERT OR IGNORE INTO ids VALUES (?, ?, ?)",
                                      (key, digest.digest(), evidence.place))  # fmt: skip
        if done.rowcount:
            return None
        before, place = self._database.execute(
            "SELECT digest, place FROM ids WHERE id = ?", (key,)
        ).fetchone()
        return "" if before == digest.digest() else str(place)

    def broken_numbers(self) -> Iterator[tuple[r.Rule, str, str, int]]:
        """Numbers used twice or missing: rule, place, reason, and how many they are."""
        try:
            self._database.execute("CREATE INDEX lost_by_screen ON lost(screen, first)")
            rows = self._database.execute(
                "SELECT screen, boot, seq, place FROM numbers ORDER BY screen, boot, seq"
            )
            last: tuple[str, str, int] | None = None
            for screen, boot, seq, place in rows:
                before = last[2] if last is not None and last[:2] == (screen, boot) else None
                last = (screen, boot, seq)
                if before == seq:
                    yield r.POP_SEQ_REUSE, place, f"{seq} of screen {screen} was used before", 1
                elif before is not None and seq > before + 1:
                    yield from self._gap(screen, place, before + 1, seq - 1)
        except sqlite3.OperationalError as error:
            raise _no_room(error) from error

    def _gap(
        self, screen: str, place: str, first: int, last: int
    ) -> Iterator[tuple[r.Rule, str, str, int]]:
        declared = self._database.execute(
            "SELECT first, last FROM lost WHERE screen = ? AND first <= ? AND last >= ? "
            "ORDER BY first",
            (screen, last, first),
        )
        missing, at = 0, first
        for begin, end in declared:
            missing += max(begin - at, 0)
            at = max(at, end + 1)
        missing += max(last - at + 1, 0)
        if missing:
            which = f"{first}" if first == last else f"{first} to {last}"
            yield (
                r.POP_SEQ_GAP,
                place,
                f"{which} of screen {screen} did not come before it",
                missing,
            )


def _no_room(error: sqlite3.Error) -> WorkFailedError:
    return WorkFailedError(
        f"what was read cannot be kept on the disk meanwhile ({error}); TMPDIR names another place"
    )
