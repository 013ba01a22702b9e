"""`player send` into an outbox, and what it refuses."""

import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from pop_stream.cli import player_send
from pop_stream.player import Limits, Outbox, keeping
from pop_stream.player.outbox.row import Row, State
from pop_stream.player.sending.record import record_of
from tests.support.command import run_command
from tests.support.kafka import fresh_settings
from tests.support.outbox_files import change, recorded, rows_of

NOWHERE = fresh_settings("127.0.0.1:1")
FLAGS = {
    "--filename": "spot.webm", "--asset-id": "5942", "--site": "1202", "--screen": "3",
    "--start": "2026-11-20 10:00:00", "--end": "2026-11-20 10:00:15",
}  # fmt: skip
EVENT = {
    "filename": "spot.webm", "assetId": "5942", "startTimestamp": "2026-11-20 10:00:00",
    "endTimestamp": "2026-11-20 10:00:15", "siteId": "1202", "screenId": "3",
}  # fmt: skip


def send(
    *arguments: str | Path, stdin: str | None = None, **changed: str | None
) -> "CompletedProcess[str]":
    """Run the command with the flags of a sound play, but for those that are changed."""
    flags = FLAGS | {f"--{name.replace('_', '-')}": text for name, text in changed.items()}
    given = [each for name, text in flags.items() if text is not None for each in (name, text)]
    return run_command(NOWHERE, "player", "send", *given, *arguments, stdin=stdin)


def send_from(
    source: str | Path, *arguments: str | Path, stdin: str | None = None
) -> "CompletedProcess[str]":
    """Run the command with a file of events."""
    return run_command(NOWHERE, "player", "send", "--from", source, *arguments, stdin=stdin)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an outbox may be."""
    return tmp_path / "pops.outbox"


def test_a_play_waits_in_the_outbox_with_its_id_and_its_times(path: Path) -> None:
    """The id is printed once it is on the disk; times are those of the site's zone."""
    done = send("--outbox", path, "--zone", "America/Chicago", io_number="124",
                screen_state="Partial")  # fmt: skip
    (row,) = rows_of(path)
    record = record_of(row)
    headers = dict(record.headers)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == headers["pop-id"].decode() + "\n"
    assert (row.state, row.is_sound, row.key, row.seq) == (State.READY, True, "1202/3", 1)
    assert json.loads(row.body) == EVENT | {"ioNumber": "124", "screenState": "Partial"}
    assert (headers["pop-start-utc"], headers["pop-end-utc"]) == (
        b"2026-11-20T16:00:00.000Z",
        b"2026-11-20T16:00:15.000Z",
    )
    assert (headers["pop-utcoffset"], headers["pop-clock"]) == (b"-06:00", b"unknown")


def test_numbers_go_on_over_calls(path: Path) -> None:
    """Each call is a start of its own, and the screen's numbers are never used twice."""
    told = [json.loads(send("--outbox", path, "--json").stdout) for _ in range(3)]

    assert [each["seq"] for each in told] == [1, 2, 3]
    assert len({each["boot"] for each in told}) == len({each["popId"] for each in told}) == 3
    assert {(each["screen"], each["outbox"]) for each in told} == {("1202/3", str(path))}


def test_events_of_a_file_go_on_byte_for_byte(path: Path, tmp_path: Path) -> None:
    """One a line, empty lines between them, further fields and odd spelling."""
    lines = [json.dumps(EVENT), "", json.dumps(EVENT | {"screenId": "4"}, indent=None),
             '{ "extra" : 1.10,' + json.dumps(EVENT)[1:]]  # fmt: skip
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(lines))
    done = send_from(file, "--outbox", path)

    assert done.returncode == 0
    assert [row.body.decode() for row in rows_of(path)] == [line for line in lines if line]
    assert len(done.stdout.splitlines()) == 3
    assert "line 4: extra-fields" in done.stderr


def test_one_event_over_many_lines_comes_on_stdin(path: Path) -> None:
    """As an editor writes it."""
    whole = json.dumps(EVENT, indent=2)
    done = send_from("-", "--outbox", path, stdin=whole)

    assert done.returncode == 0
    assert [row.body.decode() for row in rows_of(path)] == [whole]


