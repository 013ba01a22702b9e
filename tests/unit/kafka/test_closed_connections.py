"""A connection that a broker has reset is one that is gone, on uvloop too."""

import asyncio
import socket

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from pop_stream.kafka.closed_connections import expect_closed_connections


def test_a_request_on_a_closed_connection_fails_as_callers_expect() -> None:
    """Not with uvloop's RuntimeError, which ends the task that sends."""
    expect_closed_connections()

    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            connection = AIOKafkaConnection("127.0.0.1", server.getsockname()[1])
            reader = asyncio.StreamReader()
            protocol = asyncio.StreamReaderProtocol(reader)
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_connection(lambda: protocol, *server.getsockname())
            connection._writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            connection._read_task = loop.create_future()
            transport.abort()
            await asyncio.sleep(0.01)
            with pytest.raises(KafkaConnectionError, match="closed"):
                connection.send(ApiVersionRequest())
            assert not connection.connected()

    uvloop.run(scenario())
