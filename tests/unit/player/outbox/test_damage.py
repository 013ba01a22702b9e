"""A failing disk: whatever it does to the files, each play is there or declared lost."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from pop_stream.errors import UsageError
from pop_stream.player.outbox.row import State
from tests.support.outbox import (
    Account,
    account_of,
    copy_of,
    event_of,
    log_of,
    mended_account,
    numbers_of_plays,
    outbox_at,
    record,
    set_state,
)

PLAYS = 14
PRODUCED = numbers_of_plays(PLAYS)
#: The tests try each place that is so far from the next, beginning anywhere.
SECTOR = 512


@dataclass(frozen=True)
class Recorded:
    """An outbox that was closed, and one whose player died: its log is still there."""

    closed: Path
    died: Path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Fourteen plays of two screens; the sixth is still shown when the player dies."""
    folder = tmp_path_factory.mktemp("recorded")
    outbox = outbox_at(folder / "live" / "pops")
    record(outbox, PLAYS, open_one=5)
    died = copy_of(folder / "live" / "pops", folder / "died")
    outbox.close()
    return Recorded(copy_of(folder / "live" / "pops", folder / "closed"), died)


def flipped(content: bytes, at: int) -> bytes:
    """One bit is another."""
    changed = bytearray(content)
    changed[at] ^= 1 << (at % 8)
    return bytes(changed)


def zeroed(content: bytes, at: int) -> bytes:
    """A sector's worth is lost."""
    return content[:at] + bytes(len(content[at : at + SECTOR])) + content[at + SECTOR :]


def cut(content: bytes, at: int) -> bytes:
    """The end is missing."""
    return content[:at]


Damage = Callable[[bytes, int], bytes]


def damaged(outbox: Path, folder: Path, damage: Damage, name: str, step: int) -> Iterator[Path]:
    """Copies of an outbox, each damaged at another place of one of its files."""
    content = (outbox.parent / name).read_bytes()
    places = range(Random(step).randrange(step), len(content), step)
    # Most of the marks is empty; there the places are as good as one.
    for at in [at for at in places if any(content[at : at + step])] + [len(content) - 1]:
        copy = copy_of(outbox, folder / "tried")
        (copy.parent / name).write_bytes(damage(content, at))
        yield copy


@pytest.mark.parametrize(("damage", "step"), [(flipped, 89), (zeroed, 131), (cut, 211)])
def test_damage_anywhere_in_the_file_loses_no_play_without_a_word(
    recorded: Recorded, tmp_path: Path, damage: Damage, step: int
) -> None:
    """What cannot be read any more is declared; what can be read is there, and is sound."""
    for outbox in damaged(recorded.closed, tmp_path, damage, "pops", step):
        account = mended_account(outbox)

        account.require(PRODUCED)
        assert account.stored <= PRODUCED
        assert not account.stored & account.lost


@pytest.mark.parametrize(("damage", "step"), [(flipped, 4099), (zeroed, 4099), (cut, 6007)])
def test_damage_anywhere_in_the_log_loses_no_play_without_a_word(
    recorded: Recorded, tmp_path: Path, damage: Damage, step: int
) -> None:
    """SQLite passes over what stands behind a damaged place of its log; an outbox does not."""
    for outbox in damaged(recorded.died, tmp_path, damage, "pops-wal", step):
        account = mended_account(outbox)

        account.require(PRODUCED)
        assert account.stored <= PRODUCED
        assert not account.stored & account.lost


@pytest.mark.parametrize(("damage", "step"), [(flipped, 11), (zeroed, 61), (cut, 61)])
def test_damage_anywhere_in_the_marks_harms_nothing(
    recorded: Recorded, tmp_path: Path, damage: Damage, step: int
) -> None:
    """The outbox is the one to believe while it is sound."""
    for outbox in damaged(recorded.closed, tmp_path, damage, "pops.marks", step):
        account = mended_account(outbox)

        assert account.stored == PRODUCED
        assert not account.lost


def test_single_rows_that_are_still_sound_are_kept_from_a_damaged_page(
    recorded: Recorded, tmp_path: Path
) -> None:
    """A page whose own directory says that it is empty is searched all the same.

    SQLite has nothing to say of such a page: the index tells of the plays.
    """
    outbox = copy_of(recorded.closed, tmp_path / "outbox")
    content = bytearray(outbox.read_bytes())
    root = 4096 * (_root_of(outbox, "plays") - 1)
    content[root + 3 : root + 5] = b"\0\0"
    outbox.write_bytes(content)

    account = mended_account(outbox)

    assert account.stored == PRODUCED
    assert not account.lost


def _root_of(outbox: Path, table: str) -> int:
    connection = sqlite3.connect(outbox)
    try:
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        return int(connection.execute(query, (table,)).fetchone()[0])
    finally:
        connection.close()


