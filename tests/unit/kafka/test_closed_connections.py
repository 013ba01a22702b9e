"""A connection that a broker has reset is one that is gone, and one that is closed ends."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection, AIOKafkaProtocol
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from pop_stream.kafka.closed_connections import expect_closed_connections
from tests.support.gstv_server import CERTS


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


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server with TLS that shakes hands, and then neither reads nor says anything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTS / "server.pem")
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with context.wrap_socket(peer, server_side=True):
                over.wait()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        over.set()
        thread.join()


def test_a_connection_ends_although_the_broker_says_no_goodbye(silent_port: int) -> None:
    """While it owes an answer it says none: a worker in a rebalance did not end in its 25 s."""
    expect_closed_connections()
    trusting = ssl.create_default_context(cafile=CERTS / "ca.pem")
    trusting.check_hostname = False

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        connection, reader = AIOKafkaConnection("127.0.0.1", silent_port), asyncio.StreamReader()
        connection._closed_fut = ended = loop.create_future()
        protocol = AIOKafkaProtocol(ended, reader, loop=loop)
        transport, _ = await loop.create_connection(
            lambda: protocol, "127.0.0.1", silent_port, ssl=trusting
        )
        connection._reader = reader
        connection._writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        connection._read_task = loop.create_future()
        try:
            # By itself it ends after 30 s.
            await asyncio.wait_for(connection.close(), 15)
        finally:
            transport.abort()

    uvloop.run(scenario())
