"""What a worker serves over HTTP: metrics, health, status."""

import asyncio
import json
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily

from pop_stream.errors import SettingsError
from pop_stream.watch.facts import Facts
from pop_stream.watch.history import Sample
from pop_stream.watch.server import Page, Server, serve
from pop_stream.watch.status import Flow, Held, PartitionStatus, Status, WorkStatus
from pop_stream.watch.tally import Tally
from pop_stream.watch.worker_pages import worker_pages, worker_registry
from tests.support.markup import ReadPage
from tests.support.metrics import page_at, samples_of

FACTS = Facts(3, 10.0, build={"version": "1.2.3"}, config={"group": "pop-stream"})
STATUS = Status(
    version="1.2.3",
    group="pop-stream",
    stages=("forward",),
    work=WorkStatus(
        held=Held(reason="transient", since=1000.0, next_probe_at=1016.5),
        circuit="open",
        circuit_since=1000.0,
        in_flight=0,
        in_flight_limit=64,
        events_per_second_limit=None,
        unfinished=12,
        oldest_unfinished_at=990.5,
        flows={"delivered": Flow(total=7, per_second=0.5)},
        partitions=(
            PartitionStatus(
                topic="pop-events", partition=3, backlog=12, moved_at=999.0,
                oldest_unfinished_at=990.5,
            ),
        ),
    ),
)  # fmt: skip


def answer_of(server: Server, path: str, **headers: str) -> tuple[int, Message, str]:
    """Ask for a page; its status, its headers, its text."""
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - http
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


class Worker:
    """Stands in for one: its numbers, and what it says of itself."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.status = STATUS
        self.samples: list[Sample] = []
        self.server = self.serve(0)

    def serve(self, port: int) -> Server:
        """Serve it at a port."""
        registry = worker_registry(self.tally, FACTS)
        pages = worker_pages(lambda: self.status, lambda: self.samples)
        return serve(registry, pages, host="127.0.0.1", port=port)

    def get(self, path: str, accept: str = "*/*") -> tuple[int, str, str]:
        """Ask for a page; its status, its content type, its text."""
        status, headers, text = answer_of(self.server, path, Accept=accept)
        return status, headers["Content-Type"], text

    def checks(self, path: str) -> tuple[int, dict[str, Any]]:
        """Ask after its health; the status, and each check with whether it is met."""
        status, _, text = self.get(path)
        return status, {check["check"]: check["ok"] for check in json.loads(text)["checks"]}


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A worker at a free port."""
    worker = Worker()
    yield worker
    worker.server.close()


def test_what_is_served_is_what_is_so_now(worker: Worker) -> None:
    """Each reading shows the numbers of its moment, in Prometheus' own form."""
    for count in (1, 2):
        worker.tally.events_completed[("delivered",)] += 1
        _, kind, text = worker.get("/metrics")
        assert kind.startswith("text/plain")
        assert samples_of(text)["events_completed_total", "delivered"] == count


def test_what_a_worker_counted_is_read_while_its_loop_stands_still(worker: Worker) -> None:
    """That is when somebody looks."""
    pages: list[str] = []
    scrape = threading.Thread(target=lambda: pages.append(page_at(worker.server.port)))

    async def stand_still() -> None:
        worker.tally.events_completed[("delivered",)] = 7
        scrape.start()
        scrape.join(10)  # The loop's own thread waits here, and cannot do anything else.

    asyncio.run(stand_still())
    (page,) = pages
    assert samples_of(page)["events_completed_total", "delivered"] == 7


def test_nothing_is_said_of_when_a_number_was_made(worker: Worker) -> None:
    """`_created` doubles the series, and nobody asks for it."""
    for accept in ("*/*", "application/openmetrics-text; version=1.0.0"):
        _, _, text = worker.get("/metrics", accept)
        assert "pop_stream_events_completed_total" in text
        assert "_created" not in text


def test_the_process_is_measured_too(worker: Worker) -> None:
    """Its memory, its files and its processor time, under the names that everybody uses."""
    _, _, text = worker.get("/metrics")

    for name in ("process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"):
        assert f"\n{name} " in text


