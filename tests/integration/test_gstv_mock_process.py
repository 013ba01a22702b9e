"""The mock of GSTV as a process: `pop-stream gstv mock`."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvloop

from pop_stream.access.tls import client_ssl_context
from pop_stream.errors import WorkFailedError
from pop_stream.gstv.mock.ledger import read_ledger
from pop_stream.gstv.mock.running import MockGstv
from pop_stream.pop.outcome import Answer
from tests.support.gstv_posts import posts_to, status
from tests.support.gstv_server import CERTS

COMMAND = [sys.executable, "-m", "pop_stream", "gstv", "mock"]


def run_to_its_end(*options: str) -> subprocess.CompletedProcess[str]:
    """Run a mock that cannot start."""
    return subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, timeout=30, check=False
    )


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a mock; give the process and the first line of its stdout."""
    argv = [*COMMAND, "--port", "0", *options]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_prints_its_url_and_ends_by_a_signal(number: signal.Signals, code: int) -> None:
    """One line on stdout, nothing on stderr, and the exit code of the contract."""
    with running() as (process, line):
        assert line.startswith("http://127.0.0.1:")
        assert line.endswith("\n")
        process.send_signal(number)
        rest, complaints = process.communicate(timeout=30)
    assert (process.returncode, rest, complaints) == (code, "", "")


def test_a_signal_leaves_no_event_out_of_the_ledger(tmp_path: Path) -> None:
    """What is still waiting for its answer is noted before the process ends."""
    ledger = tmp_path / "ledger"
    rules = '[{"then": {"delay": 3600}}]'
    with running("--ledger", str(ledger), "--rules", rules) as (process, line):
        mock = MockGstv(line.strip())
        connection = socket.create_connection(("127.0.0.1", mock.port), timeout=20)
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        deadline = time.monotonic() + 20
        while mock.stats()["delayed"] == 0:
            assert time.monotonic() < deadline
        process.terminate()
        process.communicate(timeout=30)

    with connection:
        assert [entry.decision for entry in read_ledger(ledger)] == ["gone"]


def test_every_problem_with_the_rules_is_told(tmp_path: Path) -> None:
    """Exit code 2 before anything is started, nothing on stdout."""
    file = tmp_path / "rules.json"
    file.write_text('[{"then": {"status": 1}}, {"when": {"share": 7}, "then": {"x": 1}}]')

    ended = run_to_its_end("--rules", str(file))

    assert (ended.returncode, ended.stdout) == (2, "")
    for part in ("rules[0].then.status", "rules[1].when.share", "rules[1].then.x"):
        assert part in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rules", "missing.json"], "cannot read missing.json"),
        (["--ledger", "/nonexistent/ledger"], "ledger: cannot write"),
        (["--ledger", "/"], "ledger"),
        (["--port", "70000"], "70000"),
        (["--port", "http"], "http"),
        (["--host", "203.0.113.1"], "port: cannot listen"),
        (["--certfile", str(CERTS / "server.pem")], "https needs both"),
        (["--certfile", "/dev/null", "--keyfile", "/dev/null"], "certfile and keyfile"),
        (["--weather", "bad"], "--weather"),
    ],
)
def test_a_wrong_option_is_told(options: Sequence[str], message: str) -> None:
    """Exit code 2 and one message, no traceback."""
    ended = run_to_its_end(*options)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_in_use_is_told() -> None:
    """It is a matter of configuration."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run_to_its_end("--port", str(taken.getsockname()[1]))

    assert ended.returncode == 2
    assert "cannot listen" in ended.stderr


def test_it_speaks_https() -> None:
    """With a certificate, the client's usual rules are met."""
    pem = str(CERTS / "server.pem")
    trusting = client_ssl_context(str(CERTS / "ca.pem"))

    async def post(url: str) -> None:
        async with posts_to(f"{url}/pop", context=trusting) as posts:
            assert status(await posts.post_and_wait("a")) == 200
            assert status(await posts.post_and_wait("b")) == 200

    with running("--certfile", pem, "--keyfile", pem) as (_, line):
        assert line.startswith("https://127.0.0.1:")
        uvloop.run(post(line.strip()))


def test_a_full_disk_ends_it_and_no_success_is_answered() -> None:
    """What cannot be written in the ledger is not answered."""

    async def post(url: str) -> None:
        async with posts_to(f"{url}/pop") as posts:
            assert not isinstance(await posts.post_and_wait("a"), Answer)

    with running("--ledger", "/dev/full") as (process, line):
        uvloop.run(post(line.strip()))
        _, complaints = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "ledger cannot be written" in complaints


def test_a_killed_mock_has_noted_every_success_that_it_answered(tmp_path: Path) -> None:
    """Kill -9 under load, three times on the same ledger: no answered success is missing."""
    ledger = tmp_path / "ledger"
    answered: list[str] = []

    async def post_until_killed(mock: MockGstv, first: int) -> None:
        async with posts_to(f"{mock.url}/pop", max_in_flight=64) as posts:
            number = first
            while number < first + 20_000:
                await posts.wait_for_room()
                posts.post(f"id-{number}")
                number += 1
                if number == first + 3000:
                    assert mock.process is not None
                    mock.process.kill()
                if number % 16 == 0:
                    await asyncio.sleep(0)
                if number > first + 3000 and not isinstance(posts.told[-1][1], Answer):
                    break
        answered.extend(token for token, one in posts.told if one == Answer(200))

    for round_number in range(3):
        with MockGstv.start_process(ledger=ledger) as mock:
            uvloop.run(post_until_killed(mock, round_number * 100_000))

    noted = {entry.id for entry in read_ledger(ledger) if entry.delivered}
    assert len(answered) > 3000
    assert set(answered) <= noted


def test_a_process_that_does_not_start_is_an_error() -> None:
    """Whoever starts it for a test learns of it at once."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(WorkFailedError, match="did not start"),
        MockGstv.start_process(port=taken.getsockname()[1]),
    ):
        pass


def test_the_process_ends_with_the_context() -> None:
    """Nothing is left behind."""
    with MockGstv.start_process() as mock:
        assert mock.process is not None
        process_id = mock.process.pid
        assert mock.stats()["received"] == 0

    assert mock.process.returncode == 0
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)
