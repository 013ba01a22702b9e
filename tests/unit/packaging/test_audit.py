"""The audit fails when it could not ask; pip-audit is a real one, and only the service is ours."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pop_stream.kafka.ports import free_ports
from release.audit import HOLES, NO_HOLES, NOT_ASKED, Audited, Unanswered, judge, main
from release.pins import LOCKS, ROOT, parse_pins, read_pins

LOCK = "".join(
    f"{entry} \\\n    --hash=sha256:{'a' * 64}\n"
    for entry in ("aiohttp==3.14.5", "colorama==0.4.6 ; sys_platform == 'win32'", "orjson==3.13.0")
)
HOLE = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-1"],
    "summary": "A hole.",
    "affected": [
        {
            "package": {"name": "aiohttp", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "4.0"}]}],
        }
    ],
}


class Osv(ThreadingHTTPServer):
    """Answers as OSV does, with the holes it is given by package."""

    def __init__(self, holes: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.holes = holes
        self.asked: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.server_port}/v1/query"


class _Answers(BaseHTTPRequestHandler):
    server: Osv

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = query["package"]["name"]
        self.server.asked.append((name, query["version"]))
        hole = self.server.holes.get(name)
        body = json.dumps({"vulns": [hole]} if hole else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def osv() -> Iterator[Osv]:
    """A service with no holes, until a test gives it some."""
    with Osv({}) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """Two packages for every machine, and one for none of ours."""
    path = tmp_path / "some.lock"
    path.write_text(LOCK)
    return path


def test_a_lock_without_holes_passes_once_each_package_was_asked_about(
    osv: Osv, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each that is installed here, in its version."""
    assert main([str(lock), "--osv-url", osv.url]) == NO_HOLES
    assert sorted(osv.asked) == [("aiohttp", "3.14.5"), ("orjson", "3.13.0")]
    assert "0 known holes" in capsys.readouterr().out


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_of_our_locks_can_be_audited(osv: Osv, path: Path) -> None:
    """pip-audit reads it, and asks about all that is installed from it."""
    assert main([str(path), "--osv-url", osv.url]) == NO_HOLES
    assert sorted(osv.asked) == sorted(
        (pin.name, pin.version) for pin in read_pins(path) if pin.applies()
    )


def test_a_hole_fails_and_is_told_with_what_mends_it(
    osv: Osv, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unless somebody says that they know of it."""
    osv.holes["aiohttp"] = HOLE

    assert main([str(lock), "--osv-url", osv.url]) == HOLES
    told = capsys.readouterr().out
    assert "aiohttp 3.14.5: PYSEC-2026-1, CVE-2026-1; mended in 4.0" in told
    assert main([str(lock), "--osv-url", osv.url, "--ignore-vuln", "CVE-2026-1"]) == NO_HOLES


def test_where_nobody_can_be_asked_it_fails_and_says_who_and_what_to_do(
    lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pass there would be worth nothing, and look like one that is."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}/v1/query"

    assert main([str(lock), "--osv-url", url]) == NOT_ASKED
    told = capsys.readouterr().err
    assert f"{url} cannot tell" in told
    assert "make audit" in told


def test_a_report_that_leaves_a_package_out_is_no_answer() -> None:
    """What pip-audit says without --strict where the index does not know a package."""
    report = {
        "dependencies": [
            {"name": "aiohttp", "version": "3.14.5", "vulns": []},
            {"name": "orjson", "skip_reason": "not found"},
        ]
    }

    assert judge(report, parse_pins(LOCK)) == Unanswered("it was not asked about orjson")
    assert isinstance(judge({"dependencies": []}, parse_pins(LOCK)), Unanswered)
    assert isinstance(judge({"dependencies": []}, ()), Unanswered)


def test_a_version_may_be_written_in_another_way() -> None:
    """4.0 and 4.0.0 are one."""
    (pin,) = parse_pins(f"six==4.0 --hash=sha256:{'a' * 64}")
    report = {"dependencies": [{"name": "Six", "version": "4.0.0", "vulns": []}]}

    assert judge(report, [pin]) == Audited(())