def test_the_status_is_served_beside_the_metrics(worker: Worker) -> None:
    """As one JSON object with everything that the worker says."""
    _, kind, text = worker.get("/statusz")

    assert kind == "application/json"
    assert json.loads(text) == {
        "version": "1.2.3",
        "group": "pop-stream",
        "stages": ["forward"],
        "began_at": None,
        "looked_at": None,
        "joined": False,
        "missing_topics": 0,
        "group_strangers": 0,
        "still_seconds": 120.0,
        "work": {
            "held": {"reason": "transient", "since": 1000.0, "next_probe_at": 1016.5},
            "circuit": "open",
            "circuit_since": 1000.0,
            "in_flight": 0,
            "in_flight_limit": 64,
            "events_per_second_limit": None,
            "unfinished": 12,
            "oldest_unfinished_at": 990.5,
            "unconfirmed": 0,
            "oldest_attempt_at": None,
            "backlog": None,
            "backlog_at": None,
            "backlog_growth": None,
            "flows": {"delivered": {"total": 7, "per_second": 0.5}},
            "failures": [],
            "partitions": [
                {"topic": "pop-events", "partition": 3, "backlog": 12, "moved_at": 999.0,
                 "oldest_unfinished_at": 990.5},
            ],
            "is_ending": False,
        },
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/still"])
def test_people_get_a_page(worker: Worker, path: str) -> None:
    """At the address that anybody would type; and one that stays as it is."""
    worker.status = replace(STATUS, joined=True)
    status, kind, text = worker.get(path)

    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert "GSTV fails nearly every event" in ReadPage(text).text_of("h1")
    assert ('http-equiv="refresh"' in text) == (path == "/")


PATHS = ["/", "/still", "/statusz", "/livez", "/readyz", "/metrics", "/nothing"]


@pytest.mark.parametrize("path", PATHS)
def test_a_browser_is_told_to_trust_nothing(worker: Worker, path: str) -> None:
    """Whatever a page might hold: no script runs, nothing is fetched, nothing is kept."""
    _, headers, _ = answer_of(worker.server, path)

    assert headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    # JSON is UTF-8 by itself.
    assert headers["Content-Type"] == "application/json" or headers.get_content_charset() == "utf-8"


@pytest.mark.parametrize("path", [*PATHS, "/" + "a" * 70_000])
def test_nothing_says_which_python_answers(worker: Worker, path: str) -> None:
    """Nor which server: the last is answered before a page is looked for."""
    _, headers, text = answer_of(worker.server, path)

    assert headers.get_all("Server") == ["pop-stream"]
    assert "WSGIServer" not in text


@pytest.mark.parametrize("path", PATHS)
def test_a_page_of_another_name_is_told_nothing(worker: Worker, path: str) -> None:
    """A page in this machine's browser, whose name its owner has lead to 127.0.0.1."""
    status, headers, text = answer_of(worker.server, path, Host="evil.example:9108")

    assert status == 421
    assert text == "This is answered under the names of this machine only, as localhost.\n"
    assert headers["Content-Type"] == "text/plain; charset=utf-8"


def test_prometheus_finds_it_under_any_name_where_it_listens_to_a_network() -> None:
    """By the name of a service, which it does not know itself."""
    server = serve(CollectorRegistry(), {}, host="0.0.0.0", port=0)  # noqa: S104
    try:
        status, _, _ = answer_of(server, "/metrics", Host="pop-stream-worker.apps.svc:9108")
    finally:
        server.close()

    assert status == 200


class BrokenCollector:
    """A defect of ours in what makes the metrics."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Fail."""
        raise RuntimeError("the secret of the metrics")

    def describe(self) -> list[GaugeMetricFamily]:
        """None, so that it is not asked before its time."""
        return []


@pytest.mark.parametrize("path", ["/broken", "/metrics"])
def test_a_page_that_fails_is_one_line_of_the_log_and_says_nothing(
    path: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its trace is in the log, and is not for who asked; the next page is answered."""

    def broken() -> Page:
        raise RuntimeError("the secret of the page")

    registry = CollectorRegistry()
    registry.register(BrokenCollector())
    pages = {"/broken": broken, "/well": lambda: Page("text/plain", b"well")}
    server = serve(registry, pages, host="127.0.0.1", port=0)
    try:
        with caplog.at_level(logging.ERROR):
            status, headers, text = answer_of(server, path)
        assert answer_of(server, "/well")[0] == 200
    finally:
        server.close()

    assert (status, text) == (500, "This page has failed; the log says why.\n")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    (record,) = caplog.records
    assert (record.getMessage(), vars(record)["path"]) == ("page.failed", path)
    assert record.exc_info is not None
    assert "secret" in str(record.exc_info[1])
    assert capfd.readouterr().err == ""


def test_a_name_that_is_no_text_is_shown_all_the_same(worker: Worker) -> None:
    """The group comes from the environment, and that may hold any bytes."""
    worker.status = replace(STATUS, group="pop\udcff")

    assert "<strong>pop?</strong>" in worker.get("/")[2]


@pytest.mark.parametrize(("ago", "status"), [(0.5, 200), (29.0, 200), (31.0, 503)])
def test_a_worker_lives_while_its_loop_turns(worker: Worker, ago: float, status: int) -> None:
    """Whatever Kafka and GSTV do meanwhile."""
    worker.status = replace(STATUS, looked_at=time.time() - ago, work=None)

    assert worker.checks("/livez") == (status, {"loop": status == 200})


def test_a_worker_that_starts_lives_and_is_not_ready(worker: Worker) -> None:
    """It may have to wait for Kafka; to kill it for that would not help."""
    worker.status = replace(STATUS, work=None)

    assert worker.checks("/livez") == (200, {"loop": True})
    assert worker.checks("/readyz") == (503, {"started": False, "group": False, "topics": True})


def test_a_worker_is_ready_in_its_group_though_gstv_is_down(worker: Worker) -> None:
    """An outage of the partner is no failed roll-out. STATUS is held back."""
    worker.status = replace(STATUS, joined=True)

    assert worker.checks("/readyz") == (200, {"started": True, "group": True, "topics": True})


def test_a_worker_whose_topics_are_gone_is_not_ready(worker: Worker) -> None:
    """A person must act, and sees it here."""
    worker.status = replace(STATUS, joined=True, missing_topics=1)

    assert worker.checks("/readyz") == (503, {"started": True, "group": True, "topics": False})


def test_a_page_that_is_not_there_names_those_that_are(worker: Worker) -> None:
    """Whoever types an address by hand is told what there is."""
    status, _, text = worker.get("/health")

    assert status == 404
    assert text.split("\n")[1:] == [
        "/metrics", "/", "/still", "/livez", "/readyz", "/statusz", ""]  # fmt: skip


def test_a_port_that_is_taken_is_an_error_at_once(worker: Worker) -> None:
    """Two workers cannot think that both are read."""
    with pytest.raises(SettingsError, match=r"POP_STREAM_METRICS_PORT.*in use.*another port"):
        worker.serve(worker.server.port)


def test_closed_it_listens_no_more() -> None:
    """The port is free again, for the next worker."""
    first = Worker()
    first.server.close()
    second = first.serve(first.server.port)
    second.close()

    assert second.port == first.server.port
