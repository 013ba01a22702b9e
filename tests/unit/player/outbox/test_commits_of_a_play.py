"""What a play costs the disk: it wears cards out, and makes others wait."""

from pathlib import Path

from pop_stream.player import Outbox
from tests.support.outbox_files import EVENT

PLAYS = 10


def test_a_play_costs_two_synced_commits(tmp_path: Path) -> None:
    """One at its start and one at its end, and nothing else in between."""
    commits: list[str] = []
    with Outbox(tmp_path / "pops", zone="UTC", wait_seconds=30, heartbeat_seconds=3600) as outbox:
        # The note that the player lives comes behind the first change.
        outbox.start(EVENT).end()
        file = outbox._recording._disk._file
        assert file is not None
        (level,) = file.connection.execute("PRAGMA synchronous").fetchone()
        file.connection.set_trace_callback(
            lambda statement: commits.append(statement) if statement == "COMMIT" else None
        )
        for _ in range(PLAYS):
            outbox.start(EVENT).end()
        file.connection.set_trace_callback(None)

    assert level == 2  # FULL: each commit is synced before it is done
    assert len(commits) == 2 * PLAYS
