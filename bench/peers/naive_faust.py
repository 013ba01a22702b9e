"""The naive way: what the documentation of Faust and aiohttp leads a good user to write.

Stock transport, one shared session, one POST for each event, and an agent's `concurrency` for
many at once. It does less than pop-stream: it checks, retries and counts nothing.

    python -m bench.peers.naive_faust worker --without-web
"""

import os

import aiohttp
import faust

from bench.peers.job import Job


class App(faust.App):
    """A Faust app with a session that all its agents share."""

    session: aiohttp.ClientSession
    connections = 100

    async def on_start(self) -> None:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.connections),
            headers={"Content-Type": "application/json"},
        )

    async def on_stop(self) -> None:
        await self.session.close()


def make_app(job: Job) -> App:
    """Make the app: `in_flight` POSTs at once, the bytes of an event passed on as they are."""
    app = App(job.group, broker=f"kafka://{job.broker}", store="memory://")
    app.connections = job.in_flight
    events = app.topic(job.topic, value_type=bytes, value_serializer="raw")

    @app.agent(events, concurrency=job.in_flight)
    async def forward(stream: faust.StreamT[bytes]) -> None:
        async for event in stream:
            async with app.session.post(job.url, data=event) as response:
                response.raise_for_status()

    return app


if __name__ == "__main__":
    make_app(Job.from_environment(os.environ)).main()
