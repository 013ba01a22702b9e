"""examples/player.py, as it stands in docs/players.md."""

import asyncio
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from pop_stream.cli.player import COMMANDS
from pop_stream.player.outbox.row import COLUMNS, State, sound_row
from pop_stream.player.outbox.schema import connect
from pop_stream.settings import SETTINGS
from tests.support.kafka import read_all

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "player.py"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


def play(outbox: Path, rounds: int) -> None:
    """Run the example to its end."""
    subprocess.run(
        [sys.executable, EXAMPLE, outbox, str(rounds)], env=ENVIRONMENT, check=True, timeout=60
    )


def test_the_example_is_short() -> None:
    """A whole player in 30 lines, as promised."""
    assert len(EXAMPLE.read_text().splitlines()) <= 30


def test_the_example_leaves_its_plays_in_the_outbox(tmp_path: Path) -> None:
    """Three rounds of two spots, each over, sound, and numbered."""
    play(tmp_path / "pops.outbox", 3)
    with closing(connect(tmp_path / "pops.outbox")) as connection:
        found = connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM plays ORDER BY id"  # noqa: S608 - our own names
        )
        rows = [sound_row(values) for values in found]

    assert [(row.state, row.seq) for row in rows if row] == [(State.READY, n) for n in range(1, 7)]
    assert all(row and (row.lasted or 0) >= 50 for row in rows)


@pytest.mark.skipif("drain" not in COMMANDS, reason="nothing sends yet")
def test_what_the_example_played_is_on_the_topic(tmp_path: Path, topics) -> None:
    """By the service that sends, with the headers that the page lists."""
    play(tmp_path / "pops.outbox", 2)
    settings = {
        SETTINGS[name].variable: getattr(topics, name)
        for name in ("kafka_bootstrap_servers", "events_topic")
    }
    subprocess.run(
        [sys.executable, "-m", "pop_stream", "player", "drain", "--outbox",
         tmp_path / "pops.outbox"],
        env=ENVIRONMENT | settings, check=True, timeout=100,
    )  # fmt: skip
    records = asyncio.run(read_all(topics.kafka_bootstrap_servers, topics.events_topic))
    page = (ROOT / "docs" / "players.md").read_text()

    assert [orjson.loads(each.value or b"")["filename"] for each in records] == [
        "Cold_Brew.webm", "WEATHER.webm", "Cold_Brew.webm", "WEATHER.webm",
    ]  # fmt: skip
    for record in records:
        assert {name for name, _ in record.headers} == {
            "pop-id", "pop-seq", "pop-boot", "pop-start-utc", "pop-end-utc", "pop-tz",
            "pop-utcoffset", "pop-clock", "pop-mono-ms",
        }  # fmt: skip
        assert all(f"`{name}`" in page for name, _ in record.headers)


def test_the_page_shows_the_outbox_as_it_is_used(tmp_path: Path) -> None:
    """The block in section 2 runs, but for its path and for `show`."""
    page = (ROOT / "docs" / "players.md").read_text()
    block = page.partition("```python\n")[2].partition("```")[0]
    code = block.replace("/var/lib/player/pops.outbox", str(tmp_path / "pops.outbox"))
    subprocess.run(
        [sys.executable, "-c", f"show = print\n{code}\noutbox.close()"],
        env=ENVIRONMENT, check=True, timeout=60,
    )  # fmt: skip
    with closing(connect(tmp_path / "pops.outbox")) as connection:
        (number,) = connection.execute("SELECT count(*) FROM plays").fetchone()

    assert number == 1
