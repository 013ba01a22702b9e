"""The app as it is made of settings, before it connects to anything."""

import asyncio

import pytest

from pop_stream.settings import Settings
from pop_stream.stream.app import PopStreamApp


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
    assert app.kafka_options["bootstrap_servers"]
