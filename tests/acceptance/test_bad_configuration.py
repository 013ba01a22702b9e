import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.command import run_here

CANARY = "canary-4f1d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A way to get the configuration wrong, and what each problem's line must hold."""

    name: str
    problems: tuple[str, ...]
    argv: tuple[str, ...] = ("config",)
    environ: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


def _variable(name: str, value: str, *problems: str) -> Case:
    return Case(name=f"{name}={value[:20]}", problems=problems, environ={name: value})


URL = "POP_STREAM_GSTV_URL"
CASES = [
    # Names.
    _variable("POP_STREAM_GSTV_URI", CANARY, "nearest is POP_STREAM_GSTV_URL"),
    _variable("pop_stream_retries", "1", "nearest is POP_STREAM_RETRIES"),
    _variable("POP_STREAM_GSTV_TIMEOUT", "5", "nearest is POP_STREAM_GSTV_TIMEOUT_SECONDS"),
    # GSTV's address.
    _variable(URL, "gstv.example/pops", "must start with http:// or https://"),
    _variable(URL, "ftp://gstv.example/pops", "must start with http:// or https://"),
    _variable(URL, "https:///pops", "must hold a valid host"),
    _variable(URL, f"https://user:{CANARY}@gstv.example/", "must not hold a user or a password"),
    _variable(URL, f"https://gstv.example/#{CANARY}", "must not hold a fragment"),
    _variable(URL, "https://gstv.example:99999/", "with a port to 65535"),
    _variable(URL, "https://gstv.example/a b", "must not hold spaces"),
    _variable(URL, "http://gstv.example/pops", "without TLS: use https"),
    _variable(URL, "http://127.0.0.1.example/", "without TLS: use https"),
    _variable("POP_STREAM_NOTIFICATION_URL", "http://gstv.example/", "without TLS: use https"),
    Case(
        name="the worker without GSTV's address",
        argv=("worker",),
        problems=("POP_STREAM_GSTV_URL must be set for this command",),
    ),
    # Kafka's address and login.
    _variable("POP_STREAM_KAFKA_BOOTSTRAP_SERVERS", "kafka:port", "must be host:port"),
    _variable("POP_STREAM_KAFKA_BOOTSTRAP_SERVERS", "::1:9092", "must be host:port"),
    _variable("POP_STREAM_KAFKA_BOOTSTRAP_SERVERS", "kafka:9092", "without TLS"),
    _variable(
        "POP_STREAM_KAFKA_SECURITY_PROTOCOL",
        "SASL_SSL",
        "POP_STREAM_KAFKA_SASL_USERNAME must be set",
        "POP_STREAM_KAFKA_SASL_PASSWORD must be set",
    ),
    _variable("POP_STREAM_KAFKA_SECURITY_PROTOCOL", "TLS", "must be one of PLAINTEXT, SSL"),
    _variable("POP_STREAM_KAFKA_SASL_PASSWORD", CANARY, "would not be used"),
    Case(
        name="a secret's file that is not there",
        environ={
            "POP_STREAM_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "POP_STREAM_KAFKA_SASL_USERNAME": "worker",
            "POP_STREAM_KAFKA_SASL_PASSWORD_FILE": "/nowhere/secret",
        },
        problems=("POP_STREAM_KAFKA_SASL_PASSWORD_FILE in the environment cannot be read",),
    ),
    Case(
        name="a key without a certificate",
        environ={"POP_STREAM_KAFKA_SECURITY_PROTOCOL": "SSL"},
        files={"key.pem": b"-"},
        argv=("config", "--kafka-ssl-keyfile", "key.pem"),
        problems=("--kafka-ssl-keyfile needs POP_STREAM_KAFKA_SSL_CERTFILE",),
    ),
    Case(
        name="a CA file that is not there",
        argv=("config", "--gstv-ssl-cafile", "none.pem"),
        problems=("--gstv-ssl-cafile cannot be read: No such file",),
    ),
    Case(
        name="a CA file with something else in it",
        files={"ca.pem": CANARY.encode()},
        argv=("config", "--gstv-ssl-cafile", "ca.pem"),
        problems=("--gstv-ssl-cafile holds no certificate",),
    ),
    # Numbers and choices.
    _variable("POP_STREAM_RETRIES", "-1", "from 0 to 100, not '-1'"),
    _variable("POP_STREAM_RETRIES", "2.5", "must be a whole number"),
    _variable("POP_STREAM_GSTV_MAX_IN_FLIGHT", "0", "from 1 to 8192, not '0'"),
    _variable("POP_STREAM_GSTV_TIMEOUT_SECONDS", "0", "above 0"),
    _variable("POP_STREAM_GSTV_TIMEOUT_SECONDS", "nan", "must be a number of seconds"),
    _variable("POP_STREAM_DRAIN_SECONDS", "inf", "must be a number of seconds"),
    _variable("POP_STREAM_METRICS_PORT", "65536", "from 0 to 65535"),
    _variable("POP_STREAM_GSTV_SUCCESS_STATUSES", "2xx", "must be statuses"),
    _variable("POP_STREAM_STAGES", "forward,retries", "forward, retry and failure"),
    _variable("POP_STREAM_STAGES", "retry,retry", "must not name a stage twice"),
    _variable("POP_STREAM_RETRY_BACKOFF_SECONDS", "1,-5", "numbers of seconds"),
    _variable("POP_STREAM_GROUP", "", "is empty"),
    _variable("POP_STREAM_EVENTS_TOPIC", "pop events", "must be a topic's name"),
    _variable("POP_STREAM_RETRY_TOPIC", "pop-events", "must differ from POP_STREAM_EVENTS_TOPIC"),
    _variable("POP_STREAM_MAX_HELD_EVENTS", "1", "at least POP_STREAM_GSTV_MAX_IN_FLIGHT"),
    # Files.
    Case(
        name="no TOML",
        files={"pop.toml": b"retries = \n"},
        environ={"POP_STREAM_CONFIG": "pop.toml"},
        problems=("pop.toml is not TOML",),
    ),
    Case(
        name="TOML that is not there",
        argv=("config", "--config", "none.toml"),
        problems=("none.toml cannot be read: No such file",),
    ),
    Case(
        name="an unknown name in TOML",
        files={"pop.toml": b"[gstv]\nuri = 'https://gstv.example'\n"},
        argv=("config", "--config", "pop.toml"),
        problems=("gstv_uri in pop.toml is no setting; the nearest is gstv_url",),
    ),
    Case(
        name="a .env with a line that is none",
        files={".env": b"POP_STREAM_RETRIES=1\nnot a line\n"},
        problems=(".env line 2 is not NAME=value",),
    ),
    Case(
        name="an unknown name in .env",
        files={".env": f"POP_STREAM_KAFKA_SASL_PASWORD={CANARY}\n".encode()},
        problems=("in .env line 1 is no setting; the nearest is POP_STREAM_KAFKA_SASL_PASSWORD",),
    ),
    Case(
        name="wrong everywhere",
        argv=("worker", "--retries", "-1", "--config", "pop.toml"),
        environ={"POP_STREAM_GSTV_MAX_IN_FLIGHT": "many", "POP_STREAM_NOPE": CANARY},
        files={".env": b"POP_STREAM_VALIDATION=maybe\n", "pop.toml": b"log_level = 'LOUD'\n"},
        problems=(
            "POP_STREAM_NOPE in the environment is no setting",
            "POP_STREAM_GSTV_MAX_IN_FLIGHT in the environment must be a whole number",
            "--retries must be a whole number",
            "POP_STREAM_VALIDATION in .env line 1 must be one of on, off, not 'maybe'",
            "log_level in pop.toml must be one of DEBUG, INFO, WARNING, ERROR, not 'LOUD'",
            "POP_STREAM_GSTV_URL must be set for this command",
        ),
    ),
]


