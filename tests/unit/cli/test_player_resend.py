"""`player resend`: plays that are done with wait again, when somebody says which."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from pop_stream.player.outbox.row import State
from tests.support.command import run_command
from tests.support.filled_outbox import damage, fill, row, states
from tests.support.kafka import fresh_settings

NOWHERE = fresh_settings("127.0.0.1:1")


def resend(path: Path, *arguments: str) -> "CompletedProcess[str]":
    """Run the command."""
    return run_command(NOWHERE, "player", "resend", "--outbox", path, *arguments)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An outbox of four confirmed plays of two screens."""
    confirmed = (row(n, screens=2, state=State.ACKED, acked=n) for n in range(1, 5))
    return fill(tmp_path / "pops.outbox", confirmed)


def test_it_says_how_many_wait_again_and_who_sends_them(path: Path) -> None:
    """A dry run says it before."""
    assert resend(path, "--screen", "7/2", "--dry-run").stdout == "2 plays would wait again\n"
    assert states(path) == {State.ACKED: 4}

    done = resend(path, "--screen", "7/2")

    assert done.stdout == "2 plays wait again: `pop-stream player drain` sends them\n"
    assert done.returncode == 0
    assert states(path) == {State.ACKED: 2, State.READY: 2}


def test_when_none_is_meant_it_says_so(path: Path) -> None:
    """With an exit code that a script hears."""
    done = resend(path, "--day", "2020-01-01")

    assert (done.returncode, done.stdout) == (
        1,
        "none of the plays that are still kept is meant; `pop-stream player status` counts them\n",
    )


def test_a_program_is_told_of_rows_that_cannot_be_read(path: Path) -> None:
    """They stay as they are."""
    damage(path, 2)

    done = resend(path, "--all", "--json")

    assert json.loads(done.stdout) == {
        "outbox": str(path), "plays": 3, "dryRun": False, "damagedRows": 1,
    }  # fmt: skip
    assert done.returncode == 1
    assert "`pop-stream player verify` names them" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say which plays"),
        (("--all", "--aside"), "say which plays"),
        (("--aside", "--stored-from", "2h"), "Kafka never stored what was set aside"),
        (("--id", "7"), "not the form of a pop-id"),
        (("--day", "yesterday"), "is no time"),
    ],
)
def test_what_cannot_be_meant_is_refused(path: Path, arguments: tuple[str, ...], said: str) -> None:
    """Before anything is changed."""
    done = resend(path, *arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert states(path) == {State.ACKED: 4}
