"""What a worker says of its work, and that it can be asked at any moment."""

import asyncio
import time
import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from pop_stream.pop.outcome import Answer
from pop_stream.stream.ledger import Place
from pop_stream.watch.server import Server
from pop_stream.watch.status import Status
from pop_stream.watch.worker_pages import worker_pages
from tests.unit.stream.all_work import All
from tests.unit.stream.fakes import EVENTS, FAILURE, RETRY, record, until
from tests.unit.stream.scene import EVENT


def test_the_status_tells_what_is_under_way_and_what_was_done() -> None:
    """Of each partition how far it is, and of all how much there is and how old."""

    async def scenario() -> None:
        all_ = All(max_in_flight=2)
        all_.work.look(100.0)
        all_.work.deliver(all_.arrivals.run(EVENTS, EVENT, EVENT, EVENT))
        all_.gstv.answer(Answer(200))
        all_.gstv.answer(Answer(500))
        await until(lambda: all_.kafka.on(RETRY))
        all_.gstv.oldest_started_at = 99.0
        all_.work.note_ends({Place(EVENTS, 0): 12, Place(RETRY, 0): 1, Place(FAILURE, 0): 0})
        all_.work.look(101.0)
        status = all_.work.status()

        assert (status.held, status.circuit, status.in_flight, status.unfinished) == (
            None, "closed", 1, 1)  # fmt: skip
        assert status.circuit_since == pytest.approx(time.time(), abs=5)
        assert status.oldest_unfinished_at == 1_795_168_800.0
        assert status.oldest_attempt_at == pytest.approx(time.time() - 2, abs=1)
        # The retry topic's record was never taken, and nothing is known of its commit.
        assert (status.backlog, status.backlog_growth) == (10, None)
        assert status.backlog_at == pytest.approx(time.time(), abs=5)
        assert {name: flow.total for name, flow in status.flows.items() if flow.total} == {
            "taken": 3, "delivered": 1, "retried": 1}  # fmt: skip
        assert [(one.reason, one.retried) for one in status.failures] == [("transient", 1)]
        assert [
            (one.topic, one.backlog, one.oldest_unfinished_at) for one in status.partitions
        ] == [(EVENTS, 10, 1_795_168_800.0), (FAILURE, None, None), (RETRY, None, None)]
        assert not status.is_ending
        all_.work.begin_to_end()
        assert all_.work.status().is_ending

    asyncio.run(scenario())


def test_a_record_without_a_time_has_no_age() -> None:
    """Its time is -1: that is no event of 1969."""

    async def scenario() -> None:
        all_ = All()
        run = all_.arrivals.ledger.take(EVENTS, 0, [record(0, EVENT, timestamp=-1)])
        assert run is not None
        all_.work.deliver(run)
        all_.work.look(100.0)

        assert all_.work.status().oldest_unfinished_at is None

    asyncio.run(scenario())


def test_looks_leave_a_history() -> None:
    """A sample each ten seconds, and no more than an hour of them."""

    async def scenario() -> None:
        all_ = All()
        assert all_.work.samples == ()
        for second in range(60):
            all_.work.look(100.0 + second)

        assert len(all_.work.samples) == 6

    asyncio.run(scenario())


def test_the_page_is_there_while_the_loop_stands_still() -> None:
    """That is when somebody looks at it. The answer comes before the loop turns again."""

    async def scenario() -> None:
        all_ = All()
        all_.work.deliver(all_.arrivals.run(EVENTS, EVENT))
        all_.work.look(time.monotonic())

        def look() -> Status:
            return Status(
                version="1.2.3",
                group="pop-stream",
                stages=("forward",),
                looked_at=time.time() - 42,
                joined=True,
                work=all_.work.status(),
            )

        pages = worker_pages(look, lambda: all_.work.samples)
        server = Server(CollectorRegistry(), pages, host="127.0.0.1", port=0)
        try:
            # Not awaited: the loop is blocked until the page is there.
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=10) as answer:  # noqa: ASYNC210
                page = answer.read().decode()
        finally:
            server.close()

        assert "The worker has stood still for 42\u00a0s" in page
        assert "1 taken and not finished" in page

    asyncio.run(scenario())
