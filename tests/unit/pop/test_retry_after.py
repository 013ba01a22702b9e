import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pop_stream.pop.retry_after import parse_retry_after

#: Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110.
THEN = 784_111_777.0
CAP = 900.0


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Kolkata"])
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine stand in this zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("007", 7.0),
        ("1.5", 1.5),
        (".5", 0.5),
        (" 7 ", 7.0),
        ("900", 900.0),
        ("901", 900.0),
        ("9" * 128, 900.0),
        ("1e9", 900.0),
        ("inf", 900.0),
    ],
)
def test_seconds_are_taken_up_to_the_cap(text: str, seconds: float) -> None:
    """A number is the wait it tells; a longer wait than the cap is the cap."""
    assert parse_retry_after(text, now=THEN, cap=CAP) == seconds


@pytest.mark.parametrize(
    "text", [None, "", " ", "-1", "-0.5", "-inf", "nan", "soon", "1 s", "1,5", "0x10", "\x00", "7;"]
)
def test_what_is_no_retry_after_says_nothing(text: str | None) -> None:
    """A negative number, no number and no text at all are no wish of GSTV's."""
    assert parse_retry_after(text, now=THEN, cap=CAP) is None


@pytest.mark.usefixtures("_zone")
@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 -0000",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 03:49:37 -0500",
    ],
    ids=["imf", "rfc850", "asctime", "unknown-zone", "no-zone", "other-zone"],
)
def test_a_date_is_taken_in_each_of_its_forms(text: str) -> None:
    """A date without a zone is in GMT, as HTTP has it, wherever this machine stands."""
    assert parse_retry_after(text, now=THEN - 60, cap=CAP) == 60.0
    assert parse_retry_after(text, now=THEN - 86_400, cap=CAP) == CAP
    assert parse_retry_after(text, now=THEN, cap=CAP) == 0.0
    assert parse_retry_after(text, now=THEN + 60, cap=CAP) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nob 1994 08:49:37 GMT",
        "06 Nov",
        "Sun, 06 Nov 99999 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 +9999999999",
        "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
    ],
)
def test_a_date_that_is_none_is_no_reason_to_stop(text: str) -> None:
    """A date that no calendar has is a wait within the bounds or none, and never an error."""
    seconds = parse_retry_after(text, now=THEN, cap=CAP)

    assert seconds is None or 0 <= seconds <= CAP


@given(
    st.text(max_size=128)
    | st.text("SunMoNv0123456789 ,:+-GMTZ.eE_", max_size=40)
    | st.from_regex(
        r"\A(Sun, )?\d{1,6}[ -][JFMASOND][a-z]{2}[ -]\d{0,7}( [\d:]{0,9})?( \S{0,6})?\Z"
    ),
    st.floats(0, 1e10),
    st.floats(0, 1e6),
)
@example("Mon, 01 Jan 0001 00:00:00", 0.0, 900.0)
@example("Fri, 31 Dec 9999 23:59:59 -2359", 0.0, 900.0)
@example("Mon, 01 Jan 0001 00:00:00 +2359", 0.0, 900.0)
def test_any_text_is_a_wait_within_bounds_or_none(text: str, now: float, cap: float) -> None:
    """Whatever GSTV sends, the wait is between 0 and the cap, or GSTV did not say."""
    seconds = parse_retry_after(text, now=now, cap=cap)

    assert seconds is None or 0 <= seconds <= cap


@given(st.integers(0, 253_402_300_799), st.integers(0, 900))
def test_a_date_is_as_far_away_as_it_says(then: int, seconds: int) -> None:
    """A date that many seconds from now is a wait of that many seconds."""
    text = format_datetime(datetime.fromtimestamp(then, UTC), usegmt=True)

    assert parse_retry_after(text, now=then - seconds, cap=CAP) == seconds
