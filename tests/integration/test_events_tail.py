"""The tail on a real Kafka: the last events first, then each that comes, until Ctrl-C."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka.admin import AdminClient

from pop_stream.settings import Settings
from tests.support.command import environment_of, run_command
from tests.support.header_names import produce_named
from tests.support.kafka import Outgoing
from tests.support.plays import event, events, pop_id_of, retry_of
from tests.support.trial import Trial

_SECONDS = 60


@contextmanager
def tailing(settings: Settings, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the command until the test ends it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pop_stream", "events", "tail", *arguments],
        env=os.environ | environment_of(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def next_ids(process: "subprocess.Popen[str]", count: int) -> list[str]:
    """The ids of the next lines; pytest's own timeout ends a test that waits in vain."""
    assert process.stdout is not None
    return [json.loads(process.stdout.readline())["popId"] for _ in range(count)]


def test_the_last_come_first_then_what_comes(topics: Settings, tmp_path: Path) -> None:
    """Of all partitions in the order of storing; Ctrl-C ends it with exit code 130."""
    trial, sent = Trial(topics, tmp_path), events(30)
    for each in sent[:10]:
        trial.send([each])
    with tailing(topics, "-n", "4", "--json") as process:
        assert next_ids(process, 4) == [pop_id_of(one) for one in sent[6:10]]
        for each in sent[10:14]:
            trial.send([each])
            time.sleep(0.01)
        assert next_ids(process, 4) == [pop_id_of(one) for one in sent[10:14]]
        process.send_signal(signal.SIGINT)
        assert process.wait(_SECONDS) == 130
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_only_what_is_meant_is_shown(topics: Settings, tmp_path: Path) -> None:
    """Looked for further back, when the last ones are others; of one topic or of several."""
    trial = Trial(topics, tmp_path)
    rare = [event(n, filename="rare") for n in range(3)]
    trial.send([*rare, *(event(n, partition=0) for n in range(900))])
    trial.send([retry_of(rare[0], not_before=time.time())], topic=topics.retry_topic)
    arguments = ("events", "tail", "--no-follow", "-n", "5", "--where", "filename=rare")
    both = run_command(topics, *arguments).stdout.splitlines()
    one = run_command(topics, *arguments, "--topic", "events").stdout.splitlines()

    assert len(one) == 3
    assert len(both) == 4
    assert topics.retry_topic in both[-1]
    assert run_command(topics, *arguments, "-n", "0").stdout == ""


def test_odd_records_are_shown_as_they_are(topics: Settings, tmp_path: Path) -> None:
    """Without key, headers or value, or no JSON; nothing on topics without a record."""
    assert run_command(topics, "events", "tail", "--no-follow").stdout == ""
    odd = [Outgoing(value=b"\x1b[2J"), Outgoing(value=None, key=b"\x1b]0;x\x07"), event(1)]
    Trial(topics, tmp_path).send(odd)
    done = run_command(topics, "events", "tail", "--no-follow")

    assert len(done.stdout.splitlines()) == 3
    assert "\x1b" not in done.stdout
    assert "no event" in done.stdout


def test_on_a_terminal_lines_are_cut_and_coloured(topics: Settings, tmp_path: Path) -> None:
    """To its width, whatever players write."""
    Trial(topics, tmp_path).send([event(1, filename="x" * 300), event(2, filename="\\u001b[2J")])
    ours, theirs = pty.openpty()
    os.set_blocking(ours, True)
    environment = os.environ | environment_of(topics) | {"COLUMNS": "90", "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    done = subprocess.run(
        [sys.executable, "-m", "pop_stream", "events", "tail", "--no-follow"],
        env=environment, stdout=theirs, stderr=subprocess.PIPE, timeout=_SECONDS, check=False,
    )  # fmt: skip
    page = os.read(ours, 65_536).decode()
    os.close(theirs)
    os.close(ours)

    assert done.returncode == 0, done.stderr
    lines = page.replace("\x1b[32m", "").replace("\x1b[0m", "").splitlines()
    assert page.count("\x1b") == 4
    assert len(lines) == 2
    assert all(len(line) <= 90 and line.isprintable() for line in lines)
    assert "…" in page


def test_a_header_name_that_is_no_text_does_not_end_it(topics: Settings) -> None:
    """As with the scan: it is shown at once, though nothing comes behind it."""
    with tailing(topics, "-n", "1", "--json") as process:
        for value in (b'{"siteId":"1"}', b'{"siteId":"2"}'):
            produced = produce_named(
                topics.kafka_bootstrap_servers, topics.events_topic, [value], [b"caf\xe9"]
            )
            asyncio.run(produced)
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.stderr and process.stderr.read()
            assert json.loads(line)["event"] == json.loads(value)


def test_a_topic_that_is_deleted_ends_it_with_an_error(topics: Settings, tmp_path: Path) -> None:
    """It does not look as if nothing came any more."""
    Trial(topics, tmp_path).send(events(2))
    with tailing(topics, "--topic", "events", "--json") as process:
        next_ids(process, 2)
        admin = AdminClient({"bootstrap.servers": topics.kafka_bootstrap_servers})
        admin.delete_topics([topics.events_topic])[topics.events_topic].result(30)
        assert process.wait(_SECONDS) == 1
        assert process.stderr is not None
        assert "Error: " in process.stderr.read()
