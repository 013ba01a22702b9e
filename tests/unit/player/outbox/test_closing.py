import os

from pop_stream.player import Outbox


def test_an_outbox_that_is_closed_twice_closes_no_file_of_others(tmp_path):
    """A program may close it at its end as well as where a block ends."""
    with Outbox(tmp_path / "pops.outbox", zone="UTC") as outbox:
        outbox.close()
        others = [os.open(os.devnull, os.O_RDONLY) for _ in range(20)]

    for each in others:
        os.close(each)
