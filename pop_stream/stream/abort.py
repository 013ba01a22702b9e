"""The one way out for the unexpected: say why, and end the process.

An unexpected exception means that nothing is known about the event it struck. Faust would restart
the agent over the hole, and that partition would never be committed again. So the process ends,
with nothing acknowledged that is not finished; whatever runs it starts it anew, and the events
since the last commit are read again.
"""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

log = logging.getLogger(__name__)


class Abort:
    """Ends the process, once. Safe to call from any thread."""

    def __init__(self, exit_code: int = 1) -> None:
        self._exit_code = exit_code
        self._once = threading.Lock()

    def __call__(self, why: str, error: BaseException | None = None) -> NoReturn:
        """Log why, and end. Never returns."""
        if self._once.acquire(blocking=False):
            log.critical("worker.aborted", exc_info=error, extra={"why": why})
            logging.shutdown()
        # Not sys.exit(): that needs a loop that still turns and threads that still end.
        os._exit(self._exit_code)

    @contextmanager
    def on_error(self, where: str) -> Iterator[None]:
        """Abort if the block raises what it should not."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the last boundary
            self(f"unexpected {type(error).__name__} in {where}", error)
