"""The app as it is made of settings, before it connects to anything."""

import asyncio
import time
from typing import cast

import pytest

from pop_stream.settings import Settings
from pop_stream.stream.app import PopStreamApp
from pop_stream.stream.ledger import Commit, Place
from pop_stream.stream.transport import Consumer
from pop_stream.watch.page.render import render


@pytest.mark.parametrize(
    "servers", ["kafka-1", "127.0.0.1:19092", "kafka-1:9092,kafka-2:9093,kafka-3", "[::1]:9092"]
)
def test_any_number_of_bootstrap_servers_will_do(servers: str) -> None:
    """A cluster has several, and a worker is told of more than one of them."""

    async def make() -> PopStreamApp:
        return PopStreamApp(
            Settings(kafka_bootstrap_servers=servers, gstv_url="http://127.0.0.1:1/pops")
        )

    app = asyncio.run(make())

    assert len(app.transport.url) == 1 + servers.count(",")


def test_before_it_starts_it_has_a_status_already() -> None:
    """Whoever looks while it waits for Kafka sees that it does; retries may take what they may."""

    async def make() -> PopStreamApp:
        return PopStreamApp(
            Settings(gstv_url="http://127.0.0.1:1/pops", retry_backoff_seconds="10,20,70")
        )

    app = asyncio.run(make())
    status = app._status()

    assert status.work is None
    assert status.began_at == pytest.approx(time.time(), abs=60)
    assert status.still_seconds == 60 + 2 * 100
    assert app._samples() == ()


def test_what_may_be_gone_is_counted_from_the_start() -> None:
    """For each topic that it consumes: the first that is gone must wake somebody."""
    app = PopStreamApp(Settings(gstv_url="http://127.0.0.1:1/", stages=("forward", "retry")))

    assert app.tally.gone_events == {("pop-events",): 0, ("pop-events-retry",): 0}


def test_deliveries_are_receipted_where_that_is_set() -> None:
    """By the forwarder and the transport alike; without the setting by nobody."""

    async def scenario() -> None:
        for setting, is_on in (("on", True), ("off", False)):
            app = PopStreamApp(Settings(gstv_url="http://127.0.0.1:1/pops", receipts=setting))
            work = app._put_together()

            assert (app.receipts is not None) is is_on
            assert work._forwarder._receipts is app.receipts
            await work.aclose()

    asyncio.run(scenario())


def test_what_is_seen_of_its_partitions_reaches_its_page() -> None:
    """All parts as they are put together, but for Kafka and GSTV."""

    async def scenario() -> None:
        app = PopStreamApp(Settings(gstv_url="http://127.0.0.1:1/pops"))
        consumer = cast(Consumer, app.consumer)
        app._work = app._put_together()
        place = Place("pop-events", 3)
        app.ledger.open({place}, {place: Commit(30)})
        app.tally.rebalances[()] += 1
        consumer._continuity._note_ends({place: 42})
        app._work.look(time.monotonic())
        status = app._status()

        assert status.work is not None
        assert (status.joined, status.work.backlog) == (True, 12)
        assert len(app._samples()) == 1
        page = render(status, app._samples(), time.time())
        assert "Waiting: 12 events to be fetched" in page
        await app._work.aclose()
        # Its thread was never started, and has made its loop already.
        consumer._thread.thread_loop.close()

    asyncio.run(scenario())
