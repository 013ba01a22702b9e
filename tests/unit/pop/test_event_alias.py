import json

import pytest

from pop_stream.pop.event import Flag, Forward
from tests.unit.pop.events import event, read, with_text

PLAIN = event(without=("ioNumber",))


def aliased(key: bytes, text: bytes = b'"124"') -> bytes:
    """A sound event whose order number stands last, under a key as it is spelled here."""
    return PLAIN[:-1] + b"," + key + b":" + text + b"}"


def body(value: bytes, *, validate: bool = True) -> bytes:
    """The body that is posted for an event."""
    reading = read(value, validate=validate)
    assert isinstance(reading, Forward)
    return reading.body


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize(
    "key",
    [b'"tiNumber"', b'"\\u0074iNumber"', b'"ti\\u004eumber"', b'"ti\\u004Eumbe\\u0072"',
     b' \n"tiNumber"\t '],
)  # fmt: skip
def test_the_alias_becomes_io_number(key: bytes, validate: bool) -> None:
    """However the name is spelled, only the name changes: not a space, not an order of fields."""
    spelled = key.strip()
    renamed = aliased(key.replace(spelled, b'"ioNumber"'))

    assert body(aliased(key), validate=validate) == renamed


@pytest.mark.parametrize(
    "text",
    [b"18446744073709551617", b"1.10", b"-0.0", b"1E2", b'"\\u0031\\/"', b'"tiNumber"', b"null",
     b'{"tiNumber":"tiNumber"}', b'["tiNumber",{"tiNumber":1}]'],
)  # fmt: skip
def test_the_value_under_the_alias_stays_as_it_was_written(text: bytes) -> None:
    """Numbers and escapes are carried along as they were spelled, whatever the value is."""
    assert body(aliased(b'"tiNumber"', text)) == aliased(b'"ioNumber"', text)


@pytest.mark.parametrize(
    "more",
    [
        b'"more": {"tiNumber": 1}',
        b'"more": [{"tiNumber": "x"}]',
        b'"more": "\\"tiNumber\\": 1"',
        b'"more": "tiNumber"',
        b'"TiNumber": "1"',
        b'"tiNumber ": "1"',
        b'"tiNumber\\u0000": "1"',
        b'"\\\\u0074iNumber": "1"',
    ],
)
def test_only_the_events_own_alias_is_renamed(more: bytes) -> None:
    """The same text deeper down, inside a text, or as part of another name stays."""
    value = PLAIN[:-1] + b", " + more + b"}"

    assert body(value) == value


def test_an_event_with_both_names_stays_as_it_is() -> None:
    """Two order numbers are both told to GSTV, and flagged: none is chosen, none is dropped."""
    value = event(tiNumber="125")

    assert read(value) == Forward(value, (Flag.BOTH_ORDER_NUMBERS,))


def test_a_repeated_alias_is_renamed_each_time() -> None:
    """No value is dropped: a reader of the body has the same choice as a reader of the event."""
    reading = read(with_text(b'"tiNumber": "1", "x": 2, "tiNumber": "2"').replace(
        b'"ioNumber": "124", ', b""))  # fmt: skip

    assert isinstance(reading, Forward)
    assert set(reading.flags) == {Flag.REPEATED_FIELD, Flag.EXTRA_FIELDS}
    assert reading.body.endswith(b'"ioNumber": "1", "x": 2, "ioNumber": "2"}')
    assert b"tiNumber" not in reading.body


def test_the_alias_alone_is_nothing_odd() -> None:
    """The glossary's name is a name like the other: the event is not flagged for it."""
    reading = read(aliased(b'"tiNumber"'))

    assert isinstance(reading, Forward)
    assert reading.flags == ()
    assert json.loads(reading.body)["ioNumber"] == "124"


def test_an_order_number_that_is_no_text_is_flagged_under_either_name() -> None:
    """The alias is held to what the field itself is held to."""
    reading = read(aliased(b'"tiNumber"', b"124"))

    assert reading == Forward(aliased(b'"ioNumber"', b"124"), (Flag.OPTIONAL_NOT_STRING,))
