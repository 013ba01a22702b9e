"""Tells people of a storm of failures once a minute, with numbers.

A million parked events are a million records on the failure topic and as many notifications. For
whoever reads the log they are one trouble.
"""

import logging
from collections import Counter

from pop_stream.watch.tally import Tally

log = logging.getLogger(__name__)

WINDOW_SECONDS = 60.0


class FailureDigest:
    """How many events were parked since it was last told, and why. Times are monotonic seconds."""

    def __init__(self, tally: Tally, window_seconds: float = WINDOW_SECONDS) -> None:
        self._tally = tally
        self._window_seconds = window_seconds
        self._told: Counter[tuple[str, ...]] = Counter()
        self._told_at: float | None = None

    def look(self, now: float) -> None:
        """Tell, if a window is over and anything was parked in it."""
        if self._told_at is None:
            self._told_at = now
        elif now - self._told_at >= self._window_seconds:
            self.tell(now)

    def tell(self, now: float) -> None:
        """Tell of what was parked since it was last told."""
        failures = self._tally.failed_events.copy()
        new = failures - self._told
        if new:
            log.warning(
                "failures.parked",
                extra={"count": new.total(), "reasons": {name: n for (name,), n in new.items()},
                       "seconds": round(now - (self._told_at or now), 1),
                       "since_start": failures.total()},
            )  # fmt: skip
        self._told, self._told_at = failures, now
