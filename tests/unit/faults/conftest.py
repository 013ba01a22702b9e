"""Fixtures of the tests of the proxy."""

from collections.abc import Iterator

import pytest

from faults.proxy import Proxy
from tests.unit.faults.proxy_ends import EchoServer


@pytest.fixture
def server() -> Iterator[EchoServer]:
    """A server that sends back what it gets."""
    with EchoServer.start() as running:
        yield running


@pytest.fixture
def proxy(server: EchoServer) -> Iterator[Proxy]:
    """A proxy to it, without faults as yet."""
    with Proxy.start(server.address, seed=1) as running:
        yield running
