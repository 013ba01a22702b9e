"""What can be reached from outside: of each process the kernel's own list of sockets."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pop_stream.settings import Settings
from tests.support.command import environment_of
from tests.support.draining import draining
from tests.support.eventually import eventually
from tests.support.filled_outbox import fill, row
from tests.support.plays import events
from tests.support.sockets import Sockets, sockets_of
from tests.support.trial import Trial
from tests.support.worker import FAUST_WORKER, WORKER, Worker

LOOK_SECONDS = 0.05
LOOKS = 10


def free_port() -> int:
    """A port of which nobody makes use now."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def seen(pid: int) -> list[Sockets]:
    """Several looks at a process that has connected to Kafka."""
    eventually(lambda: sockets_of(pid).connected, "connected to Kafka")
    looks = []
    for _ in range(LOOKS):
        looks.append(sockets_of(pid))
        time.sleep(LOOK_SECONDS)
    return looks


def check(pid: int, *expected: tuple[str, int]) -> None:
    """Just these addresses take connections, and nothing takes packets."""
    for look in seen(pid):
        assert look.listening == set(expected)
        assert look.datagrams == []
        assert look.unix == []


def test_the_list_shows_what_listens() -> None:
    """Else the others would prove nothing: one socket of each kind, each seen."""
    before = sockets_of(os.getpid())
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as tcp6,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.create_connection(tcp.getsockname()),
    ):
        udp.bind(("127.0.0.1", 0))
        unix.bind(f"\0pop-stream-{os.getpid()}")
        unix.listen()
        look = sockets_of(os.getpid())
        made = {tcp.getsockname()[:2], tcp6.getsockname()[:2]}

    assert look.listening - before.listening == made
    assert look.connected > before.connected
    assert len(look.datagrams) == len(before.datagrams) + 1
    assert len(look.unix) == len(before.unix) + 1


def started(worker: Worker, trial: Trial) -> Worker:
    """The worker, once it has delivered something: all that it opens is open."""
    trial.send(events(5))
    eventually(lambda: trial.delivered == 5, "all delivered")
    return worker


@pytest.mark.parametrize(
    ("argv", "host"),
    [(WORKER, "127.0.0.1"), (FAUST_WORKER, "127.0.0.2")],
    ids=["pop-stream", "faust, at an address that was named"],
)
def test_of_a_worker_only_its_metrics_listen(
    argv: tuple[str, ...], host: str, topics: Settings, tmp_path: Path
) -> None:
    """At the port that was named. Faust's web server is off, which its command switches on."""
    trial, port = Trial(topics, tmp_path), free_port()
    # Nothing is said of the usual address.
    where = {"metrics_port": port} | ({} if host == "127.0.0.1" else {"metrics_host": host})
    with trial.gstv() as gstv, trial.worker(gstv.url, argv=argv, **where) as worker:
        check(started(worker, trial).process.pid, (host, port))


@contextmanager
def running(settings: Settings, *arguments: str, **more: object) -> Iterator[int]:
    """Run a command in a process of its own meanwhile; its process id."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pop_stream", *arguments],
        env=os.environ | environment_of(settings, **more),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with process:
        try:
            yield process.pid
            assert process.poll() is None
        finally:
            process.kill()


def test_of_watch_only_its_metrics_listen(topics: Settings) -> None:
    """On this machine, at the port that was named."""
    port = free_port()
    with running(topics, "watch", watch_port=port) as pid:
        eventually(lambda: sockets_of(pid).listening, "it listens")
        check(pid, ("127.0.0.1", port))


def test_what_runs_on_a_player_listens_nowhere(topics: Settings, tmp_path: Path) -> None:
    """Neither what sends an outbox, nor players that are simulated."""
    fill(tmp_path / "pops.outbox", [row(number) for number in range(1, 4)])
    with draining(topics, tmp_path / "pops.outbox", "--follow") as drain:
        check(drain.pid)
    with running(topics, "player", "simulate", "--rate", "5", "--events", "100000") as pid:
        check(pid)
