"""Lines of the tail: what stands in them fits the terminal, and cannot move its cursor."""

import re
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pop_stream.analysis.roles import Role
from pop_stream.cli.tail_line import TailLine
from pop_stream.pop.hole import Hole
from tests.unit.analysis.records import FAILURE, NOW, RETRY, handed_on, produced

_UTC = ZoneInfo("UTC")
_PLAIN = TailLine(zone=_UTC, width=None, is_coloured=False)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def test_a_line_tells_what_a_person_looks_for() -> None:
    """When, where, what, why, which."""
    line = _PLAIN.of(produced(), Role.EVENTS)
    assert line.startswith("2026-11-20 10:00:00.000  events         1202/2        spot.mp4")
    assert line.endswith("019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77  pop-events/0/7")
    failed = handed_on(FAILURE, attempt=4, reason="rejected", status=422, error="HTTP 422")
    assert "  attempt 4  rejected  status 422  HTTP 422  " in _PLAIN.of(failed, Role.FAILURE)


def test_a_hole_is_told_as_what_it_is() -> None:
    """It is no event that was parked."""
    hole = Hole(topic="pop-events", partition=0, begin=7, end=9)
    record = handed_on(FAILURE)
    record.headers = hole.headers(NOW)

    assert "records deleted before delivery" in _PLAIN.of(record, Role.FAILURE)


def test_times_are_shown_in_the_zone_that_is_asked_for() -> None:
    """And what has none says so."""
    chicago = TailLine(zone=ZoneInfo("America/Chicago"), width=None, is_coloured=False)

    assert chicago.of(produced(), Role.EVENTS).startswith("2026-11-20 04:00:00.000")
    assert _PLAIN.of(produced(at=-1), Role.EVENTS).startswith("no time")
    assert _PLAIN.of(produced(at=2**62), Role.EVENTS).startswith("9999-12-31")


@given(text=st.text(max_size=120), width=st.integers(10, 200), coloured=st.booleans())
def test_hostile_text_cannot_move_the_cursor(text: str, width: int, *, coloured: bool) -> None:
    """No line is wider than the terminal, and nothing in it but our own colour is a sequence."""
    name = text.encode("utf-8", "replace").decode()
    line = TailLine(zone=_UTC, width=width, is_coloured=coloured).of(
        handed_on(RETRY, error=name, status=name), Role.RETRY
    )
    bare = _COLOUR.sub("", line)

    assert bare.isprintable()
    assert cell_len(bare) <= width
    assert len(_COLOUR.findall(line)) == (2 if coloured else 0)


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\rb\nc", "\u202egnp.exe", "\x9b31m", "界" * 40])
def test_names_of_files_are_cut_and_cleaned(name: str) -> None:
    """Wide letters take two cells."""
    line = TailLine(zone=_UTC, width=100, is_coloured=False).of(
        produced(filename=name), Role.EVENTS
    )

    assert line.isprintable()
    assert cell_len(line) <= 100
