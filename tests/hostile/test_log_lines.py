"""What a player or GSTV sends never makes a line of the log, nor moves a terminal's cursor."""

import io
import json
import logging
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pop_stream.cli.logs import JsonFormatter, TextFormatter

FORGED = "2026-11-27T12:00:00.000Z INFO pop_stream.stream.abort: worker.well"
BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\0", "\x1b[2K",
          "\x1b]0;title\x07", "\x08", "\u202e", "\u200b", "\ud800", "\x9b31m", "\t"]  # fmt: skip
HOSTILE = st.lists(st.sampled_from([*BREAKS, FORGED]) | st.text(max_size=8), max_size=6).map(
    "".join
)
_RECORD = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ [\w.]+: ")


class HostileError(Exception):
    """Says what somebody else has written."""


def line_of(formatter: logging.Formatter, text: str, *, raised: bool) -> str:
    """What is written of a record that quotes a text in every place it has."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    record = logging.makeLogRecord(
        {"name": "pop_stream.test", "levelname": "ERROR", "msg": f"event {text}", "error": text}
    )
    if raised:
        with pytest.raises(HostileError) as caught:
            fail(text)
        record.exc_info = (caught.type, caught.value, caught.tb)
    handler.handle(record)
    return stream.getvalue()


def fail(text: str) -> None:
    """Raise what quotes a text."""
    raise HostileError(text)


@settings(derandomize=True, max_examples=200)
@given(text=HOSTILE, raised=st.booleans())
@example(text=f"x\n{FORGED}", raised=True)
@example(text="\x1b[2J", raised=True)
def test_no_text_makes_a_line_that_looks_like_a_record(text: str, *, raised: bool) -> None:
    """Each line of the text format is the record, or stands indented under it."""
    written = line_of(TextFormatter(), text, raised=raised)

    first, *others = written.removesuffix("\n").split("\n")
    assert _RECORD.match(first)
    assert all(line.startswith(" ") for line in others)
    assert raised or not others
    assert all(char.isprintable() for line in (first, *others) for char in line)


@pytest.mark.parametrize("raised", [False, True])
@pytest.mark.parametrize("text", [*BREAKS, FORGED, f"\n{FORGED}"])
def test_json_is_one_object_a_line_in_plain_letters(text: str, *, raised: bool) -> None:
    """And says what was sent, escaped."""
    written = line_of(JsonFormatter(), text, raised=raised)

    assert written.count("\n") == 1
    assert written.removesuffix("\n").isascii()
    assert written.removesuffix("\n").isprintable()
    assert json.loads(written)["error"] == text


def test_an_error_of_megabytes_is_cut() -> None:
    """A text that somebody else has written may be as long as he likes."""
    for formatter in (TextFormatter(), JsonFormatter()):
        assert len(line_of(formatter, "x" * 5_000_000, raised=True)) < 40_000
