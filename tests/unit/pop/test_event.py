import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pop_stream.pop.event import (
    REQUIRED_FIELDS,
    Fault,
    Flag,
    Forward,
    Quarantine,
    Rules,
    read_event,
)
from pop_stream.pop.play_times import latest_local_time
from tests.unit.pop.events import KEY, LATEST, event, fields, nested, read, with_text

#: What cannot be an event, whatever the rules: there is no JSON object.
NO_OBJECT = [
    pytest.param(None, Fault.NO_VALUE, id="tombstone"),
    pytest.param(b"", Fault.NOT_JSON, id="empty"),
    pytest.param(b" \n", Fault.NOT_JSON, id="blank"),
    pytest.param(b"not json", Fault.NOT_JSON, id="words"),
    pytest.param(event()[:-1], Fault.NOT_JSON, id="cut-off"),
    pytest.param(event() + b"x", Fault.NOT_JSON, id="trailing-letter"),
    pytest.param(event() + b"\x00", Fault.NOT_JSON, id="trailing-nul"),
    pytest.param(event() + event(), Fault.NOT_JSON, id="two-events"),
    pytest.param(b"\xef\xbb\xbf" + event(), Fault.NOT_JSON, id="byte-order-mark"),
    pytest.param(event().decode().encode("utf-16"), Fault.NOT_UTF8, id="utf-16"),
    pytest.param(event(filename="?").replace(b"?", b"\xff"), Fault.NOT_UTF8, id="byte-ff"),
    pytest.param(event(filename="?").replace(b"?", b"\xed\xa0\x80"), Fault.NOT_UTF8, id="cesu"),
    pytest.param(event(filename="?").replace(b"?", b"\xc0\xaf"), Fault.NOT_UTF8, id="overlong"),
    pytest.param(event(filename="\ud800"), Fault.NOT_JSON, id="lone-surrogate"),
    pytest.param(event(filename="?").replace(b"?", b"\n"), Fault.NOT_JSON, id="raw-newline"),
    pytest.param(event(loops=float("nan")), Fault.NOT_JSON, id="nan"),
    pytest.param(event(loops=float("-inf")), Fault.NOT_JSON, id="infinity"),
    pytest.param(with_text(b'"loops": 1e400'), Fault.NOT_JSON, id="beyond-any-double"),
    pytest.param(with_text(b'"loops": ' + b"9" * 400), Fault.NOT_JSON, id="400-digits"),
    pytest.param(with_text(b'"loops": 007'), Fault.NOT_JSON, id="leading-zeros"),
    pytest.param(b"null", Fault.NOT_AN_OBJECT, id="json-null"),
    pytest.param(b"true", Fault.NOT_AN_OBJECT, id="json-true"),
    pytest.param(b"1", Fault.NOT_AN_OBJECT, id="json-number"),
    pytest.param(b'"text"', Fault.NOT_AN_OBJECT, id="json-string"),
    pytest.param(b"[" + event() + b"]", Fault.NOT_AN_OBJECT, id="array-of-events"),
]

#: JSON objects that are no events.
NO_EVENT = [
    pytest.param(b"{}", Fault.MISSING_REQUIRED_FIELD, id="empty-object"),
    pytest.param(nested(33), Fault.TOO_DEEP, id="depth-33"),
    pytest.param(nested(1_000), Fault.TOO_DEEP, id="depth-1000"),
    pytest.param(
        with_text(b'"more": ' + b'{"a":' * 32 + b"1" + b"}" * 32), Fault.TOO_DEEP, id="objects-33"
    ),
]


@pytest.mark.parametrize(("value", "fault"), NO_OBJECT)
@pytest.mark.parametrize("validate", [True, False])
def test_what_is_no_json_object_is_quarantined(
    value: bytes | None, fault: Fault, validate: bool
) -> None:
    """Neither strict nor lenient reading forwards what is no JSON object, and each says why."""
    reading = read(value, validate=validate)

    assert isinstance(reading, Quarantine)
    assert reading.fault is fault