@pytest.mark.parametrize(
    "gone", [["pops"], ["pops", "pops-wal"], ["pops", "pops-wal", "pops.marks"], ["pops-wal"]]
)
def test_missing_files_are_told_of_by_the_others(
    recorded: Recorded, tmp_path: Path, gone: list[str]
) -> None:
    """A file that is not there any more is a damage as any other; with the marks, none is."""
    outbox = copy_of(recorded.died, tmp_path / "outbox")
    for name in gone:
        (outbox.parent / name).unlink()

    account = mended_account(outbox)

    if "pops.marks" not in gone:
        account.require(PRODUCED)
        assert not account.stored & account.lost


@pytest.mark.parametrize("name", ["pops", "pops-wal", "pops.marks"])
def test_a_file_that_is_empty_is_like_one_that_is_missing(
    recorded: Recorded, tmp_path: Path, name: str
) -> None:
    """That is what a file system leaves of a file that was not synced."""
    outbox = copy_of(recorded.died, tmp_path / "outbox")
    (outbox.parent / name).write_bytes(b"")

    mended_account(outbox).require(PRODUCED)


def test_the_recorder_goes_on_with_numbers_that_nobody_had(
    recorded: Recorded, tmp_path: Path
) -> None:
    """And the next play of each screen tells what is lost of it."""
    outbox = copy_of(recorded.closed, tmp_path / "outbox")
    outbox.write_bytes(cut(outbox.read_bytes(), 8192))
    before = mended_account(outbox)
    assert before.lost

    recording = outbox_at(outbox)
    record(recording, 4)
    recording.close()

    after = account_of(outbox)
    after.require(PRODUCED | {("1/0", 8), ("1/0", 9), ("1/1", 8), ("1/1", 9)})
    assert after.told == before.waiting
    assert not after.waiting


def test_the_old_file_is_set_aside_as_it_was(recorded: Recorded, tmp_path: Path) -> None:
    """Whoever knows more of the disk than this program may look at it."""
    outbox = copy_of(recorded.died, tmp_path / "outbox")
    log_of(outbox).write_bytes(zeroed(log_of(outbox).read_bytes(), 4096))
    broken = [outbox.read_bytes(), log_of(outbox).read_bytes()]

    mended_account(outbox)

    aside = sorted(outbox.parent.glob("pops.damaged-*"))
    assert [each.read_bytes() for each in aside] == broken


def test_a_mended_outbox_is_synced_like_any_other(recorded: Recorded, tmp_path: Path) -> None:
    """The new file has a write-ahead log, as the old one had."""
    outbox = copy_of(recorded.closed, tmp_path / "outbox")
    outbox.write_bytes(zeroed(outbox.read_bytes(), 4096))
    mended_account(outbox)

    connection = sqlite3.connect(outbox)
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    connection.close()

    assert mode == "wal"


def test_a_database_of_another_program_is_refused_untouched(tmp_path: Path) -> None:
    """A wrong path must not become an outbox."""
    other = tmp_path / "music.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE songs(name TEXT)")
    connection.commit()
    connection.close()
    before = other.read_bytes()

    with pytest.raises(UsageError, match="is no outbox"):
        outbox_at(other)

    assert other.read_bytes() == before


def test_a_text_file_is_refused_untouched(tmp_path: Path) -> None:
    """As a database of another program is."""
    other = tmp_path / "notes.txt"
    other.write_text("Buy milk. " * 1000)

    with pytest.raises(UsageError, match="is no outbox"):
        outbox_at(other)

    assert other.read_text() == "Buy milk. " * 1000


def test_an_outbox_of_a_newer_form_is_refused_untouched(recorded: Recorded, tmp_path: Path) -> None:
    """An older program, installed again, must not take its columns for damage."""
    outbox = copy_of(recorded.closed, tmp_path / "outbox")
    connection = sqlite3.connect(outbox)
    connection.execute("ALTER TABLE plays ADD COLUMN brightness INTEGER")
    connection.execute("PRAGMA user_version = 2")
    connection.commit()
    connection.close()
    before = outbox.read_bytes()

    with pytest.raises(UsageError, match="newer pop-stream"):
        outbox_at(outbox)

    assert outbox.read_bytes() == before


def test_a_number_of_a_screen_that_the_disk_has_changed_is_not_believed(tmp_path: Path) -> None:
    """Else numbers were given twice, or many declared lost that never were."""
    for wrong in (3, 1 << 40):
        outbox = tmp_path / str(wrong) / "pops"
        recording = outbox_at(outbox)
        record(recording, PLAYS)
        recording.close()
        _execute(outbox, "UPDATE screens SET seq = ?", wrong)

        account = mended_account(outbox)

        assert account.numbers == {"1/0": 7, "1/1": 7}
        assert account.stored == PRODUCED
        assert not account.lost


def test_an_open_play_that_the_disk_has_changed_gets_no_new_seal(tmp_path: Path) -> None:
    """What GSTV bills by must be what was written, or be declared lost."""
    outbox = tmp_path / "outbox" / "pops"
    recording = outbox_at(outbox)
    recording.start(event_of("0"))
    copy = copy_of(outbox, tmp_path / "copy")
    _execute(copy, "UPDATE plays SET body = replace(body, 'spot', 'spat')")

    account = mended_account(copy)

    account.require({("1/0", 1)})
    assert not [row for row in account.rows if b"spat" in row.body]
    recording.close()