def clean_environment() -> dict[str, str]:
    """The variables that a command gets besides a test's own."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def _run(
    folder: Path, *argv: str, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pop_stream", *argv],
        cwd=folder,
        env={**clean_environment(), **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_configuration_is_one_message_with_all_problems(case: Case, tmp_path: Path) -> None:
    """Exit code 2, nothing on stdout, a line for each problem, and no value of a secret."""
    for name, content in case.files.items():
        (tmp_path / name).write_bytes(content)

    # In a process of its own only the last, which is wrong in all ways: a start takes long.
    if case is CASES[-1]:
        done = _run(tmp_path, *case.argv, environ=case.environ)
    else:
        done = run_here(case.argv, {**clean_environment(), **case.environ}, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    head, *lines = done.stderr.splitlines()
    count = "1 setting is" if len(case.problems) == 1 else f"{len(case.problems)} settings are"
    assert head == f"Error: {count} wrong; nothing was started."
    assert len(lines) == len(case.problems)
    for problem in case.problems:
        assert any(problem in line for line in lines), problem
    assert CANARY not in done.stderr


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_a_taken_metrics_port_stops_the_worker_before_it_starts(
    tmp_path: Path, taken_port: int
) -> None:
    """Exit code 2, and the message names the setting."""
    done = _run(
        tmp_path,
        "worker",
        *("--gstv-url", "http://127.0.0.1:1/pops", "--metrics-port", str(taken_port)),
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert "POP_STREAM_METRICS_PORT" in done.stderr
    assert str(taken_port) in done.stderr


@pytest.mark.parametrize(
    "argv",
    [
        ("worker", "--gstv-url", "http://127.0.0.1:1/pops", "--metrics-port", "0"),
        ("topics", "check"),
        ("topics", "ensure"),
    ],
    ids=" ".join,
)
def test_a_kafka_that_is_not_there_is_exit_code_3(
    argv: tuple[str, ...], tmp_path: Path, closed_port: int
) -> None:
    """Within seconds, with the address that was tried."""
    servers = f"127.0.0.1:{closed_port}"
    done = _run(tmp_path, *argv, environ={"POP_STREAM_KAFKA_BOOTSTRAP_SERVERS": servers})

    assert (done.returncode, done.stdout) == (3, "")
    assert servers in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_tells_of_a_kafka_that_is_not_there(tmp_path: Path, closed_port: int) -> None:
    """Exit code 3, and the findings are data."""
    servers = f"127.0.0.1:{closed_port}"
    done = _run(tmp_path, "doctor", "--kafka-bootstrap-servers", servers)

    assert (done.returncode, done.stderr) == (3, "")
    assert [line for line in done.stdout.splitlines() if line.startswith("kafka\tfail\t")]
