"""A forwarder as one would write it with stock Faust: the negative control of commit safety.

It does what pop-stream does on the way of an event that is accepted in the end: many POSTs at a
time, each repeated until GSTV takes the event. And it does so with care: `stream.noack()`, and
`event.ack()` once GSTV has the event. (As in Faust's own examples, without `noack()`, an event is
acknowledged as soon as the agent asks for the next one.)

Run as a program, with the environment that `running_stock_faust` gives.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import cast

import aiohttp
import faust

from pop_stream.settings import Settings

_IN_FLIGHT = 200


@contextmanager
def running_stock_faust(settings: Settings, gstv_url: str, log_path: Path) -> Iterator[None]:
    """Run the control on the events and in the group of `settings`; at the end it is killed."""
    environment = {
        "STOCK_BROKER": f"kafka://{settings.kafka_bootstrap_servers}",
        "STOCK_GROUP": settings.group,
        "STOCK_TOPIC": settings.events_topic,
        "STOCK_URL": gstv_url,
    }
    argv = [sys.executable, __file__, "worker", "--without-web", "--loglevel", "info"]
    with (
        log_path.open("wb") as log,
        Popen(argv, env=os.environ | environment, stdin=DEVNULL, stdout=log, stderr=log) as process,
    ):
        try:
            yield
        finally:
            process.kill()


def _app(broker: str, group: str, topic_name: str, url: str) -> faust.App:
    app = faust.App(
        group,
        broker=broker,
        # As often as pop-stream commits.
        broker_commit_interval=0.1,
        topic_allow_declare=False,
        topic_disable_leader=True,
        value_serializer="raw",
        store="memory://",
        datadir=tempfile.gettempdir(),
    )
    topic = app.topic(topic_name, key_type=bytes, value_type=bytes)
    under_way: set[asyncio.Task[None]] = set()

    async def post(session: aiohttp.ClientSession, event: faust.EventT[bytes]) -> None:
        headers = {"Idempotency-Key": event.headers["pop-id"].decode()}
        while True:
            async with session.post(url, data=event.value, headers=headers) as answer:
                if answer.ok:
                    break
        event.ack()

    @app.agent(topic)
    async def forward(events: faust.StreamT[bytes]) -> None:
        stream = cast(faust.Stream[bytes], events)
        connector = aiohttp.TCPConnector(limit=_IN_FLIGHT)
        async with aiohttp.ClientSession(connector=connector) as session:
            async for event in stream.noack().events():
                task = asyncio.create_task(post(session, event))
                under_way.add(task)
                task.add_done_callback(under_way.discard)

    return app


if __name__ == "__main__":
    names = ("BROKER", "GROUP", "TOPIC", "URL")
    _app(*(os.environ[f"STOCK_{name}"] for name in names)).main()
