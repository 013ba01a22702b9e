import asyncio
import json
import os
import signal
import subprocess
import sys
from hashlib import sha256

from pop_stream.cli.player import COMMANDS
from pop_stream.settings import SETTINGS
from tests.support.eventually import eventually
from tests.support.kafka import read_all

SIMULATE = (sys.executable, "-m", "pop_stream", "player", "simulate")


def environment(settings):
    """Let a command work on the topics of a test."""
    names = ("kafka_bootstrap_servers", "events_topic")
    return os.environ | {SETTINGS[name].variable: getattr(settings, name) for name in names}


def simulate(settings, *arguments, **options):
    """Run the command to its end."""
    return subprocess.run(
        [*SIMULATE, *arguments],
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **options,
    )


def bodies(settings):
    """Read what was sent, without the order of the partitions."""
    records = asyncio.run(read_all(settings.kafka_bootstrap_servers, settings.events_topic))
    return sorted((record.key, record.value) for record in records)


def test_the_ledger_is_what_the_topic_holds(topics, tmp_path):
    """A process of its own sends events, and its ledger is the truth about them."""
    ledger = tmp_path / "sent.ndjson"
    done = simulate(topics, "--events", "200", "--json", "--ledger", str(ledger))
    noted = [json.loads(line) for line in ledger.read_text().splitlines()]
    summary = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert (summary["events"], summary["topic"]) == (200, topics.events_topic)
    assert sorted((line["key"].encode(), line["sha256"]) for line in noted) == sorted(
        (key, sha256(value).hexdigest()) for key, value in bodies(topics)
    )


def test_the_same_seed_and_start_give_the_same_bytes(topics):
    """Two runs send every body twice, under new ids."""
    same = ("--events", "60", "--seed", "5", "--start", "2026-03-01T12:00:00Z")
    for _ in range(2):
        assert simulate(topics, *same).returncode == 0
    sent = bodies(topics)

    assert len(sent) == 120
    assert sent[::2] == sent[1::2]


def test_sigint_waits_for_what_is_under_way(topics, tmp_path):
    """Interrupted players exit with 130, and what they noted is what the topic holds."""
    ledger = tmp_path / "sent.ndjson"
    arguments = ("--events", "100000", "--rate", "200", "--ledger", str(ledger))
    process = subprocess.Popen(
        [*SIMULATE, *arguments], env=environment(topics), stdout=subprocess.DEVNULL
    )
    with process:
        eventually(lambda: ledger.exists() and ledger.stat().st_size, "something is sent")
        process.send_signal(signal.SIGINT)
        code = process.wait(30)

    assert code == 130
    assert len(ledger.read_text().splitlines()) == len(bodies(topics)) < 100_000


def test_an_unreachable_kafka_is_exit_3(tmp_path):
    """One message names the address; nothing is written."""
    ledger = tmp_path / "sent.ndjson"
    done = subprocess.run(
        [*SIMULATE, "--kafka-bootstrap-servers", "127.0.0.1:1", "--ledger", str(ledger)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 3
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_topic_is_exit_1(kafka):
    """The message says how to create it."""
    done = subprocess.run(
        [*SIMULATE, "--kafka-bootstrap-servers", kafka, "--events-topic", "t-never-created"],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    assert done.returncode == 1
    assert "topics ensure" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_players_load_neither_faust_nor_the_partner():
    """What runs at a pump is light: the command imports no framework and no partner code."""
    module = COMMANDS["simulate"].where.partition(":")[0]
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert {"faust", "mode", "pop_stream.gstv", "pop_stream.stream"} & set(loaded) == set()


def test_players_tell_when_and_by_which_clock(topics):
    """Each event has the headers of docs/players.md, whatever became of its screen's clock."""
    done = simulate(topics, "--events", "240", "--seed", "5", "--clock-jumps", "0.2")
    records = asyncio.run(read_all(topics.kafka_bootstrap_servers, topics.events_topic))
    told = [dict(record.headers) for record in records]

    assert done.returncode == 0, done.stderr
    assert len(told) == 240
    assert set(map(frozenset, told)) == {
        frozenset(
            ("pop-id", "pop-boot", "pop-seq", "pop-start-utc", "pop-end-utc", "pop-tz",
             "pop-utcoffset", "pop-clock", "pop-mono-ms")
        )
    }  # fmt: skip
    assert {each["pop-clock"] for each in told} == {b"synced", b"stepped", b"unsynced"}


def test_what_an_outage_kept_is_told_in_the_summary(topics):
    """And is on the topic."""
    done = simulate(topics, "--events", "64", "--rate", "128", "--outage", "0.125/0.25", "--json")
    summary = json.loads(done.stdout)

    assert (done.returncode, summary["events"], summary["late"]) == (0, 64, 32), done.stderr
    assert len(bodies(topics)) == 64


def test_a_playlist_is_shown_from_its_first_day_on(topics, tmp_path):
    """At the sites of the file, by the ids and orders in it."""
    path = tmp_path / "playlist.json"
    assets = [{"assetId": "a", "filename": "a.webm", "tiNumber": "124"}]
    loops = [{"loopNumber": 1, "assets": assets}]
    sites = [
        {"siteId": each, "schedules": [{"date": "2026-11-20", "loops": loops}]}
        for each in ("0007", "0008")
    ]
    path.write_text(json.dumps({"playlist": sites}))
    done = simulate(topics, "--events", "40", "--playlist", str(path), "--screens", "2")
    events = [json.loads(value) for _, value in bodies(topics)]

    assert done.returncode == 0, done.stderr
    assert {event["siteId"] for event in events} == {"0007", "0008"}
    assert {event["ioNumber"] for event in events} == {"124"}
    assert {event["startTimestamp"][:10] for event in events} == {"2026-11-20"}


def test_what_cannot_be_meant_is_wrong_use(tmp_path):
    """Told before anything connects."""
    path = tmp_path / "playlist.json"
    path.write_text('{"playlist":[{"siteId":"7","schedules":[{"date":"x","loops":[]}]}]}')
    nowhere = ("--kafka-bootstrap-servers", "127.0.0.1:1")
    for flags, said in [
        (("--outage", "1s/2s"), "--rate"),
        (("--outage", "soon", "--rate", "1"), "LENGTH/EVERY"),
        (("--playlist", str(path)), "anything to show"),
    ]:
        done = subprocess.run(
            [*SIMULATE, *nowhere, *flags], capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
