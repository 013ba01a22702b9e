"""Turns the signals that end a program into something that can be awaited."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

Result = TypeVar("Result")

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class InterruptedRunError(Exception):
    """A signal came before the work was done."""


class Signals:
    """Catches SIGINT, SIGTERM and SIGHUP from now on, as long as the loop runs."""

    def __init__(self) -> None:
        self._came = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in _ENDING:
            loop.add_signal_handler(number, self._came.set)

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
