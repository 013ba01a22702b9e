from datetime import datetime, timedelta, timezone

import pytest

from pop_stream.pop.settlement import Settlement, is_settled

AT = datetime(2026, 11, 20, 10, tzinfo=timezone(timedelta(hours=-5)))


def mark(*, settled: bool) -> Settlement:
    """Give a mark."""
    return Settlement(settled=settled, reason="credité", operator="kim", at=AT)


@pytest.mark.parametrize("settled", [True, False])
def test_a_mark_reads_as_it_was_written(*, settled: bool) -> None:
    """A mark that is taken back says so."""
    assert is_settled(mark(settled=settled).as_json()) is settled


def test_a_mark_says_who_and_why_and_when() -> None:
    """For those who ask a year later, in UTC."""
    assert mark(settled=True).as_json().decode() == (
        '{"settled": true, "reason": "credité", "operator": "kim", '
        '"at": "2026-11-20T15:00:00+00:00"}'
    )


@pytest.mark.parametrize(
    "value", [None, b"", b"\xff", b"not json", b"[]", b"null", b"{}", b'{"settled": 1}',
              b'{"settled": "true"}', b"[" * 100_000, b'{"settled":' * 100_000],
)  # fmt: skip
def test_what_is_no_mark_settles_nothing(value: bytes | None) -> None:
    """An event is sent once too often rather than never."""
    assert not is_settled(value)
