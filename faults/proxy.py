"""A TCP proxy for one link that treats it badly on request.

It runs in a thread of its own, on 127.0.0.1:

```
with Proxy.start(("127.0.0.1", mock.port), seed=7) as proxy:
    ...                                             # clients connect to proxy.port
    proxy.apply(Delay((0.01, 0.05), direction="down"))
    proxy.apply(CutAfter((0, 100_000)))             # besides the delay
    proxy.heal()
    assert proxy.counts.cut
```

What the faults do is told in `faults.proxy_faults`. The same seed gives the same draws to the
connection of the same number, by order of arrival, in the same direction.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

import uvloop

from faults.proxy_faults import (
    Blackhole,
    Counts,
    CutAfter,
    Delay,
    Fault,
    HalfClose,
    Refuse,
    Reset,
    Throttle,
)
from faults.proxy_server import Server

__all__ = [
    "Blackhole",
    "Counts",
    "CutAfter",
    "Delay",
    "Fault",
    "HalfClose",
    "Proxy",
    "Refuse",
    "Reset",
    "Throttle",
]

T = TypeVar("T")

_PATIENCE_SECONDS: Final = 20.0


class Proxy:
    """A proxy that is listening. What it offers is for other threads than its own.

    Each call returns when it is done: after `apply(Reset())` the RSTs are out, after
    `apply(Blackhole())` no byte gets by.
    """

    def __init__(self, upstream: tuple[str, int], port: int, seed: int) -> None:
        self._server = Server(upstream, port, seed)
        self._started: Future[asyncio.AbstractEventLoop] = Future()
        self._ended: Future[None] = Future()

    @classmethod
    @contextmanager
    def start(cls, upstream: tuple[str, int], *, port: int = 0, seed: int = 0) -> Iterator["Proxy"]:
        """Run a proxy to the server at this IPv4 address and port. A `port` of 0 is any free one.

        With the context its connections are closed. If it had to give up, why is raised then.
        """
        proxy = cls(upstream, port, seed)
        thread = threading.Thread(target=proxy._run, name=f"proxy-{proxy.port}", daemon=True)
        thread.start()
        loop = proxy._started.result(_PATIENCE_SECONDS)
        try:
            yield proxy
        finally:
            # Its loop is closed already if it had to give up.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(proxy._server.stop)
            thread.join(_PATIENCE_SECONDS)
        proxy._ended.result(0)

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return self._server.port

    def apply(self, fault: Fault) -> None:
        """Begin a fault, beside those there are; of one kind in one direction, the last counts."""
        self._ask(lambda: self._server.apply(fault))

    def heal(self) -> None:
        """End all faults: what was held back goes on its way, and the port is open again."""
        self._ask(self._server.heal)

    @property
    def counts(self) -> Counts:
        """What has happened up to now, or up to the end."""
        return self._server.counts() if self._ended.done() else self._ask(self._server.counts)

    def _run(self) -> None:
        try:
            uvloop.run(self._server.serve(self._started.set_result))
        except BaseException as error:  # noqa: BLE001 - raised again where the proxy is used
            waiting = self._ended if self._started.done() else self._started
            waiting.set_exception(error)
        else:
            self._ended.set_result(None)

    def _ask(self, work: Callable[[], T]) -> T:
        """Have it done in the proxy's thread."""
        answer: Future[T] = Future()

        def do() -> None:
            try:
                answer.set_result(work())
            except Exception as error:  # noqa: BLE001 - raised again where it was asked for
                answer.set_exception(error)

        if self._ended.done():
            self._ended.result()
        self._started.result().call_soon_threadsafe(do)
        return answer.result(_PATIENCE_SECONDS)
