"""`pop-stream demo`, as a user starts it: a process of its own, on a Kafka of its own."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from tests.support.eventually import eventually

pytestmark = pytest.mark.kafka

#: What `--json` prints, and nothing else.
FIGURES = {
    "produced",
    "delivered",
    "delivered_after_retry",
    "parked",
    "quarantined",
    "notified",
    "duplicates",
    "lost",
    "seconds",
}
DEMO = (sys.executable, "-m", "pop_stream", "demo")


@contextmanager
def demo(*arguments: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a demo in a session of its own, which is empty afterwards."""
    process = subprocess.Popen(
        [*DEMO, *arguments],
        cwd=cwd,
        env={**os.environ, "TMPDIR": str(cwd)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def delivering(process: subprocess.Popen[str]) -> dict[int, str]:
    """Wait until events are under way, and give what the demo has started."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        # Not a phase by its name: on a slow machine there may be none but starting and retrying.
        if re.search(r"delivered [1-9]", line):
            return descendants(process.pid)
    raise AssertionError("".join(said))


def descendants(pid: int) -> dict[int, str]:
    """Give the processes that a process has started, directly or not, with their commands."""
    parents, commands = {}, {}
    for child, parent, command in processes():
        parents[child], commands[child] = parent, command
    found = {pid}
    while new := {child for child, parent in parents.items() if parent in found} - found:
        found |= new
    return {child: commands[child] for child in found - {pid}}


def alive(pids: Iterable[int]) -> set[int]:
    """Give those of the processes that are still there."""
    return {pid for pid, *_ in processes()} & set(pids)


def processes() -> Iterator[tuple[int, int, str]]:
    """Give the id, the parent's id and the command of all processes but zombies."""
    listed = subprocess.run(
        ["/bin/ps", "-A", "-o", "pid=,ppid=,state=,command="],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in listed.stdout.splitlines():
        pid, parent, state, command = line.split(maxsplit=3)
        if not state.startswith("Z"):
            yield int(pid), int(parent), command


def topic_names(bootstrap_servers: str) -> set[str]:
    """Give the names of all topics."""

    async def ask() -> set[str]:
        async with AIOKafkaConsumer(bootstrap_servers=bootstrap_servers) as consumer:
            return await consumer.topics()

    return asyncio.run(ask())


def test_every_event_is_accounted_for(tmp_path):
    """One command runs everything, and each of its events ends in exactly one place."""
    with demo("--events", "300", "--json", cwd=tmp_path) as process:
        started = eventually(lambda: descendants(process.pid), "the demo has started something")
        out, err = process.communicate(timeout=200)
    figures = json.loads(out)

    assert process.returncode == 0, err
    assert figures.keys() == FIGURES
    assert figures["produced"] == 300
    assert figures["produced"] == figures["delivered"] + figures["parked"]
    assert figures["lost"] == 0
    assert figures["notified"] == figures["parked"]
    assert figures["quarantined"] == 6
    assert figures["delivered_after_retry"] > 0
    assert alive(started) == set()
    assert list(tmp_path.iterdir()) == [], "something was left behind"


def test_ctrl_c_ends_everything(tmp_path):
    """Ctrl-C in the middle: an account of what was done, exit 130, and no process left."""
    with demo("--events", "5000", "--json", cwd=tmp_path) as process:
        started = delivering(process)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=100)
    figures = json.loads(out)

    assert process.returncode == 130
    # Kafka and its supervisor, GSTV, the worker, the players.
    assert len(started) >= 5
    assert alive(started) == set()
    assert figures["lost"] == 0
    assert 0 < figures["delivered"] < 5000
    assert list(tmp_path.iterdir()) == [], "something was left behind"


def test_a_worker_that_dies_fails_the_run(tmp_path):
    """Nobody is told that all is well: the worker's end is said, and the exit code is 1."""
    with demo("--events", "5000", "--json", cwd=tmp_path) as process:
        started = delivering(process)
        (worker,) = [pid for pid, command in started.items() if command.endswith(" worker")]
        os.kill(worker, signal.SIGKILL)
        out, err = process.communicate(timeout=100)
    figures = json.loads(out)

    assert process.returncode == 1
    assert "the worker ended (exit code -9)" in err
    assert figures["lost"] == 0
    assert figures["unfinished"] > 0
    assert figures["produced"] == (figures["delivered"] + figures["parked"] + figures["unfinished"])


def test_a_killed_demo_leaves_no_process_behind(tmp_path):
    """Even SIGKILL of the demo ends Kafka, GSTV, the worker and the players."""
    with demo("--events", "5000", cwd=tmp_path) as process:
        started = delivering(process)
        process.kill()
        process.wait()
        eventually(lambda: not alive(started), "they have ended", within_seconds=20)

    assert len(started) >= 5


def test_a_kept_demo_goes_on_until_ctrl_c(tmp_path):
    """After its account everything still runs, and Ctrl-C ends it with exit 0."""
    with demo("--events", "100", "--keep", "--json", cwd=tmp_path) as process:
        assert process.stdout is not None
        figures = json.loads(process.stdout.readline())
        eventually(lambda: "Ctrl-C ends it" in process.stderr.readline(), "it says how to look")
        started = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=100)

    assert figures["produced"] == figures["delivered"] + figures["parked"] == 100
    assert {command.split()[-1] for command in started.values()} >= {"worker"}
    assert process.returncode == 0
    assert alive(started) == set()
    assert list(tmp_path.iterdir()) == [], "something was left behind"


def test_on_a_kafka_of_the_users_own_it_cleans_up(kafka, tmp_path):
    """It uses topics of its own, and leaves that Kafka as it was."""
    with demo(
        "--events", "100", "--json", "--kafka-bootstrap-servers", kafka, cwd=tmp_path
    ) as process:
        out, err = process.communicate(timeout=200)
    figures = json.loads(out)

    assert process.returncode == 0, err
    assert figures["produced"] == figures["delivered"] + figures["parked"] == 100
    assert [name for name in topic_names(kafka) if name.startswith("pop-demo-")] == []


def test_an_unreachable_kafka_is_said(tmp_path):
    """Exit 3 and one message, when the Kafka that was named is not there."""
    with demo("--kafka-bootstrap-servers", "127.0.0.1:1", cwd=tmp_path) as process:
        out, err = process.communicate(timeout=60)

    assert process.returncode == 3
    assert out == ""
    assert "127.0.0.1:1" in err
    assert "Traceback" not in err
