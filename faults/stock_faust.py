"""A forwarder as one would write it with stock Faust: the negative control of commit safety.

It does what pop-stream does on the way of an event that is accepted in the end: many POSTs at a
time, each repeated until GSTV takes the event. And it does so with care: `stream.noack()`, and
`event.ack()` once GSTV has the event. (As in Faust's own examples, without `noack()`, an event is
acknowledged as soon as the agent asks for the next one.)

`python -m faults.stock_faust worker --without-web`, with the variables of a pop-stream worker.
"""

import asyncio
import os
import tempfile
from typing import cast

import aiohttp
import faust

_IN_FLIGHT = 200


def _app(broker: str, group: str, topic_name: str, url: str) -> faust.App:
    app = faust.App(
        group,
        broker=[f"kafka://{server}" for server in broker.split(",")],
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
    names = ("KAFKA_BOOTSTRAP_SERVERS", "GROUP", "EVENTS_TOPIC", "GSTV_URL")
    _app(*(os.environ[f"POP_STREAM_{name}"] for name in names)).main()
