"""What a row tells of an event, and on which day an event was played."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.export.columns import UNKNOWN_DAY, Row, day_of, row_of
from tests.unit.analysis.views import POP_ID, view

SAID = [("pop-id", POP_ID.encode()), ("pop-reason", b"rejected"), ("pop-status", b"422"),
        ("pop-attempt", b"4"), ("pop-flags", b"overlong"), ("pop-redrives", b"2")]  # fmt: skip


def test_a_row_tells_what_the_player_wrote_and_what_we_have_written() -> None:
    """Texts stay texts: a site 007 too."""
    event = view(headers=SAID, is_ours=True, siteId="007", tiNumber="124", title="x")

    assert row_of(event) == Row(
        pop_id=POP_ID, filename="GSTV.spot.mp4", assetId="5942", ioNumber="124",
        startTimestamp="2026-11-20 10:00:00", endTimestamp="2026-11-20 10:00:15",
        screenState=None, siteId="007", screenId="2", reason="rejected", status=422, attempt=4,
        flags="overlong", redrives=2, topic="pop-events-failure", partition=3, offset=17,
        stored_at=1_795_168_800_000, key="1202/2", value=(event.value or b"").decode(),
        value_base64=None,
    )  # fmt: skip


def test_what_a_player_forged_is_not_told() -> None:
    """Headers of ours say nothing on the topic that players write."""
    row = row_of(view(headers=SAID))

    assert (row.reason, row.status, row.attempt, row.flags, row.redrives) == (None,) * 5


@pytest.mark.parametrize(
    ("value", "text", "base64"),
    [(b"\xff", None, "/w=="), (b"[1]", "[1]", None), (b"", "", None)],
)
def test_a_value_that_is_no_text_stands_as_base64(
    value: bytes, text: str | None, base64: str | None
) -> None:
    """In a column of its own; and no field is told of what is no object."""
    row = row_of(view(value, timestamp=-1, key=None))

    assert (row.value, row.value_base64) == (text, base64)
    assert (row.siteId, row.stored_at, row.key) == (None, None, None)


@pytest.mark.parametrize("status", [b"", b"+4", b"4_0", b"99999999999", "٣".encode()])
def test_a_status_that_is_no_number_is_none(status: bytes) -> None:
    """A column of numbers holds numbers only."""
    assert row_of(view(headers=[("pop-status", status)], is_ours=True)).status is None


@pytest.mark.parametrize(
    ("start", "day"),
    [
        ("2026-11-20 10:00:00", "2026-11-20"),
        ("2026-11-20T10:00:00.123", "2026-11-20"),
        ("2026-11-20", "2026-11-20"),
        ("2024-02-29 00:00:00", "2024-02-29"),
        ("2026-02-29 10:00:00", UNKNOWN_DAY),
        ("2026-W47-5 10:00", UNKNOWN_DAY),
        ("20261120 10:00:00", UNKNOWN_DAY),
        ("2026-11-201", UNKNOWN_DAY),
        ("../../etc/x", UNKNOWN_DAY),
        ("", UNKNOWN_DAY),
        (20261120, UNKNOWN_DAY),
        (None, UNKNOWN_DAY),
    ],
)
def test_the_day_is_that_of_the_site(start: object, day: str) -> None:
    """What tells no day of the calendar stands apart."""
    assert day_of(view(startTimestamp=start)) == day


@given(start=st.text())
def test_a_day_never_leads_to_another_folder(start: str) -> None:
    """Whatever a player writes: the name of a folder is made of it."""
    day = day_of(view(startTimestamp=start.encode("utf-8", "replace").decode()))

    assert day == UNKNOWN_DAY or (len(day) == 10 and set(day) <= set("0123456789-"))