@pytest.mark.parametrize(("value", "fault"), NO_EVENT)
def test_an_object_that_is_no_event_is_quarantined(value: bytes, fault: Fault) -> None:
    """A JSON object that breaks a rule is not posted, and the quarantine says which rule."""
    reading = read(value)

    assert isinstance(reading, Quarantine)
    assert reading.fault is fault


@pytest.mark.parametrize(
    "value",
    [*(case.values[0] for case in NO_EVENT), event(siteId=7), event(end=1, without=("filename",)),
     b'{"siteId": "1", "siteId": "2"}', event(more="x" * 70_000)],
)  # fmt: skip
def test_without_validation_every_object_is_forwarded_unflagged(value: bytes) -> None:
    """Validation off posts each JSON object as it is, whatever stands in it."""
    assert read(value, None, validate=False) == Forward(value)


@pytest.mark.parametrize("depth", [5_000, 30_000])
@pytest.mark.parametrize("validate", [True, False])
def test_nesting_beyond_what_a_parser_takes_is_quarantined(depth: int, validate: bool) -> None:
    """Nesting that no parser takes is a value like others, and ends nothing."""
    reading = read(nested(depth), validate=validate)

    assert isinstance(reading, Quarantine)
    assert reading.fault is (Fault.TOO_DEEP if validate else Fault.NOT_JSON)


@pytest.mark.parametrize(
    "value",
    [
        event(),
        nested(32),
        with_text(b'"more": "' + b"[{" * 5_000 + b'"'),
        with_text(b'"more": "' + b'[\\"' * 5_000 + b'"'),
        with_text(b'"more": [' + b"[]," * 500 + b"[]]"),
        with_text(b'"more": 18446744073709551616'),
        with_text(b'"more": -12345678901234567890123.10'),
        b" \r\n\t" + event() + b"\n",
        event(filename="Käse \N{PILE OF POO} \N{LATIN SMALL LETTER E WITH ACUTE}"),
        json.dumps(fields(filename="Käse \N{PILE OF POO}"), ensure_ascii=False).encode(),
        event(without=("ioNumber", "screenState")),
        json.dumps(fields(), indent=4).encode(),
        json.dumps(dict(reversed(fields().items()))).encode(),
    ],
    ids=["plain", "depth-32", "brackets-in-text", "quotes-in-text", "wide", "beyond-64-bits",
         "long-decimal", "white-space", "escaped-unicode", "raw-unicode", "no-optionals",
         "indented", "reversed"],
)  # fmt: skip
def test_an_event_is_forwarded_byte_for_byte(value: bytes) -> None:
    """The body is the record's own value: nothing is written anew, so no number changes."""
    reading = read(value)

    assert isinstance(reading, Forward)
    assert reading.body is value
    assert set(reading.flags) <= {Flag.EXTRA_FIELDS}


def test_64_kib_pass_and_one_byte_more_does_not() -> None:
    """The limit is the setting's own value, and the fault tells the size and nothing else."""
    fitting = event() + b" " * (65_536 - len(event()))

    assert read(fitting) == Forward(fitting)
    assert read(fitting + b" ") == Quarantine(Fault.TOO_LARGE, "65537 bytes")
    assert read(fitting, max_bytes=65_535) == Quarantine(Fault.TOO_LARGE, "65536 bytes")


@pytest.mark.parametrize("name", REQUIRED_FIELDS)
def test_each_required_field_must_be_there(name: str) -> None:
    """Without any one of the required fields the event is quarantined, and the field is named."""
    assert read(event(without=(name,))) == Quarantine(Fault.MISSING_REQUIRED_FIELD, name)


@pytest.mark.parametrize("name", REQUIRED_FIELDS)
def test_each_required_field_must_not_be_empty(name: str) -> None:
    """An empty text in any of the required fields is quarantined, and the field is named."""
    assert read(event(**{name: ""})) == Quarantine(Fault.REQUIRED_FIELD_EMPTY, name)


@pytest.mark.parametrize("other", [None, 7, 1.5, True, [], {}, ["text"], 2**70])
@pytest.mark.parametrize("name", REQUIRED_FIELDS)
def test_each_required_field_must_be_a_string(name: str, other: object) -> None:
    """Any other type in any of the required fields is quarantined, and the field is named."""
    assert read(event(**{name: other})) == Quarantine(Fault.REQUIRED_FIELD_NOT_STRING, name)


