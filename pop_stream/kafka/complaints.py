"""What aiokafka complains about while something is tried: kept for the error, not logged.

aiokafka logs why a broker was of no use, again and again, and raises only that none was.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LOGGERS = ("aiokafka", "aiokafka.admin.client", "aiokafka.cluster", "aiokafka.conn")

#: Who listens in this task. Other tasks of the process log as ever.
_listening: ContextVar[logging.Filter | None] = ContextVar("listening", default=None)


@contextmanager
def heard_from_aiokafka() -> Iterator[list[str]]:
    """Collect the warnings and errors of this task and those that it starts, and log none."""
    listener = _Listener()
    before = _listening.get()
    _listening.set(listener)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addFilter(listener)
    try:
        yield listener.complaints
    finally:
        for logger in loggers:
            logger.removeFilter(listener)
        _listening.set(before)


class _Listener(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self.complaints: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        if _listening.get() is not self:
            return True
        if record.levelno >= logging.WARNING:
            # Of our own line among them, what it tells stands beside its name.
            self.complaints.append(getattr(record, "detail", record.getMessage()))
        return False
