"""Virtual time: a clock that only jumps, and an asyncio loop that runs one handle when told to."""

import asyncio
import heapq
import logging
import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, copy_context
from datetime import UTC, datetime, tzinfo
from itertools import count
from typing import Any, Final

import pytest

from pop_stream.pop import recent
from pop_stream.stream import (
    claim,
    deliveries,
    event_log,
    forwarder,
    gate,
    notifier,
    pacer,
    receipts,
    work,
)

_EPOCH_SECONDS: Final = 1_800_000_000
#: No play is in the future.
_LATEST: Final = "2099-12-31 00:00:00"


class VirtualTime:
    """Stands in for the module `time`. It stands still until somebody moves `now`."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return _EPOCH_SECONDS + self.now

    def time_ns(self) -> int:
        return _EPOCH_SECONDS * 1_000_000_000 + int(self.now * 1e9)

    @property
    def ms(self) -> int:
        """Epoch milliseconds."""
        return self.time_ns() // 1_000_000


class _VirtualDatetime:
    """Stands in for the class `datetime`."""

    @staticmethod
    def now(zone: tzinfo) -> datetime:
        return datetime.fromtimestamp(TIME.time(), zone)


class _Chance:
    """Stands in for the module `random`."""

    def __init__(self) -> None:
        self.rng = random.Random(0)

    def random(self) -> float:
        return self.rng.random()


TIME: Final = VirtualTime()
CHANCE: Final = _Chance()


@contextmanager
def virtual_time() -> Iterator[None]:
    """Let the core see the virtual clock and the schedule's own chance; and write no log.

    What shows an outage is made smaller too: a schedule has a dozen events, not thousands.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (claim, deliveries, forwarder, gate, notifier, pacer, receipts, work):
            for name, stand_in in (
                ("time", TIME), ("random", CHANCE), ("datetime", _VirtualDatetime),
            ):  # fmt: skip
                if hasattr(module, name):
                    patch.setattr(module, name, stand_in)
        patch.setattr(forwarder, "latest_local_time", lambda _: _LATEST)
        patch.setattr(event_log.EventLog.__init__, "__defaults__", (TIME.monotonic,))
        patch.setattr(recent, "_LAST", 4)
        patch.setattr(recent, "_NEARLY_ALL", 3)
        patch.setattr(recent, "_SCREENS", 2)
        disabled = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(disabled)


class _Handle:
    """A callback that will run. Lighter than asyncio's: a schedule makes fifty of them."""

    __slots__ = ("args", "callback", "context", "is_cancelled")

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> None:
        self.callback = callback
        self.args = args
        self.context = copy_context() if context is None else context
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class VirtualLoop(asyncio.AbstractEventLoop):
    """The loop of one worker. A crash may come between any two of its handles: at every await."""

    def __init__(self, on_error: Callable[[str], None]) -> None:
        self.ready: deque[_Handle] = deque()
        self._timers: list[tuple[float, int, _Handle]] = []
        self._ticket = count()
        self._tasks: list[asyncio.Task[Any]] = []
        self._on_error = on_error
        self.dead = False

    # What asyncio asks for

    def time(self) -> float:
        return TIME.now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> _Handle:
        handle = _Handle(callback, args, context)
        self.ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> _Handle:
        handle = _Handle(callback, args, context)
        heapq.heappush(self._timers, (TIME.now + delay, next(self._ticket), handle))
        return handle

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None
    ) -> "asyncio.Task[Any]":
        task = asyncio.Task(coro, loop=self, name=name or "-", context=context)
        self._tasks.append(task)
        return task

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return not self.dead

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        # What was dropped in a crash complains when it is collected.
        if not self.dead:
            self._on_error(f"{context.get('message')}: {context.get('exception')!r}")

    # What the world asks for

    def run(self, handles: int) -> None:
        """Run so many ready handles, or as many as there are."""
        ready = self.ready
        asyncio._set_running_loop(self)
        try:
            while handles and ready:
                handle = ready.popleft()
                handles -= 1
                if not handle.is_cancelled:
                    try:
                        handle.context.run(handle.callback, *handle.args)
                    except Exception as error:  # noqa: BLE001 - as asyncio does
                        self._on_error(f"{handle.callback}: {error!r}")
        finally:
            asyncio._set_running_loop(None)

    def call(self, function: Callable[[], object]) -> None:
        """Run a function as if within this loop."""
        asyncio._set_running_loop(self)
        try:
            function()
        finally:
            asyncio._set_running_loop(None)

    def next_timer(self) -> float | None:
        """When the next timer fires."""
        timers = self._timers
        while timers and timers[0][2].is_cancelled:
            heapq.heappop(timers)
        return timers[0][0] if timers else None

    def wake(self) -> None:
        """Make ready what is due."""
        timers = self._timers
        while timers and timers[0][0] <= TIME.now:
            timer = heapq.heappop(timers)[2]
            if not timer.is_cancelled:
                self.ready.append(timer)

    def kill(self) -> None:
        """Drop everything, as a kill does."""
        self.dead = True
        for task in self._tasks:
            if not task.done():
                # Now, and not when it is collected.
                task.get_coro().close()
        self.ready.clear()
        self._timers.clear()


__all__ = ["CHANCE", "TIME", "UTC", "VirtualLoop", "VirtualTime", "virtual_time"]