@pytest.mark.parametrize("spelling", ["{}", "\\u00{:02x}"], ids=["plain", "escaped"])
@pytest.mark.parametrize("name", REQUIRED_FIELDS)
def test_each_required_field_must_not_be_repeated(name: str, spelling: str) -> None:
    """A second value of a required field is found, however its name is spelled."""
    first = spelling.format(name[0] if spelling == "{}" else ord(name[0]))
    value = with_text(f'"{first}{name[1:]}": "other"'.encode())

    assert read(value) == Quarantine(Fault.REPEATED_REQUIRED_FIELD, name)
    assert name in json.loads(value)


@pytest.mark.parametrize(
    ("value", "flags"),
    [
        (event(endTimestamp="2026-11-20 09:59:59"), {Flag.END_BEFORE_START}),
        # The night in which the clocks go back: played from 01:59:55 to 01:00:10 an hour later.
        (event(startTimestamp="2026-11-01 01:59:55", endTimestamp="2026-11-01 01:00:10"),
         {Flag.END_BEFORE_START}),
        (event(endTimestamp="2026-11-20 10:00:00"), {Flag.ZERO_LENGTH}),
        (event(endTimestamp="2026-11-20 10:10:00"), set()),
        (event(endTimestamp="2026-11-20 10:10:01"), {Flag.OVERLONG}),
        (event(startTimestamp=LATEST, endTimestamp="2026-11-21 00:00:15"), set()),
        (event(startTimestamp="2026-11-21 00:00:01", endTimestamp="2026-11-21 00:00:15"),
         {Flag.IN_THE_FUTURE}),
        (event(startTimestamp="9999-12-31 23:59:59", endTimestamp="0001-01-01 00:00:00"),
         {Flag.END_BEFORE_START, Flag.IN_THE_FUTURE}),
        (event(screenState="Half"), {Flag.UNKNOWN_SCREEN_STATE}),
        (event(screenState="full"), {Flag.UNKNOWN_SCREEN_STATE}),
        (event(screenState=None), {Flag.UNKNOWN_SCREEN_STATE}),
        (event(screenState=["Full"]), {Flag.UNKNOWN_SCREEN_STATE}),
        (event(screenState={}), {Flag.UNKNOWN_SCREEN_STATE}),
        (event(screenState="Partial"), set()),
        (event(ioNumber=124), {Flag.OPTIONAL_NOT_STRING}),
        (event(ioNumber=None), {Flag.OPTIONAL_NOT_STRING}),
        (event(ioNumber=""), set()),
        (event(volume=11), {Flag.EXTRA_FIELDS}),
        (event(**{"": 1}), {Flag.EXTRA_FIELDS}),
        (event(tiNumber="125"), {Flag.BOTH_ORDER_NUMBERS}),
        (event(tiNumber=125), {Flag.BOTH_ORDER_NUMBERS, Flag.OPTIONAL_NOT_STRING}),
        (with_text(b'"ioNumber": "125"'), {Flag.REPEATED_FIELD}),
        (with_text(b'"a": 1, "a": 1, "b": "", "b": 2'), {Flag.REPEATED_FIELD, Flag.EXTRA_FIELDS}),
        (with_text(b'"a": {"b": 1, "b": 2}'), {Flag.EXTRA_FIELDS}),
        (with_text(b'"a": {"siteId": 1, "siteId": 2}'), {Flag.EXTRA_FIELDS}),
    ],
)  # fmt: skip
def test_what_is_odd_but_possible_is_forwarded_and_flagged(value: bytes, flags: set[Flag]) -> None:
    """Oddities are told, once each, and the event is posted byte for byte all the same."""
    reading = read(value)

    assert isinstance(reading, Forward)
    assert reading.body == value
    assert sorted(reading.flags) == sorted(flags)


