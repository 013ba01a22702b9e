"""`player send` and `player import` when Kafka goes away in the middle."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pop_stream.errors import KafkaUnreachableError, PopStreamError
from pop_stream.player.sending import confirming
from pop_stream.player.sending.lot import Answer, Fate, Refused
from pop_stream.player.sending.record import Record
from pop_stream.settings import Settings
from tests.support.command import run_command
from tests.support.kafka import fresh_settings
from tests.support.outbox_files import recorded

NOWHERE = fresh_settings("127.0.0.1:1")
EVENT = {
    "filename": "spot.webm", "assetId": "5942", "startTimestamp": "2026-11-20 10:00:00",
    "endTimestamp": "2026-11-20 10:00:15", "siteId": "1202", "screenId": "3",
}  # fmt: skip


class GoingBroker:
    """Confirms the first lot but for one record that it refuses, and is gone in the next."""

    def __init__(self, settings: Settings) -> None:
        del settings
        self.lots = 0
        self.trouble: PopStreamError | None = None

    async def send(self, records: Sequence[Record]) -> list[Answer]:
        """Answer."""
        self.lots += 1
        if self.lots == 1:
            return [Refused("too large"), *[Fate.CONFIRMED] * (len(records) - 1)]
        self.trouble = KafkaUnreachableError("it is gone")
        return [Fate.CONFIRMED, *[Fate.UNKNOWN] * (len(records) - 1)]

    async def disconnect(self) -> None:
        """Nothing is connected."""


@pytest.fixture(autouse=True)
def _going(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirming, "Broker", GoingBroker)


def test_what_was_confirmed_before_is_told(tmp_path: Path) -> None:
    """Each id that is printed is safe, and no other is printed: exit code 3."""
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(json.dumps(EVENT) for _ in range(1200)))
    done = run_command(NOWHERE, "player", "send", "--from", file)

    assert done.returncode == 3
    assert len(done.stdout.split()) == 500
    assert "it is gone" in done.stderr


def test_an_import_says_how_far_it_came(tmp_path: Path) -> None:
    """And that the same command goes on."""
    path, key = tmp_path / "pops.outbox", tmp_path / "pops.key"
    key.write_text("0123456789abcdef")
    key.chmod(0o600)
    recorded(path, 600)
    to = tmp_path / "carried.pops"
    run_command(NOWHERE, "player", "export", "--outbox", path, "--to", to, "--key-file", key)
    done = run_command(NOWHERE, "player", "import", to, "--key-file", key)

    assert (done.returncode, done.stdout) == (3, "")
    assert "500 of 600 are confirmed. The same command sends all of them" in done.stderr


def test_lots_go_in_their_order() -> None:
    """What is not tried in vain is not tried at all."""
    records = [Record(b"k", b"%d" % n, []) for n in range(1200)]
    safe: list[Record] = []

    def take(some: Sequence[Record]) -> None:
        safe.extend(some)

    with pytest.raises(KafkaUnreachableError):
        send(records, take)

    assert safe == [*records[1:500], records[500]]


def send(records: Sequence[Record], take: Callable[[Sequence[Record]], None]) -> None:
    """Send them."""
    asyncio.run(confirming.send_confirmed(NOWHERE, records, confirmed=take))