def test_a_row_that_says_wrongly_that_it_was_sent_is_not_pruned(tmp_path: Path) -> None:
    """Only a sound row may be taken out."""
    outbox = tmp_path / "pops"
    recording = outbox_at(outbox)
    record(recording, 4)
    recording.close()
    _execute(outbox, "UPDATE plays SET state = 3 WHERE id = 2")

    account = mended_account(outbox)

    account.require(numbers_of_plays(4))


def test_plays_that_were_delivered_and_pruned_are_not_taken_for_lost(tmp_path: Path) -> None:
    """A terminal prunes for years; one flipped bit must not declare all of that lost."""
    outbox = tmp_path / "pops"
    recording = outbox_at(outbox)
    record(recording, PLAYS)
    recording.close()
    set_state(outbox, State.ACKED, range(1, 9), acked=1)
    _prune(outbox, 6)
    recording = outbox_at(outbox)
    recording.close()
    before = account_of(outbox)
    # Also what the free pages still hold is gone.
    _execute(outbox, "VACUUM")
    outbox.write_bytes(_without_facts(outbox))

    account = mended_account(outbox)

    assert account.stored == before.stored == PRODUCED - numbers_of_plays(6)
    assert not account.lost


def _prune(outbox: Path, most: int) -> None:
    from pop_stream.player.outbox.room import prune  # noqa: PLC0415

    connection = sqlite3.connect(outbox)
    prune(connection, most)
    connection.commit()
    connection.close()


def _without_facts(outbox: Path) -> bytes:
    begin = 4096 * (_root_of(outbox, "facts") - 1)
    return zeroed(outbox.read_bytes(), begin)


def _execute(outbox: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(outbox)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def test_a_loss_that_waits_to_be_told_outlives_a_salvage(tmp_path: Path) -> None:
    """With its own reason, and once."""
    outbox = tmp_path / "pops"
    recording = outbox_at(outbox)
    record(recording, 4)
    recording.close()
    outbox.write_bytes(cut(outbox.read_bytes(), 8192))
    before = mended_account(outbox)
    assert before.waiting == numbers_of_plays(4)

    recording = outbox_at(outbox)
    recording.start(event_of("1")).end()
    recording.close()
    outbox.write_bytes(_without_facts(outbox))
    after = mended_account(outbox)

    assert after.waiting == {("1/0", 1), ("1/0", 2)}
    assert after.told == {("1/1", 1), ("1/1", 2)}


def test_a_row_whose_id_the_disk_has_turned_into_another_is_found(tmp_path: Path) -> None:
    """Also when that is 0, or less: nobody looked there once."""
    for wrong in (0, -5):
        outbox = tmp_path / str(wrong) / "pops"
        recording = outbox_at(outbox)
        record(recording, 4)
        recording.close()
        _execute(outbox, "UPDATE plays SET id = ?, body = 'x' WHERE id = 1", wrong)

        account = mended_account(outbox)

        account.require(numbers_of_plays(4))
        assert account.lost == {("1/0", 1)} or not account.lost


def test_a_file_that_is_damaged_while_it_is_used_is_mended(tmp_path: Path) -> None:
    """The recorder goes on: what is shown then and later is there."""
    outbox = tmp_path / "pops"
    recording = outbox_at(outbox)
    record(recording, PLAYS)
    shown = recording.start(event_of("0"))
    with outbox.open("r+b") as file:
        file.write(bytes(3 * 4096))
    with log_of(outbox).open("r+b") as file:
        file.seek(5000)
        file.write(bytes(SECTOR))
    shown.end()
    record(recording, 2)
    recording.close()

    account = mended_account(outbox)

    account.require(PRODUCED | {("1/0", 8), ("1/0", 9), ("1/1", 8)})
    assert account.row("1/0", 8).state is State.READY


@pytest.mark.parametrize("name", ["pops", "pops-wal"])
def test_a_file_that_is_deleted_while_it_is_used_is_made_anew(tmp_path: Path, name: str) -> None:
    """All that it held is declared lost, and all that comes is kept."""
    outbox = tmp_path / "pops"
    recording = outbox_at(outbox)
    record(recording, PLAYS)
    (tmp_path / name).unlink()
    record(recording, 2)
    recording.close()

    mended_account(outbox).require(PRODUCED | {("1/0", 8), ("1/1", 8)})


def test_no_number_that_waits_for_the_disk_is_declared_lost_by_a_salvage(tmp_path: Path) -> None:
    """The play that finds the damage has its number already, and is written after all."""
    outbox = tmp_path / "pops"
    recording = outbox_at(outbox)
    record(recording, 4)
    outbox.unlink()
    log_of(outbox).unlink()
    record(recording, 2)
    recording.close()

    account: Account = account_of(outbox)

    assert account.stored == {("1/0", 3), ("1/1", 3)}
    assert account.lost == numbers_of_plays(4)