@pytest.mark.parametrize("field", ["startTimestamp", "endTimestamp"])
@pytest.mark.parametrize(
    "text",
    ["yesterday", "2026-11-20T10:00:00", "2026-11-20 10:00", "2026-11-20 10:00:00Z",
     "2026-11-20 10:00:00.5", "2026-11-20  10:00:0", "2026-02-30 10:00:00", "2026-11-20 24:00:00",
     "2026-11-20 10:00:60", "0000-11-20 10:00:00", "2026/11/20 10:00:00", "2026-W47-5 10:00:00",
     "2026-11-20 10:00+01", "2026-11-20 10:00-01", "2026-11-20 10:00:0Z", "2026-11-20 10:00.000",
     "\uff12026-11-20 10:00:00", "2026-11-20 10:00:0\u0660", "2026-11-20\u00a010:00:00",
     " 2026-11-20 10:00:0", "-026-11-20 10:00:00", "2026-11-20 10:00:+1", "\x00" * 19],
)  # fmt: skip
def test_any_other_form_of_time_is_flagged(field: str, text: str) -> None:
    """Nothing but yyyy-mm-dd HH:MM:SS is read as a time, and no other text stops the event."""
    value = event(**{field: text})

    assert read(value) == Forward(value, (Flag.UNPARSABLE_TIMESTAMP,))


@pytest.mark.parametrize(
    ("key", "flags"),
    [
        (KEY, ()),
        (None, (Flag.NO_KEY,)),
        (b"", (Flag.OTHER_KEY,)),
        (b"s-1", (Flag.OTHER_KEY,)),
        (b"2/s-1", (Flag.OTHER_KEY,)),
        (b"\xff\x00", (Flag.OTHER_KEY,)),
    ],
)
def test_a_key_that_is_not_the_screens_is_flagged(
    key: bytes | None, flags: tuple[Flag, ...]
) -> None:
    """The key only orders events: without the right one the event is posted, and flagged."""
    assert read(event(), key) == Forward(event(), flags)


def test_the_key_of_a_site_with_other_letters_is_recognised() -> None:
    """Keys are compared as UTF-8."""
    value = event(siteId="Zürich", screenId="\N{PILE OF POO}")

    assert read(value, "Zürich/\N{PILE OF POO}".encode()) == Forward(value)


def test_flags_come_in_one_order() -> None:
    """The same oddities are told in the same order whatever the order of the fields."""
    odd = fields(endTimestamp="x", screenState="?", tiNumber=1, extra=1)
    one = read(json.dumps(odd).encode(), None)
    other = read(json.dumps(dict(reversed(odd.items()))).encode(), None)

    assert isinstance(one, Forward)
    assert isinstance(other, Forward)
    assert one.flags == other.flags
    assert len(one.flags) == 6


def test_the_future_begins_where_no_zone_has_it_yet() -> None:
    """The latest local time is 14 hours ahead of UTC and five minutes, in whichever zone it is."""
    now = datetime(2026, 12, 31, 12, 0, 0, 999_999, tzinfo=UTC)

    assert latest_local_time(now) == "2027-01-01 02:05:00"
    assert latest_local_time(now.astimezone(timezone(timedelta(hours=-9)))) == latest_local_time(
        now
    )


def test_the_length_of_a_play_that_is_flagged_is_a_rule() -> None:
    """The limit of an overlong play is the setting's."""
    rules = Rules(overlong=timedelta(seconds=14))
    reading = read_event(event(), KEY, rules=rules, latest=LATEST)

    assert reading == Forward(event(), (Flag.OVERLONG,))


def test_a_fault_tells_no_value_of_the_event() -> None:
    """What is said of a fault is a position, a size or a field's name: it goes into the log."""
    canary = "canary-5e1d"
    spoilt = [
        event(filename=canary)[:-1],
        event(filename=canary).replace(b"canary", b"\xff"),
        event(filename=canary, siteId=[canary]),
        event(filename=canary, siteId=""),
        event(filename=canary, **{canary: canary}, without=("siteId",)),
        event(filename=canary, siteId=canary)[:-1] + f', "siteId": "{canary}"}}'.encode(),
        f'"{canary}"'.encode(),
        canary.encode(),
    ]
    for value in spoilt:
        reading = read(value)
        assert isinstance(reading, Quarantine)
        assert "5e1d" not in f"{reading.fault} {reading.detail}"
