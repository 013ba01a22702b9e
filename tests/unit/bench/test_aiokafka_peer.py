from bench.peers.aiokafka_aiohttp import Progress


def started(*offsets):
    """The progress of a partition some of whose events are under way."""
    progress = Progress()
    for offset in offsets:
        progress.start(offset)
    return progress


def test_nothing_is_committed_past_an_event_that_is_under_way():
    """What is done beyond it waits: the peer is as safe as the documentation asks."""
    progress = started(7, 8, 9)
    del progress.under_way[8]
    del progress.under_way[9]

    assert progress.committable() == 7


def test_all_is_committed_once_all_is_done():
    """The committed offset is that of the next event to read."""
    progress = started(7, 9)
    progress.under_way.clear()

    assert progress.committable() == 10
