"""Mends an outbox while nobody records into it, as a player would that meets the damage."""

import secrets
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from pop_stream.errors import WorkFailedError
from pop_stream.player.outbox import opening
from pop_stream.player.outbox.locks import recording_lock
from pop_stream.player.outbox.marks import Marks, read_marks
from pop_stream.player.outbox.settled import Spans, settled
from pop_stream.player.outbox.verifying import Finding, findings


def repair(path: Path, found: Sequence[Finding]) -> None:
    """Mend what was found: sound rows go into a new file, and what is missing is declared lost.

    Raises OutboxBusyError while a process records, and WorkFailedError when the disk takes nothing.
    """
    why = "; ".join(each.text for each in found[:3])
    try:
        lock = recording_lock(path)
        try:
            lock.take("records plays")
            _mend(path, why)
        finally:
            lock.close()
    except (OSError, sqlite3.Error) as error:
        raise WorkFailedError(f"{path} cannot be mended: {error}") from error


def _mend(path: Path, why: str) -> None:
    marks, boot = read_marks(path), secrets.token_bytes(16)
    opened = opening.open_outbox(path, marks, boot)
    try:
        if any(each.is_bad for each in findings(path)):
            # What is seen only by who looks at every row.
            known = Marks(highest=dict(opened.numbers), settled=_settled(opened.file.connection))
            opening.mend(opened.file, marks.united(known), boot, why)
    finally:
        opened.file.close()


def _settled(connection: sqlite3.Connection) -> Spans:
    try:
        return settled(connection)
    except sqlite3.Error:
        return {}
