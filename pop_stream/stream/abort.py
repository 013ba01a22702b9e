"""The one way out for the unexpected: say why, and end the process.

An unexpected exception means that nothing is known about the event it struck. Faust would restart
the agent over the hole, and that partition would never be committed again. So the process ends,
with nothing acknowledged that is not finished; whatever runs it starts it anew, and the events
since the last commit are read again.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

log = logging.getLogger(__name__)

_TELL_SECONDS = 3.0


class Abort:
    """Ends the process, once. Safe to call from any thread."""

    def __init__(self, exit_code: int = 1) -> None:
        self._exit_code = exit_code
        self._once = threading.Lock()

    def __call__(
        self, why: str, error: BaseException | None = None, *, stack: str | None = None
    ) -> NoReturn:
        """Log why, and end. Never returns. `stack` tells where a stuck thread stands."""
        if self._once.acquire(blocking=False):
            # In a thread of its own: what is stuck may be the log's own lock, or its pipe.
            teller = threading.Thread(target=_tell, args=(why, error, stack), daemon=True)
            teller.start()
            teller.join(_TELL_SECONDS)
        # Not sys.exit(): that needs a loop that still turns and threads that still end.
        os._exit(self._exit_code)

    @contextmanager
    def on_error(self, where: str, *, unless: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Abort if the block raises what it should not, `unless` it no longer matters."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the last boundary
            if not unless():
                self(f"unexpected {type(error).__name__} in {where}", error)

    @contextmanager
    def unless_within(self, seconds: float, why: str) -> Iterator[None]:
        """Abort if the block takes longer. A thread watches, for the loop may be what is stuck."""
        timer = threading.Timer(seconds, self, args=(why,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _tell(why: str, error: BaseException | None, stack: str | None) -> None:
    log.critical("worker.aborted", exc_info=error, extra={"why": why, "stack": stack})
    logging.shutdown()
