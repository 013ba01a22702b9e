"""Who else on the machine can read an outbox: nobody, unless somebody lets them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pop_stream.player import Outbox
from pop_stream.player.outbox import opening
from pop_stream.player.outbox.locks import sending_lock
from pop_stream.player.outbox.marks import Marks
from tests.support.outbox_files import EVENT, recorded, rows_of


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """That of most machines: others may read what is made."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an outbox may be."""
    return tmp_path / "pops.outbox"


def modes_in(folder: Path) -> dict[str, int]:
    """The modes of all files in a folder."""
    return {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}


def test_an_outbox_and_what_stands_beside_it_are_its_owners_alone(path: Path) -> None:
    """The file, SQLite's log and index, the marks, the reserve and the locks."""
    with Outbox(path, zone="UTC") as outbox:
        outbox.start(EVENT).end()
        sending_lock(path).close()
        modes = modes_in(path.parent)

    beside = ("", "-wal", "-shm", ".marks", ".reserve", ".recording", ".sending", ".turn")
    assert modes == {f"pops.outbox{end}": 0o600 for end in beside}


def test_an_outbox_that_is_there_keeps_its_mode_and_others_of_it_get_that(path: Path) -> None:
    """A player and its sender may be two users of one group: neither is shut out by an upgrade."""
    recorded(path, 1)
    for each in path.parent.iterdir():
        each.chmod(0o644)
    path.with_name("pops.outbox.marks").unlink()
    with Outbox(path, zone="UTC") as outbox:
        outbox.start(EVENT).end()
        modes = modes_in(path.parent)

    assert set(modes.values()) == {0o644}
    assert modes["pops.outbox-wal"] == modes["pops.outbox.marks"] == 0o644


@pytest.mark.parametrize("mode", [0o600, 0o660])
def test_an_outbox_that_was_mended_has_the_mode_of_the_one_before(path: Path, mode: int) -> None:
    """Also what was set aside is as it was: whoever may read either may read the other."""
    recorded(path, 3)
    path.chmod(mode)
    content = bytearray(path.read_bytes())
    content[:16] = bytes(16)
    path.write_bytes(content)
    opening.open_outbox(path, Marks(), bytes(16)).file.close()

    modes = modes_in(path.parent)
    (aside,) = [name for name in modes if ".damaged-" in name]
    assert len(rows_of(path)) == 3
    assert modes["pops.outbox"] == modes[aside] == mode
