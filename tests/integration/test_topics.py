import asyncio

from pop_stream.settings import Settings
from tests.support.kafka import Outgoing, committed, produce, read_all


def test_what_was_produced_can_be_read(topics: Settings) -> None:
    """Records come back with keys, values and headers untouched."""

    async def scenario() -> None:
        servers = topics.kafka_bootstrap_servers
        sent = [
            Outgoing(key=b"s/1", value=b"{}", headers=[("pop-id", b"1")]),
            Outgoing(key=None, value=b"not JSON"),
            Outgoing(key=b"s/2", value=None),
        ]
        await produce(servers, topics.events_topic, sent)
        got = await read_all(servers, topics.events_topic)
        assert {(r.key, r.value, r.headers) for r in got} == {
            (b"s/1", b"{}", (("pop-id", b"1"),)),
            (None, b"not JSON", ()),
            (b"s/2", None, ()),
        }
        assert await committed(servers, topics.group, topics.events_topic) == {}

    asyncio.run(scenario())
