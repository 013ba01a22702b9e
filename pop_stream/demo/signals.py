"""Turns the signals that end a program into something that can be awaited."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Self, TypeVar

Result = TypeVar("Result")

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class InterruptedRunError(Exception):
    """A signal came before the work was done."""


class Signals:
    """Catches SIGINT, SIGTERM and SIGHUP in a `with` block, in the running loop."""

    def __init__(self) -> None:
        self._came = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> Self:
        for number in _ENDING:
            self._loop.add_signal_handler(number, self._came.set)
        return self

    def __exit__(self, *_: object) -> None:
        # A loop that closes ends its own pipe first and its handlers then: a signal in between
        # would print "Bad file descriptor".
        for number in _ENDING:
            self._loop.remove_signal_handler(number)

    async def wait(self) -> None:
        """Wait for a signal."""
        await self._came.wait()

    async def guard(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do the work; when a signal comes first, cancel it and raise InterruptedRunError."""
        task = asyncio.create_task(work)
        signal_came = asyncio.create_task(self._came.wait())
        try:
            await asyncio.wait({task, signal_came}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
        finally:
            signal_came.cancel()
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
        raise InterruptedRunError
