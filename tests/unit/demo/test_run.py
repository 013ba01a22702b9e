import asyncio
import io
import time

import pytest
from rich.console import Console

from pop_stream.demo import watch
from pop_stream.demo.processes import Children
from pop_stream.demo.run import Listeners, Order, Place, run
from pop_stream.demo.screen import Screen

#: A worker as it must not be: it commits every event, but delivers only two of three.
LOSING_WORKER = """
import asyncio, os, signal, urllib.error, urllib.request
from aiokafka import AIOKafkaConsumer

def post(record):
    headers = {"Idempotency-Key": '"%s"' % dict(record.headers)["pop-id"].decode()}
    url = os.environ["POP_STREAM_GSTV_URL"]
    request = urllib.request.Request(url, record.value, headers, method="POST")
    try:
        urllib.request.urlopen(request).close()
    except (urllib.error.HTTPError, ConnectionError):
        pass

async def work():
    async with AIOKafkaConsumer(
        os.environ["POP_STREAM_EVENTS_TOPIC"],
        bootstrap_servers=os.environ["POP_STREAM_KAFKA_BOOTSTRAP_SERVERS"],
        group_id=os.environ["POP_STREAM_GROUP"],
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        seen = 0
        async for record in consumer:
            seen += 1
            if seen % 3 and record.headers:
                await asyncio.to_thread(post, record)
            await consumer.commit()

async def main():
    task = asyncio.create_task(work())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await asyncio.wait({task})

asyncio.run(main())
"""


class SabotagedChildren(Children):
    """Starts the losing worker in place of the real one."""

    def start(self, name, *arguments, environment):
        """Start a child; the worker is another one than was asked for."""
        if name != "worker":
            return super().start(name, *arguments, environment=environment)
        program, self._program = self._program, ("-c", LOSING_WORKER)
        try:
            return super().start(name, environment=environment)
        finally:
            self._program = program


@pytest.mark.timeout(120)
def test_a_worker_that_loses_events_is_caught(topics, tmp_path, monkeypatch):
    """Committed but nowhere: such events are counted as lost, and the run has failed."""
    monkeypatch.setattr(watch, "STALL_SECONDS", 5.0)
    reports = []
    with SabotagedChildren(tmp_path) as children:
        place = Place(
            settings=topics,
            is_borrowed=False,
            folder=tmp_path,
            children=children,
            screen=Screen(Console(file=io.StringIO())),
        )
        order = Order(events=90, seed=1, keep=False, outage=False, begun_at=time.monotonic())
        code = asyncio.run(run(order, place, Listeners(report=reports.append, kept=print)))
    (report,) = reports

    assert code == 1
    assert report.failure is not None
    assert "nothing happened" in report.failure
    assert report.account.produced == 90
    assert report.account.delivered > 0
    assert report.account.lost >= 30
    assert report.account.lost + report.account.delivered == 90
    assert report.account.unfinished == 0
