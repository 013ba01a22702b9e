"""Counts log records by level, so that a log nobody reads is still seen."""

import logging

from pop_stream.watch.tally import Tally


class LogCount(logging.Handler):
    """Counts the records of all loggers it is put on; writes nothing."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self._tally = tally

    def emit(self, record: logging.LogRecord) -> None:
        """Count it. Called with the handler's lock held, from whatever thread logs."""
        self._tally.log_messages[(record.levelname.lower(),)] += 1
