import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pop_stream.pop.event import Forward, Rules, _read_closely
from pop_stream.pop.ordinary import is_ordinary
from tests.unit.pop.events import KEY, LATEST, event, fields

OVERLONG = timedelta(minutes=10)


def ordinary(value: bytes, key: bytes | None = KEY) -> bool:
    """Whether an event is ordinary, under the usual rules."""
    return is_ordinary(value, key, overlong=OVERLONG, latest=LATEST)


def compact(**changed: Any) -> bytes:
    """A sound event without spaces, as orjson and JavaScript write it."""
    return json.dumps(fields(**changed), separators=(",", ":")).encode()


ORDINARY = {
    "compact": compact(),
    "spaced": event(),
    "without order number": event(without=("ioNumber",)),
    "without screen state": event(without=("screenState",)),
    "without either": event(without=("ioNumber", "screenState")),
    "partial": compact(screenState="Partial"),
}


@pytest.mark.parametrize("value", ORDINARY.values(), ids=ORDINARY)
def test_what_players_write_needs_no_parsing(value: bytes) -> None:
    """The form of the owner's document, with or without its two optional fields."""
    assert ordinary(value)


ODD = {
    "another order": json.dumps(dict(reversed(fields().items()))).encode(),
    "a field more": event(more="1"),
    "a field less": event(without=("assetId",)),
    "an empty field": event(filename=""),
    "no text": event(assetId=1),
    "the alias": event(without=("ioNumber",), tiNumber="1"),
    "an unknown state": event(screenState="Half"),
    "an escape": compact().replace(b"GSTV", b"GST\\u0056"),
    "a letter beyond ASCII": json.dumps(fields(filename="ü"), ensure_ascii=False).encode(),
    "no UTF-8": compact().replace(b"GSTV", b"GST\xff"),
    "a control character": compact().replace(b"GSTV", b"GST\n"),
    "zero length": event(endTimestamp=fields()["startTimestamp"]),
    "end before start": event(endTimestamp="2026-11-20 09:59:59"),
    "overlong": event(endTimestamp="2026-11-20 10:10:01"),
    "in the future": event(
        startTimestamp="2026-11-21 10:00:00", endTimestamp="2026-11-21 10:00:15"
    ),
    "no such day": event(startTimestamp="2026-11-31 10:00:00"),
    "a zone": event(startTimestamp="2026-11-20T10:00Z  "),
    "trailing space": event() + b" ",
    "two events": event() + event(),
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_whatever_is_odd_is_read_closely(value: bytes) -> None:
    """Nothing that deserves a flag, a new name or a quarantine passes for ordinary."""
    assert not ordinary(value)


@pytest.mark.parametrize("key", [None, b"", b"s-1/3", b"s-1/2 ", b"s-1"])
def test_an_event_under_another_key_is_not_ordinary(key: bytes | None) -> None:
    """The key is the screen's, or the event is flagged."""
    assert not ordinary(event(), key)


#: Members as players may write them: mostly right, in the right order.
MEMBERS = st.tuples(
    *(
        st.sampled_from([text, text, text, f'"{name}":"x"', f'"{name}" : "x"', f'"{name}":1', ""])
        for name, text in ((n, f'"{n}":{json.dumps(v)}') for n, v in fields().items())
    )
)
LETTERS = st.text(st.characters(max_codepoint=0x2FF), max_size=3)


@settings(deadline=None, max_examples=500)
@given(MEMBERS, st.sampled_from([",", ", ", " ,"]), LETTERS, st.integers(0, 400))
def test_what_is_ordinary_would_be_forwarded_without_a_flag(
    members: tuple[str, ...], comma: str, letters: str, at: int
) -> None:
    """The short way never says anything else than the long one."""
    text = "{" + comma.join(member for member in members if member) + "}"
    at %= len(text)
    for value in (text.encode(), (text[:at] + letters + text[at:]).encode()):
        if ordinary(value):
            rules = Rules(overlong=OVERLONG)
            assert _read_closely(value, KEY, rules=rules, latest=LATEST) == Forward(value, ())
