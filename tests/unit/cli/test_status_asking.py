"""How `pop-stream status` and the health checks ask: the worker itself, and nobody else."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from pop_stream.cli.status_report import ask

ROOT = Path(__file__).parents[3]


class Answering(ThreadingHTTPServer):
    """Answers everything in one way, and remembers what it was asked."""

    def __init__(self, status: int, body: bytes, **headers: str) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@contextmanager
def answering(status: int, body: bytes, **headers: str) -> Iterator[Answering]:
    """Such a server, for as long as the block."""
    server = Answering(status, body, **headers)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    with closing(server.socket):
        yield server
        server.shutdown()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """A proxy of the environment, that answers for everybody."""
    with answering(200, b'{"group": "forged"}') as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield server


def test_the_worker_is_asked_and_no_proxy_of_the_environment(proxy: Answering) -> None:
    """Who sets one for the machine does not mean what stands on it."""
    with answering(200, json.dumps({"group": "true"}).encode()) as worker:
        assert ask("127.0.0.1", worker.server_port) == {"group": "true"}

    assert worker.asked == ["/statusz"]
    assert proxy.asked == []


def test_no_redirect_is_followed() -> None:
    """What stands at the port may be anything."""
    with answering(200, b'{"group": "elsewhere"}') as elsewhere:
        there = f"http://127.0.0.1:{elsewhere.server_port}/statusz"
        with answering(302, b"", Location=there) as worker:
            assert ask("127.0.0.1", worker.server_port) is None

    assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"well"), (200, b"[1]"), (200, b"\xff"), (503, b'{"group": "x"}')]
)
def test_what_is_no_status_is_no_worker(status: int, body: bytes) -> None:
    """Another program may have the port."""
    with answering(status, body) as other:
        assert ask("127.0.0.1", other.server_port) is None


def health_checks() -> dict[str, list[str]]:
    """The commands of the image's check and the composition's, by whose they are."""
    dockerfile = (ROOT / "docker/Dockerfile").read_text()
    (line,) = [each for each in dockerfile.splitlines() if each.strip().startswith('CMD ["python')]
    compose = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())
    return {
        "image": json.loads(line.strip().removeprefix("CMD ")),
        "watch": compose["services"]["watch"]["healthcheck"]["test"][1:],
    }


def is_well(check: list[str], port: int, folder: Path) -> bool:
    """What a check says of a server; it runs in `folder`."""
    program, *rest = check
    assert program == "python"
    command = [part.replace("9108", str(port)).replace("9109", str(port)) for part in rest]
    told = subprocess.run(
        [sys.executable, *command], cwd=folder, env=os.environ, capture_output=True, check=False
    )
    return told.returncode == 0


@pytest.mark.parametrize("whose", ["image", "watch"])
def test_a_health_check_asks_the_worker_and_no_proxy(
    whose: str, proxy: Answering, tmp_path: Path
) -> None:
    """A proxy that says 200 for all the world would hide that the worker is stuck."""
    check = health_checks()[whose]
    with answering(200, b"") as well:
        assert is_well(check, well.server_port, tmp_path)
    with answering(503, b"") as stuck:
        assert not is_well(check, stuck.server_port, tmp_path)
    with answering(302, b"", Location="/elsewhere") as moved:
        assert not is_well(check, moved.server_port, tmp_path)

    assert (well.asked, stuck.asked, moved.asked) == (["/livez"], ["/livez"], ["/livez"])
    assert proxy.asked == []


@pytest.mark.parametrize("whose", ["image", "watch"])
def test_a_health_check_runs_nothing_that_lies_in_its_folder(whose: str, tmp_path: Path) -> None:
    """Python looks there for what it imports, unless it is told not to."""
    (tmp_path / "http").mkdir()
    for name in ("http/__init__.py", "http/client.py", "urllib.py"):
        (tmp_path / name).write_text("raise SystemExit(0)")
    with answering(503, b"") as stuck:
        assert not is_well(health_checks()[whose], stuck.server_port, tmp_path)

    assert stuck.asked == ["/livez"]
