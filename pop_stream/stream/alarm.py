"""Wakes somebody at one time, which may be changed."""

import asyncio
from collections.abc import Callable

from pop_stream.stream.claim import now_ms


class Alarm:
    """Rings once at the time it is set to. Belongs to one event loop."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._at: int | None = None

    @property
    def is_set(self) -> bool:
        """Whether it will ring."""
        return self._handle is not None

    def set(self, at: int | None) -> None:
        """Ring at that time, in epoch milliseconds, and not before; None: not at all."""
        if at == self._at:
            return
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._at = at
        if at is not None:
            # A millisecond more, so that the clocks agree that the time has come.
            seconds = max(at - now_ms(), 0) / 1000 + 0.001
            self._handle = self._loop.call_later(seconds, self._now)

    def _now(self) -> None:
        self._handle = self._at = None
        self._ring()
