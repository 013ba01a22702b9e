import asyncio
import json
import os
import signal
import subprocess
import sys
from hashlib import sha256

from pop_stream.cli.main import COMMANDS
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


def loaded_by(code):
    """The modules that a program has loaded at its end."""
    return set(
        subprocess.run(
            [sys.executable, "-c", f"import sys; {code}; print('\\n', *sys.modules)"],
            capture_output=True,
            text=True,
            check=True,
        )
        .stdout.rpartition("\n ")[2]
        .split()
    )


def test_the_players_load_neither_faust_nor_the_partner():
    """What runs at a pump is light: no command imports a framework or the partner's code."""
    group = COMMANDS["player"].load()
    modules = ", ".join(sorted({each.where.partition(":")[0] for each in group.lazy.values()}))
    heavy = {"faust", "mode", "pop_stream.gstv", "pop_stream.stream", "numpy"}

    assert heavy & loaded_by(f"import {modules}") == set()


def test_help_waits_for_no_client_of_kafka():
    """The list of the players' commands is there at once."""
    code = "from pop_stream.cli.main import run; run(['player', '--help'])"

    assert {"aiokafka", "rich", "zstandard"} & loaded_by(code) == set()
