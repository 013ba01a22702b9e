"""Plays that go to Kafka by hand: sent at once, or carried in a file."""

import asyncio
import json
import secrets
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from pop_stream.player.outbox.row import State
from pop_stream.player.sending.record import record_of
from pop_stream.settings import Settings
from tests.support.command import run_command
from tests.support.kafka import Records, fresh_settings, read_all
from tests.support.outbox_files import recorded, rows_of, states_of

EVENT = {
    "filename": "spot.webm", "assetId": "5942", "startTimestamp": "2026-11-20 10:00:00",
    "endTimestamp": "2026-11-20 10:00:15", "siteId": "1202", "screenId": "3",
}  # fmt: skip
KEY = "0123456789abcdef0123456789abcdef"


def on_topic(settings: Settings) -> Records:
    """What the players' topic holds."""
    return asyncio.run(read_all(settings.kafka_bootstrap_servers, settings.events_topic))


def ids_of(records: Records) -> list[str]:
    """Their pop-ids, in no order that means anything."""
    return sorted(dict(each.headers)["pop-id"].decode() for each in records)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key file."""
    file = tmp_path / "pops.key"
    file.write_text(KEY)
    file.chmod(0o600)
    return file


def exported(path: Path, key: Path, *arguments: str) -> Path:
    """Export an outbox, and give the file."""
    to = path.with_name("carried.pops")
    done = run_command(fresh_settings("127.0.0.1:1"), "player", "export", "--outbox", path,
                       "--to", to, "--key-file", key, *arguments)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return to


def imported(settings: Settings, file: Path, key: Path, *arguments: str) -> "CompletedProcess[str]":
    """Import a file."""
    return run_command(settings, "player", "import", file, "--key-file", key, *arguments)


def test_an_event_is_confirmed_before_its_id_is_printed(topics: Settings) -> None:
    """It stands where the command says, byte for byte, under the id that it says."""
    body = json.dumps(EVENT | {"note": "\u2603 1.10"})
    done = run_command(topics, "player", "send", "--from", "-", "--json", "--zone", "UTC",
                       stdin=body)  # fmt: skip
    told = json.loads(done.stdout)
    (record,) = on_topic(topics)
    headers = dict(record.headers)

    assert done.returncode == 0, done.stderr
    assert (record.value, record.key) == (body.encode(), b"1202/3")
    assert told["topic"] == record.topic
    assert (headers["pop-id"].decode(), headers["pop-seq"]) == (told["popId"], b"1")
    assert headers["pop-boot"].decode() == told["boot"]
    assert headers["pop-start-utc"] == b"2026-11-20T10:00:00.000Z"


def test_many_events_are_numbered_by_screen(topics: Settings, tmp_path: Path) -> None:
    """More than are sent at once; each id is printed once."""
    file = tmp_path / "events.ndjson"
    lines = [json.dumps(EVENT | {"screenId": str(n % 7)}) for n in range(1300)]
    file.write_text("\n".join(lines))
    done = run_command(topics, "player", "send", "--from", file)
    records = on_topic(topics)

    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == ids_of(records)
    assert sorted(each.value.decode() for each in records if each.value) == sorted(lines)
    numbers = sorted(int(dict(each.headers)["pop-seq"]) for each in records
                     if each.key == b"1202/3")  # fmt: skip
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_missing_topic_is_exit_1(kafka: str) -> None:
    """At once, with what to do."""
    done = run_command(fresh_settings(kafka), "player", "send", "--from", "-",
                       stdin=json.dumps(EVENT))  # fmt: skip

    assert (done.returncode, done.stdout) == (1, "")
    assert "topics ensure" in done.stderr


@pytest.fixture
def narrow(kafka: str) -> Settings:
    """Settings with a topic on which the broker takes no batch of more than 4,000 bytes."""
    settings = fresh_settings(kafka)
    asyncio.run(_create(settings, {"max.message.bytes": "4000"}))
    return settings


async def _create(settings: Settings, configs: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        topic = NewTopic(settings.events_topic, 2, 1, topic_configs=configs)
        await admin.create_topics([topic])
    finally:
        await admin.close()


def test_what_the_broker_refuses_holds_up_no_other(narrow: Settings, tmp_path: Path) -> None:
    """It is named, without an id: exit code 1. A batch is refused as a whole, and told apart."""
    file = tmp_path / "events.ndjson"
    names = [
        *("small.webm" for _ in range(40)),
        secrets.token_hex(8000),
        *("small.webm" for _ in range(40)),
    ]
    file.write_text("\n".join(json.dumps(EVENT | {"filename": name}) for name in names))
    done = run_command(narrow, "player", "send", "--from", file)

    assert done.returncode == 1
    assert "Kafka refused a play of screen 1202/3" in done.stderr
    assert sorted(set(done.stdout.split())) == sorted(done.stdout.split())
    assert len(done.stdout.split()) == 80
    assert set(done.stdout.split()) == set(ids_of(on_topic(narrow)))


def test_what_is_carried_comes_as_it_would_have_come(
    topics: Settings, tmp_path: Path, key: Path
) -> None:
    """Key, headers and body of each; given again, all come again under the same ids."""
    path = tmp_path / "pops.outbox"
    ids = recorded(path, 700, shift="night")
    file = exported(path, key)
    done = imported(topics, file, key, "--json")
    records = on_topic(topics)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["confirmed"] == 700
    assert sorted((each.key, each.value, sorted(each.headers)) for each in records) == sorted(
        (each.key, each.value, sorted(each.headers)) for each in map(record_of, rows_of(path))
    )
    assert imported(topics, file, key).returncode == 0
    assert ids_of(on_topic(topics)) == sorted([*ids, *ids])


def test_what_is_taken_comes_once(topics: Settings, tmp_path: Path, key: Path) -> None:
    """From the file; the outbox has nothing left to send."""
    path = tmp_path / "pops.outbox"
    ids = recorded(path, 5)
    file = exported(path, key, "--take")

    assert states_of(path) == [State.ACKED] * 5
    assert imported(topics, file, key).returncode == 0
    assert ids_of(on_topic(topics)) == sorted(ids)


def test_of_an_altered_file_nothing_is_sent(topics: Settings, tmp_path: Path, key: Path) -> None:
    """Not even what stands before the place."""
    path = tmp_path / "pops.outbox"
    recorded(path, 5)
    file = exported(path, key)
    whole = file.read_bytes()
    at = whole.rindex(b"a.webm")
    file.write_bytes(whole[:at] + b"b" + whole[at + 1 :])
    done = imported(topics, file, key)
    dry = run_command(topics, "player", "import", file, "--key-file", key, "--dry-run")

    assert (done.returncode, dry.returncode) == (2, 2)
    assert on_topic(topics) == []


def test_a_dry_run_sends_nothing(topics: Settings, tmp_path: Path, key: Path) -> None:
    """It counts."""
    path = tmp_path / "pops.outbox"
    recorded(path, 3)
    done = imported(topics, exported(path, key), key, "--dry-run")

    assert done.returncode == 0
    assert done.stdout.startswith("3 plays of 1 screens are in ")
    assert on_topic(topics) == []


def test_what_the_broker_refuses_of_a_file_is_named(
    narrow: Settings, tmp_path: Path, key: Path
) -> None:
    """By its pop-id, with exit code 1; the others are confirmed."""
    path = tmp_path / "pops.outbox"
    small, large = recorded(path, 3), recorded(path, 1, note=secrets.token_hex(8000))
    done = imported(narrow, exported(path, key), key, "--json")
    told = json.loads(done.stdout)

    assert done.returncode == 1
    assert (told["confirmed"], [each["popId"] for each in told["refused"]]) == (3, large)
    assert set(ids_of(on_topic(narrow))) == set(small)