def test_an_end_in_the_repeated_hour_comes_after_the_start(path: Path) -> None:
    """When the clocks go back, 01:59:50 to 01:00:05 are fifteen seconds."""
    send("--outbox", path, "--zone", "America/Chicago",
         start="2026-11-01 01:59:50", end="2026-11-01 01:00:05")  # fmt: skip
    (row,) = rows_of(path)

    assert row.ended is not None
    assert row.ended - row.started == 15_000


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_that_is_missing_is_named_with_its_field(path: Path, flag: str) -> None:
    """Exit code 2; nothing is made."""
    done = send("--outbox", path, **{flag[2:].replace("-", "_"): None})

    assert done.returncode == 2
    assert f"missing: {flag} (" in done.stderr
    assert not path.exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"filename": ""}, "filename must not be empty"),
        ({"site": ""}, "siteId must not be empty"),
        ({"start": "2026-11-20T10:00:00"}, "startTimestamp must be a time like"),
        ({"end": "2026-13-20 10:00:00"}, "endTimestamp must be a time like"),
        ({"asset_id": "x" * 70_000}, "it is too large"),
        ({"screen_state": "full"}, "'full' is not one of"),
    ],
)
def test_a_wrong_field_is_named(path: Path, changed: dict[str, str], said: str) -> None:
    """Exit code 2; nothing is made."""
    done = send("--outbox", path, **changed)

    assert done.returncode == 2
    assert said in done.stderr
    assert not path.exists()


def test_one_wrong_line_keeps_all_from_being_kept(path: Path, tmp_path: Path) -> None:
    """Each is named with its line, so that the whole file can be given again."""
    file = tmp_path / "events.ndjson"
    wrong = [json.dumps(EVENT | {"assetId": 5}), "{", "[]", '{"filename":"\xff"}']
    file.write_text("\n".join([json.dumps(EVENT), *wrong]), "latin-1")
    done = send_from(file, "--outbox", path)

    assert done.returncode == 2
    for said in ("line 2: assetId must be a text", "line 3: it is no JSON",
                 "line 4: it is no JSON object", "line 5: it is not UTF-8"):  # fmt: skip
        assert said in done.stderr
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "no-such-file"], "no-such-file cannot be read"),
        (["--from", "-"], "there is no event in -"),
        (["--from", "-", "--site", "1202"], "give either --from, or --site"),
        (["--zone", "Middle/Earth", "--from", "-"], "no time zone 'Middle/Earth'"),
    ],
)
def test_wrong_use_is_exit_2(path: Path, arguments: list[str], said: str) -> None:
    """One message says what."""
    done = run_command(NOWHERE, "player", "send", "--outbox", path, *arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert not path.exists()


def test_another_programs_database_is_left_alone(path: Path) -> None:
    """Exit code 2."""
    change(path, "CREATE TABLE t(x)")
    before = path.read_bytes()
    done = send("--outbox", path)

    assert done.returncode == 2
    assert "it is a database of another program" in done.stderr
    assert path.read_bytes() == before


def test_a_player_that_records_is_not_disturbed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for a while, and then named: exit code 2."""
    monkeypatch.setattr(keeping, "_PATIENCE_SECONDS", 0.0)
    with Outbox(path, zone="UTC"):
        done = send("--outbox", path)

    assert done.returncode == 2
    assert "records plays already" in done.stderr


def test_a_disk_that_takes_nothing_is_exit_1(tmp_path: Path) -> None:
    """Where the outbox should be made, there is a file."""
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    done = send("--outbox", blocked / "pops.outbox")

    assert (done.returncode, done.stdout) == (1, "")
    assert "takes nothing" in done.stderr


def test_a_play_that_could_not_be_kept_is_not_told_as_kept(path: Path) -> None:
    """Exit code 1, without its id; what was there is there. The limits are those of the player."""
    recorded(path, 1)
    Outbox(path, zone="UTC", limits=Limits(hard=1)).close()
    done = send("--outbox", path)

    assert (done.returncode, done.stdout) == (1, "")
    assert "takes nothing" in done.stderr
    assert len(rows_of(path)) == 1


def test_kafka_that_cannot_be_reached_is_exit_3() -> None:
    """Without an outbox; no id is printed."""
    done = send()

    assert (done.returncode, done.stdout) == (3, "")
    assert "127.0.0.1:1" in done.stderr


def test_ctrl_c_tells_which_plays_must_not_be_given_again(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command once more would count the first twice, and nothing said so."""
    events = tmp_path / "events.ndjson"
    events.write_text("".join(json.dumps(EVENT | {"screenId": str(n)}) + "\n" for n in range(3)))
    kept = player_send.keep

    def interrupted(*arguments: Any, **more: Any) -> Iterator[list[Row]]:
        yield list(next(kept(*arguments, **more)))[:2]
        raise KeyboardInterrupt

    monkeypatch.setattr(player_send, "keep", interrupted)
    done = send_from(events, "--outbox", path)

    assert (done.returncode, done.stdout.count("\n")) == (130, 2)
    assert "2 plays are safe: those whose pop-ids are printed." in done.stderr
    assert "a play that is given twice counts twice" in done.stderr
