"""Ends a worker that no longer gets anywhere, so that a fresh one can.

It runs in a thread, for a loop that is stuck cannot tell.
"""

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable

from pop_stream.stream.abort import Abort
from pop_stream.watch.health import STUCK_LOOP_SECONDS

_LOOK_SECONDS = 1.0


class Watchdog:
    """Looks once a second from inside the loop, and judges from outside."""

    def __init__(
        self,
        *,
        look: Callable[[float], float],
        abort: Abort,
        progress_seconds: float,
        late: Callable[[float], None] = lambda _: None,
        stuck_loop_seconds: float = STUCK_LOOP_SECONDS,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        """`look(now)` says for how many seconds work has not moved; it is called in the loop.

        `late(seconds)` is told with each look how much later it came than it should.
        """
        self._look = look
        self._abort = abort
        self._progress_seconds = progress_seconds
        self._stuck_loop_seconds = stuck_loop_seconds
        self._look_seconds = look_seconds
        self._late = late
        self._stopped = threading.Event()
        self._still_for = 0.0
        self._looked_at = time.monotonic()
        self._loop_thread = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look, in the running loop."""
        self._loop_thread = threading.get_ident()
        self._task = asyncio.get_running_loop().create_task(self._keep_looking())
        threading.Thread(target=self._judge, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        if self._task is not None:
            self._task.cancel()

    async def _keep_looking(self) -> None:
        with self._abort.on_error("the watchdog"):
            while True:
                now = time.monotonic()
                self._still_for = self._look(now)
                self._looked_at = now
                await asyncio.sleep(self._look_seconds)
                self._late(time.monotonic() - now - self._look_seconds)

    def _judge(self) -> None:
        before = time.monotonic()
        while not self._stopped.wait(self._look_seconds):
            now = time.monotonic()
            if now - before > 5 * self._look_seconds:
                # The whole process stood still (SIGSTOP, a suspended machine): the loop did too.
                self._looked_at = now
            before = now
            if now - self._looked_at > self._stuck_loop_seconds:
                self._abort("the event loop is stuck", stack=self._stack_of_loop())
            if self._still_for > self._progress_seconds:
                self._abort(f"no progress for {self._still_for:.0f} s while there is work")

    def _stack_of_loop(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 - no public way
        return "".join(traceback.format_stack(frame, limit=20)) if frame else ""
