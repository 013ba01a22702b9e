"""Rows are looked at again while another process sends them."""

import sqlite3
from pathlib import Path

from pop_stream.player import Outbox
from pop_stream.player.outbox.patrol import look
from pop_stream.player.outbox.room import moved
from pop_stream.player.outbox.row import State

EVENT = {"filename": "a.webm", "assetId": "1", "siteId": "1202", "screenId": "3"}
_TAKE = f"UPDATE plays SET {moved(State.READY, State.LEASED)} WHERE id = 1"  # noqa: S608


def test_a_play_that_is_taken_meanwhile_is_not_damaged(tmp_path: Path) -> None:
    """All that a look compares is of one moment, whatever others write in between."""
    path = tmp_path / "pops.outbox"
    with Outbox(path, zone="UTC") as outbox:
        for _ in range(3):
            outbox.start(EVENT).end()
    looking, sending = (sqlite3.connect(path, isolation_level=None) for _ in range(2))
    taken: list[str] = []

    def take(statement: str) -> None:
        if "INDEXED BY" in statement and not taken:
            taken.append(statement)
            sending.execute(_TAKE)

    looking.set_trace_callback(take)
    looked = look(looking, 0, 100)

    assert taken
    assert (looked.rows, looked.damaged) == (3, 0)
    looking.close()
    sending.close()
