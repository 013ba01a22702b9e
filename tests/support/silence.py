"""A partner behind a firewall that swallows connections."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def swallowing_connections() -> Iterator[int]:
    """Give a port on which connections are neither accepted nor refused, until the block ends."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port: int = listener.getsockname()[1]
        for _ in range(2):
            # The first fills the queue of those that wait to be accepted; then it is shut.
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        yield port
