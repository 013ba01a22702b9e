"""The way with Quix Streams and requests: a custom sink that posts in threads.

Quix Streams takes one event after the other and knows nothing of `asyncio`. What it documents for
destinations of one's own is a sink: this one sends each event off as it comes, in a pool of as
many threads as POSTs may be under way, and confirms all of them when a checkpoint is flushed;
only then are offsets committed. A `BatchingSink` would post partition by partition, and let most
threads wait at the end of each.

    python -m bench.peers.quix_requests
"""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from threading import local

import requests
from quixstreams import Application
from quixstreams.sinks.base import BaseSink

from bench.peers.job import Job

_EVENTS_A_COMMIT = 5000


class HttpSink(BaseSink):
    """Posts the bytes of each event as they are."""

    def __init__(self, url: str, in_flight: int) -> None:
        super().__init__()
        self._url = url
        self._threads = ThreadPoolExecutor(in_flight, initializer=self._open_session)
        self._local = local()
        self._posts: list[Future[None]] = []

    def _open_session(self) -> None:
        self._local.session = session = requests.Session()
        session.headers["Content-Type"] = "application/json"
        # Else proxies and passwords are looked for in the environment and in files, every time.
        session.trust_env = False

    def add(self, value: bytes, **_: object) -> None:
        """Send an event off; its key, place and time are not asked for."""
        self._posts.append(self._threads.submit(self._post, value))

    def _post(self, event: bytes) -> None:
        self._local.session.post(self._url, data=event).raise_for_status()

    def flush(self) -> None:
        """Wait for all; one that failed raises, and ends the checkpoint without a commit."""
        posts, self._posts = self._posts, []
        for post in posts:
            post.result()


def make_app(job: Job) -> Application:
    """Make the app: a checkpoint after so many events, or after five seconds."""
    app = Application(
        job.broker,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        commit_every=_EVENTS_A_COMMIT,
    )
    events = app.topic(job.topic, value_deserializer="bytes")
    app.dataframe(events).sink(HttpSink(job.url, job.in_flight))
    return app


if __name__ == "__main__":
    make_app(Job.from_environment(os.environ)).run()
