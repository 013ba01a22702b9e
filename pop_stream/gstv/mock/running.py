"""Runs the mock beside a test or the demo: in a thread, or as a process of its own."""

import asyncio
import http.client
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import uvloop

from pop_stream.errors import PopStreamError, WorkFailedError
from pop_stream.gstv.mock.rules_json import parse_rules
from pop_stream.gstv.mock.server import MockConfig, running_mock

_PATIENCE_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class MockGstv:
    """A mock that is listening on 127.0.0.1.

    `with MockGstv.start(rules=[...], ledger=path) as mock: ...`
    """

    url: str
    ledger_path: Path | None = None
    #: The process, if it is one of its own: to be killed by tests that want that.
    process: subprocess.Popen[str] | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return urlsplit(self.url).port or 0

    def stats(self) -> dict[str, Any]:
        """Ask for the figures."""
        found: dict[str, Any] = self._ask("GET", "stats")
        return found

    def set_rules(self, rules: Sequence[object]) -> None:
        """Replace the rules. Raises WorkFailedError, with all problems, for wrong ones."""
        self._ask("PUT", "rules", orjson.dumps(list(rules)))

    @classmethod
    @contextmanager
    def start(
        cls, *, rules: Sequence[object] = (), ledger: Path | None = None, port: int = 0
    ) -> Iterator["MockGstv"]:
        """Run a mock in a thread of this process, over http."""
        parsed = parse_rules(orjson.dumps(list(rules)))
        with _thread(MockConfig(port=port, rules=parsed, ledger=ledger)) as url:
            yield cls(url, ledger)

    @classmethod
    @contextmanager
    def start_process(
        cls, *, rules: Sequence[object] = (), ledger: Path | None = None, port: int = 0
    ) -> Iterator["MockGstv"]:
        """Run a mock as a process of its own, over http; it is ended with the context."""
        argv = [sys.executable, "-m", "pop_stream", "gstv", "mock", "--port", str(port)]
        argv += ["--rules", orjson.dumps(list(rules)).decode()]
        argv += ["--ledger", str(ledger)] if ledger else []
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            try:
                url = process.stdout.readline().strip() if process.stdout else ""
                if not url:
                    raise WorkFailedError("the mock did not start: its reason is on stderr")
                yield cls(url, ledger, process)
            finally:
                _end(process)

    def _ask(self, method: str, what: str, body: bytes | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_SECONDS)
        try:
            connection.request(method, f"/__mock__/{what}", body)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise WorkFailedError(f"the mock answered {response.status}: {content.decode()}")
        return orjson.loads(content)


@contextmanager
def _thread(config: MockConfig) -> Iterator[str]:
    """Run a mock in a thread; give its URL. Why it ended too early, if it did, is raised."""
    url: Future[str] = Future()
    ended: Future[None] = Future()
    stop = threading.Event()

    async def serve() -> None:
        async with running_mock(config) as running:
            url.set_result(running.url)
            stopped = asyncio.create_task(asyncio.to_thread(stop.wait))
            failed = asyncio.create_task(running.failed())
            await asyncio.wait({stopped, failed}, return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            if failed.done():
                await failed
            failed.cancel()

    def run() -> None:
        try:
            uvloop.run(serve())
        except PopStreamError as error:
            (ended if url.done() else url).set_exception(error)
        else:
            ended.set_result(None)

    thread = threading.Thread(target=run, name="gstv-mock", daemon=True)
    thread.start()
    try:
        yield url.result(_PATIENCE_SECONDS)
    finally:
        stop.set()
        thread.join(_PATIENCE_SECONDS)
    ended.result(_PATIENCE_SECONDS)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
