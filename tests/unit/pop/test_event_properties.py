"""What holds for every value, not only for those that somebody thought of."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pop_stream.pop.event import REQUIRED_FIELDS, Fault, Flag, Forward, Quarantine
from tests.unit.pop.events import event, fields, read

NAMES = st.sampled_from([*REQUIRED_FIELDS, "ioNumber", "tiNumber", "screenState", "more", ""])
#: No lone surrogates: JSON can spell them, no parser that insists on UTF-8 takes them.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS | NAMES, inner, max_size=4),
    max_leaves=8,
)
PAIRS = st.lists(st.tuples(NAMES | TEXTS, VALUES), max_size=6)
#: Texts of the kind that a lenient reader of times may take.
TIMES = st.text("0123456789-+: TZW.,", min_size=19, max_size=19) | st.from_regex(
    r"\A20\d\d-\d\d-\d\d[ T]\d\d:[\d:+.,Z-]{5}\Z"
)


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """JSON objects around a sound event: keys repeated, escaped, spaced, in any order."""
    pairs = [*fields().items(), *draw(PAIRS)]
    gone = draw(st.sets(NAMES, max_size=2))
    pairs = draw(st.permutations([pair for pair in pairs if pair[0] not in gone]))
    space = draw(st.sampled_from(["", " ", "\n\t"]))
    members = (f"{_spelled(draw, key)}{space}:{_written(draw, value)}" for key, value in pairs)
    return f"{space}{{{f',{space}'.join(members)}}}{space}".encode()


def _spelled(draw: st.DrawFn, key: str) -> str:
    if key and ord(key[0]) < 0x10000 and draw(st.booleans()):
        return f'"\\u{ord(key[0]):04x}{json.dumps(key[1:])[1:]}'
    return json.dumps(key, ensure_ascii=draw(st.booleans()))


def _written(draw: st.DrawFn, value: object) -> str:
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


def pairs_of(text: bytes) -> list[tuple[str, Any]]:
    """The members of an object as a patient reader finds them; numbers as spelled."""
    found: list[list[tuple[str, Any]]] = []

    def number(spelled: str) -> tuple[str, str]:
        return "number", spelled

    def keep(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        found.append(pairs)
        return pairs

    json.loads(text, object_pairs_hook=keep, parse_int=number, parse_float=number)
    return found[-1]


def sound(text: bytes) -> bool:
    """Whether each required field is there as a text with letters, as a patient reader sees it."""
    last = dict(pairs_of(text))
    return all(isinstance(last.get(name), str) and last[name] for name in REQUIRED_FIELDS)


def renamed(name: str) -> str:
    """The name under which GSTV gets a field that goes by its alias."""
    return "ioNumber" if name == "tiNumber" else name


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8",
       "surrogatepass")), st.none() | st.binary(max_size=8), st.booleans())  # fmt: skip
@example(b'{"\\', None, True)
@example(b"[" * 100, None, True)
@example(b'"' * 101, None, False)
def test_no_bytes_at_all_stop_the_reading(value: bytes, key: bytes | None, validate: bool) -> None:
    """Whatever a record holds, it goes through one of the three doors."""
    assert isinstance(read(value, key, validate=validate), Forward | Quarantine)


@settings(deadline=None)
@given(st.data())
def test_no_spoilt_event_stops_the_reading(data: st.DataObject) -> None:
    """An event with a few bytes changed, cut out or put in goes through one of the doors."""
    value = bytearray(data.draw(objects()))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(value)))
        value[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    assert isinstance(read(bytes(value)), Forward | Quarantine)


@settings(deadline=None)
@given(TIMES, TIMES)
@example("2026-11-20 10:00:00", "2026-11-20 10:00+01")
def test_no_timestamp_stops_the_reading(start: str, end: str) -> None:
    """An event is forwarded whatever its times look like."""
    assert isinstance(read(event(startTimestamp=start, endTimestamp=end)), Forward)


@settings(deadline=None, max_examples=150)
@given(objects(), st.booleans())
def test_the_body_is_the_value_unless_the_alias_is_renamed(value: bytes, validate: bool) -> None:
    """Bytes change only where the alias stands alone; then nothing but that name differs."""
    reading = read(value, validate=validate)
    if not isinstance(reading, Forward):
        return
    names = [name for name, _ in pairs_of(value)]
    if "tiNumber" in names and "ioNumber" not in names:
        assert pairs_of(reading.body) == [(renamed(k), v) for k, v in pairs_of(value)]
    else:
        assert reading.body == value


@settings(deadline=None, max_examples=150)
@given(objects())
def test_a_repeated_field_is_always_found(value: bytes) -> None:
    """A patient reader and the fast one agree on which names stand in the event twice."""
    names = [name for name, _ in pairs_of(value)]
    repeated = {name for name in names if names.count(name) > 1}
    reading = read(value)
    if isinstance(reading, Forward):
        assert not repeated & set(REQUIRED_FIELDS)
        assert (Flag.REPEATED_FIELD in reading.flags) == bool(repeated)
    elif reading.fault is Fault.REPEATED_REQUIRED_FIELD:
        assert reading.detail in repeated
    else:
        assert not sound(value)


@settings(deadline=None)
@given(objects())
def test_a_forwarded_event_has_all_that_is_required(value: bytes) -> None:
    """What passes the strict reading holds each required field once, as a text with letters."""
    if isinstance(read(value), Forward):
        assert sound(value)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 60), st.data())
def test_the_depth_is_that_of_brackets_outside_texts(depth: int, data: st.DataObject) -> None:
    """An event passes exactly when it nests no deeper than 32."""
    inner: object = data.draw(TEXTS | st.sampled_from(["[" * 50, '{"\\"[' * 9]))
    for _ in range(depth - 1):
        inner = [inner] if data.draw(st.booleans()) else {data.draw(TEXTS): inner}
    reading = read(event(more=inner))

    assert isinstance(reading, Quarantine if depth > 32 else Forward)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", [b'\\"', b'"', b"\\", b'["', b'"[', b"[]", b'"]["\\'])
def test_reading_costs_no_more_than_its_length(text: bytes) -> None:
    """No 64 KiB hold the worker up: the scan never goes over the same bytes again and again."""
    value = b"[]" * 33 + b'"' + text * 500_000

    assert isinstance(read(value, max_bytes=len(value)), Quarantine)
