from contextlib import closing

import pytest

from pop_stream.player import Outbox
from pop_stream.player.outbox.room import is_smaller, used_bytes
from pop_stream.player.outbox.schema import connect

EVENT = {"filename": "a.webm", "assetId": "a", "siteId": "7", "screenId": "1"}


@pytest.mark.parametrize("is_closed", [True, False])
def test_an_outbox_is_never_larger_than_its_files_say(tmp_path, is_closed):
    """Wherever SQLite has put it, in the file or in its log: so the sizes are asked first."""
    path = tmp_path / "pops.outbox"
    outbox = Outbox(path, zone="UTC", wait_seconds=30)
    for _ in range(50):
        with outbox.play(EVENT | {"note": "x" * 3000}):
            pass
    if is_closed:
        outbox.close()
    with closing(connect(path)) as connection:
        used = used_bytes(connection)

    assert used > 50 * 3000
    assert not is_smaller(path, used - 1)
    assert is_smaller(path, 10 * used)
    outbox.close()


def test_a_file_that_is_gone_takes_nothing(tmp_path):
    """Who writes to it will see that it is gone."""
    assert is_smaller(tmp_path / "pops.outbox", 0)
