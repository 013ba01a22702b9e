"""What a player's header says of plays that are lost."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.player.outbox.losses import Loss, as_header
from pop_stream.pop.loss import MEANINGS, DeclaredLoss, Reason, read_losses

AT = 1_795_190_400_000


def told(**changes: Any) -> bytes:
    """A header with one loss; None takes a part of it away."""
    whole = {"boot": "ff", "reason": "outbox-full", "first": 3, "last": 5, "plays": 3,
             "since": AT, "until": AT + 9} | changes  # fmt: skip
    return orjson.dumps([{name: given for name, given in whole.items() if given is not None}])


def test_what_the_outbox_writes_is_read() -> None:
    """Each of its losses, with why and when."""
    full = Loss(key="1202/7", boot=b"b", reason=Reason.FULL, first=3, last=5, since=AT, until=AT)
    damaged = Loss(key="1202/7", boot=b"b", reason=Reason.DAMAGED, first=9, last=9)

    assert read_losses(as_header([full, damaged])) == (
        DeclaredLoss(first=3, last=5, reason="outbox-full", since=AT, until=AT),
        DeclaredLoss(first=9, last=9, reason="outbox-damaged", since=None, until=None),
    )


def test_each_reason_of_the_outbox_has_a_meaning_for_people() -> None:
    """Whoever reads a report need not know the player."""
    assert set(MEANINGS) == set(Reason)


def test_only_the_numbers_are_required() -> None:
    """What else is not there, or is of another kind, is not known."""
    bare = (DeclaredLoss(first=3, last=5, reason="", since=None, until=None),)

    assert read_losses(b'[{"first": 3, "last": 5}]') == bare
    assert read_losses(told(reason=7, since="noon", until=-1)) == bare
    assert read_losses(told(reason=None, since=True, until=10**16)) == bare
    assert read_losses(told(reason="stolen")) == (
        DeclaredLoss(first=3, last=5, reason="stolen", since=AT, until=AT + 9),
    )
    assert read_losses(b"[]") == ()


@pytest.mark.parametrize(
    "value",
    [
        b"", b"two", b"\xff", b"7", b"null", b"{}", b'["first"]', b"[[3, 5]]", b"[null]",
        told(first=None), told(last=None), told(first="3"), told(first=3.0), told(first=True),
        told(first=0), told(first=6), told(first=-4), told(last=10**15),
        b'[{"first": 1, "last": 1' + b"0" * 30 + b"}]",
        b'[{"first": 1, "last": 1}, {"first": 2}]',
        b"[" * 50_000, b"[" + b'{"first":1,"last":1},' * 5000 + b'{"first":1,"last":1}]',
    ],
)  # fmt: skip
def test_what_is_no_list_of_numbers_cannot_be_read(value: bytes) -> None:
    """Not a part of it: nobody knows what the rest says."""
    assert read_losses(value) is None


@given(st.binary() | st.text().map(str.encode))
def test_nothing_that_a_player_writes_raises(value: bytes) -> None:
    """It is read, or it is not."""
    assert read_losses(value) in (None, ())
