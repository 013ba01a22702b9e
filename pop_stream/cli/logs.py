"""Sets up logging for commands: one line a record on stderr, in UTC, as text or as JSON.

A record's message is a stable event name, its data are the record's extra fields.
"""

import json
import logging
import math
import re
import sys
import threading
from collections import OrderedDict
from datetime import UTC, datetime
from typing import TextIO

from pop_stream.settings import Settings

_OWN = "pop_stream"
_LIBRARIES = {"DEBUG": logging.INFO, "ERROR": logging.ERROR}
_REPEAT_SECONDS = 10.0
_MEMORY = 1024
_TEXT_CHARACTERS = 2048
_TRACE_CHARACTERS = 16_384
_DIGITS = re.compile(r"\d+")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Send all log records to `stream` (stderr), in place of whatever was set up before.

    Libraries log from WARNING on, and with DEBUG from INFO: at their DEBUG they write whole
    requests, and with them events and passwords.
    """
    stream = stream or sys.stderr
    text = settings.log_format == "text" or (settings.log_format == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    handler.addFilter(RepeatFilter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(_LIBRARIES.get(settings.log_level, logging.WARNING))
    logging.getLogger(_OWN).setLevel(settings.log_level)


class RepeatFilter(logging.Filter):
    """Of a message that repeats, lets one pass in a while, with the number left out.

    One in 10 s of a library's: aiokafka writes 47 MB a minute while a broker is away. Messages are
    the same when they differ only in their arguments or in digits. Ours all pass.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        #: When the message last passed, and how many were left out since; the oldest is forgotten.
        self._seen: OrderedDict[tuple[str, int, str], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the record passes; one that passes after others gets `repeated`."""
        if record.name.partition(".")[0] == _OWN:
            return True
        key = (record.name, record.levelno, _DIGITS.sub("#", str(record.msg)))
        with self._lock:
            passed, left_out = self._seen.get(key, (float("-inf"), 0))
            if record.created - passed < _REPEAT_SECONDS:
                self._seen[key] = (passed, left_out + 1)
                return False
            self._seen[key] = (record.created, 0)
            self._seen.move_to_end(key)
            if len(self._seen) > _MEMORY:
                self._seen.popitem(last=False)
        if left_out:
            record.repeated = left_out
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, event, then the record's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record; a value that is no JSON becomes text."""
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "event": _bounded(record.getMessage()),
        }
        if trace := _trace(self, record):
            line["exception"] = trace
        for name, value in _fields(record).items():
            line[f"{name}_" if name in line else name] = value
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.000Z INFO pop_stream.kafka.local: kafka.broker.ready port=9092`."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record on one line, and a traceback under it."""
        fields = "".join(f" {name}={_plain(value)}" for name, value in _fields(record).items())
        event = _printable(_bounded(record.getMessage()))
        line = f"{_time(record)} {record.levelname} {record.name}: {event}{fields}"
        # Indented, for an error may quote what somebody made look like a record.
        trace = _trace(self, record).splitlines()
        return "\n".join([line, *(f"  {_printable(each)}" for each in trace)])


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {
        name: _json_value(value) for name, value in vars(record).items() if name not in _STANDARD
    }


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if record.exc_info and record.exc_info[0] is not None:
        trace = formatter.formatException(record.exc_info)
        if len(trace) <= _TRACE_CHARACTERS:
            return trace
        # It begins with where it happened, and ends with what.
        half = _TRACE_CHARACTERS // 2
        return f"{trace[:half]}\n...\n{trace[-half:]}"
    return ""


def _json_value(value: object) -> object:
    if isinstance(value, str):
        return _bounded(value)
    # JSON has no NaN and no infinity.
    return value if not isinstance(value, float) or math.isfinite(value) else str(value)


def _bounded(text: str) -> str:
    return text if len(text) <= _TEXT_CHARACTERS else text[:_TEXT_CHARACTERS] + "..."


def _plain(value: object) -> str:
    text = str(value)
    return text if text and text.isprintable() and " " not in text else json.dumps(text)


def _printable(text: str) -> str:
    # A line break inside a message must not look like another record.
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
