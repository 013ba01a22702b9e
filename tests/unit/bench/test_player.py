import pytest

from bench.player.figures import DISK, as_json, as_markdown
from bench.player.measures import megabytes, open_ms, percentile, play_ms, plays_per_second
from bench.player.stores import SYSTEMS, require_durable
from pop_stream.player import Outbox

FACTS = {"rounds": 2, "backlog": 10, "versions": {"python": "3.11"}, "machine": {"cores": 2}}
each_system = pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)


@each_system
def test_every_system_does_what_is_measured_of_it(system, tmp_path):
    """A few plays one by one, by many threads, and from a backlog."""
    assert len(play_ms(system, tmp_path / "a", 3)) == 3
    assert plays_per_second(system, tmp_path / "b", 0.5) > 0
    system.fill(tmp_path / "c", 50)
    assert open_ms(system, tmp_path / "c") > 0
    # What the outbox keeps free for bad times is among it: 4.6 MB.
    assert 0 < megabytes(system, tmp_path / "d", 3) < 6


@each_system
def test_who_does_not_sync_is_not_compared(system, tmp_path):
    """A power cut may take back what it says is written."""
    store = system.open(tmp_path / "a")
    require_durable(store)
    store.connections()[0].execute("PRAGMA synchronous = NORMAL")

    with pytest.raises(RuntimeError, match="not comparable"):
        require_durable(store)
    store.close()


def test_a_filled_outbox_is_one(tmp_path):
    """Its next numbers follow those that are in it."""
    SYSTEMS[0].fill(tmp_path / "a", 25)
    with Outbox(tmp_path / "a", zone="UTC", wait_seconds=30) as outbox:
        for screen in ("1", "2"):
            outbox.start({"filename": "a", "assetId": "a", "siteId": "1202", "screenId": screen})
        found = outbox._recording._disk._file.connection.execute(
            "SELECT key, seq FROM plays ORDER BY id DESC LIMIT 2"
        ).fetchall()

    assert found == [("1202/2", 3), ("1202/1", 4)]


def test_what_was_asked_for_and_not_reached_is_bold():
    """Of ours only: nobody asked the others for anything."""
    values = {("play_p99", each.name): [20.0, 22.0] for each in SYSTEMS}
    values["sync_p50", DISK] = [1.0, 3.0]
    table = as_markdown(values, FACTS)
    told = as_json(values, FACTS)["figures"]

    assert "| **21.00** [20.00 to 22.00] | 21.00 [20.00 to 22.00] |" in table
    assert "p50 2.00 [1.00 to 3.00] ms" in table
    assert [each["met"] for each in told] == [False, None, None, None]


def test_percentiles_are_of_what_was_measured():
    """Not beyond it."""
    assert percentile([float(n) for n in range(1, 102)], 99) == 100
