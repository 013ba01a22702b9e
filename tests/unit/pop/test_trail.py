from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pop_stream.pop.event import Flag
from pop_stream.pop.identity import fallback_pop_id
from pop_stream.pop.trail import (
    DUE_HEADERS,
    Due,
    Failure,
    Headers,
    Origin,
    Trail,
    after_failure,
    due_from_first_headers,
    headers_of,
    is_replayed,
    own_headers,
    replayed,
    trail_from_own_topic,
    trail_from_player,
)
from pop_stream.pop.verdict import Reason

POP_ID = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
OTHER_ID = "017f22e2-79b0-7cc3-98c4-dc0c0c073990"
HERE = Origin("pop-events", 3, 41, 1_795_168_800_000)
RETRIED = Origin("pop-events-retry", 7, 9, 1_795_168_805_000)
FALLBACK = fallback_pop_id("pop-events", 3, 41)
#: What only our own code and the analysts' tools write.
OURS = ["pop-attempt", "pop-not-before", "pop-first-failed-at", "pop-reason", "pop-status",
        "pop-error", "pop-origin", "pop-flags", "pop-redrives", "pop-replay",
        "pop-trimmed"]  # fmt: skip
LATEST_MS = 253_402_300_799_000

HEADERS = st.lists(
    st.tuples(
        st.sampled_from([*OURS, "pop-id", "pop-seq", "traceparent"]) | st.text(max_size=12),
        st.none() | st.binary(max_size=30) | st.sampled_from([POP_ID.encode(), b"1", b"999"]),
    ),
    max_size=12,
)
ORIGINS = st.builds(
    Origin,
    st.text("abc.-_09", min_size=1, max_size=20),
    st.integers(0, 2**31 - 1),
    st.integers(0, 2**63 - 1),
    # -1 is Kafka's own way to say that a record has no timestamp.
    st.integers(-1, 2**63 - 1),
)
TRAILS = st.builds(
    Trail,
    pop_id=st.uuids().map(str),
    origin=ORIGINS,
    attempts=st.integers(0, 1_000_000),
    not_before=st.integers(0, LATEST_MS),
    first_failed_at=st.none() | st.integers(1, LATEST_MS),
    carried=HEADERS.map(lambda all_: tuple(h for h in all_ if h[0] not in {*OURS[:-3], "pop-id"})),
)
FAILURES = st.builds(
    Failure,
    reason=st.sampled_from([*Reason, "quarantined:not-json"]),
    status=st.none() | st.integers(200, 599),
    error=st.text(max_size=700),
    flags=st.lists(st.sampled_from(Flag), unique=True).map(tuple),
)


def value_of(headers: Headers, name: str) -> bytes:
    """The value of a header that must be there once."""
    (value,) = (value for each, value in headers if each == name)
    return value


def handed_on(headers: Headers = (), **failure: Any) -> Headers:
    """The headers under which a player's record is handed on."""
    return headers_of(trail_from_player(headers, HERE), Failure(**{"reason": "r"} | failure))


@pytest.mark.parametrize(
    ("headers", "pop_id"),
    [
        ([], FALLBACK),
        ([("other", b"1")], FALLBACK),
        ([("pop-id", POP_ID.encode())], POP_ID),
        ([("pop-id", POP_ID.upper().encode())], POP_ID),
        ([("pop-id", b"x"), ("pop-id", POP_ID.encode())], POP_ID),
        ([("pop-id", OTHER_ID.encode()), ("pop-id", POP_ID.encode())], POP_ID),
        ([("pop-id", POP_ID.encode()), ("pop-id", b"x")], FALLBACK),
        ([("pop-id", b"")], FALLBACK),
        ([("pop-id", None)], FALLBACK),
        ([("pop-id", POP_ID.encode() + b"\r\nX: y")], FALLBACK),
        ([("pop-id", POP_ID.encode() + b"\x00")], FALLBACK),
        ([("pop-id", POP_ID.encode("utf-16"))], FALLBACK),
        ([("pop-id", b"\xff" * 36)], FALLBACK),
        ([("pop-id", b"1" * 1_000_000)], FALLBACK),
        ([("Pop-Id", POP_ID.encode())], FALLBACK),
    ],
)
def test_a_players_id_is_believed_once_it_parses(headers: Headers, pop_id: str) -> None:
    """The latest pop-id counts; where it is none, the record's own place names the event."""
    assert trail_from_player(headers, HERE).pop_id == pop_id


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("value", [b"999", b"abc", b"-1", b"", None, b"a/1/2/3", b"rejected"])
def test_a_forged_header_is_neither_believed_nor_carried(name: str, value: bytes | None) -> None:
    """What a player writes under one of our names changes nothing and goes nowhere."""
    forged: Any = [("a", b"1"), (name, value), (name, value), ("b", b"2")]

    assert trail_from_player(forged, HERE) == Trail(
        pop_id=FALLBACK, origin=HERE, carried=(("a", b"1"), ("b", b"2"))
    )


def test_forged_headers_do_not_show_on_the_record_that_is_handed_on() -> None:
    """Attempts begin with none, and each of our names stands there once, with our value."""
    forged = [(name, b"999") for name in OURS]
    headers = handed_on(forged, status=500)

    assert [name for name, _ in headers] == [
        "pop-id", "pop-attempt", "pop-origin", "pop-reason", "pop-status"]  # fmt: skip
    assert value_of(headers, "pop-attempt") == b"0"


def test_the_players_own_headers_travel() -> None:
    """Its sequence, its boot, its times and the trace context go on with the event."""
    own = [("pop-seq", b"7"), ("pop-boot", b"b-1"), ("traceparent", b"00-1-2-01"), ("x", b"")]

    assert handed_on([*own, ("pop-id", POP_ID.encode())])[-4:] == own


def test_foreign_headers_travel_untouched() -> None:
    """A thousand of them, whatever their bytes, in their order, repeated ones too."""
    foreign = [
        *((f"h-{n % 700}", bytes([n % 256]) * (n % 9)) for n in range(1_000)),
        ("a\r\nb\x00c", b"\r\n\x00\xff"),
        ("", b""),
        ("pop-", b"1"),
        ("POP-ATTEMPT", b"1"),
        ("null", None),
    ]
    first = handed_on(foreign)
    second = headers_of(trail_from_own_topic(first, RETRIED), Failure(reason="again"))

    assert list(first[-len(foreign) :]) == foreign
    assert list(second[-len(foreign) :]) == foreign
    assert len(second) == len(first)


def test_what_our_own_topics_say_is_believed() -> None:
    """Attempts, times and origin are taken up where they were left."""
    headers = [
        ("pop-id", POP_ID.encode()), ("pop-attempt", b"2"), ("pop-not-before", b"1795168830000"),
        ("pop-first-failed-at", b"1795168800500"), ("pop-reason", b"transient"),
        ("pop-status", b"503"), ("pop-error", b"why"), ("pop-flags", b"zero-length"),
        ("pop-origin", b"pop-events/3/41/1795168800000"), ("pop-redrives", b"1"), ("x", b"y"),
    ]  # fmt: skip

    assert trail_from_own_topic(headers, RETRIED) == Trail(
        pop_id=POP_ID,
        origin=HERE,
        attempts=2,
        not_before=1_795_168_830_000,
        first_failed_at=1_795_168_800_500,
        carried=(("pop-redrives", b"1"), ("x", b"y")),
    )


def test_of_two_headers_of_ours_the_latest_counts() -> None:
    """A tool that adds a header need not take the old one away."""
    headers = [("pop-attempt", b"3"), ("pop-id", OTHER_ID.encode()), ("pop-attempt", b"0"),
               ("pop-id", POP_ID.encode()), ("pop-origin", b"junk"),
               ("pop-origin", str(HERE).encode())]  # fmt: skip
    trail = trail_from_own_topic(headers, RETRIED)

    assert (trail.attempts, trail.pop_id, trail.origin) == (0, POP_ID, HERE)


@pytest.mark.parametrize(
    ("value", "number"),
    [(b"0", 0), (b"3", 3), (b"003", 3), (b"1000000", 1_000_000), (b"1000001", 0), (b"-1", 0),
     (b"+1", 0), (b" 1", 0), (b"1_0", 0), (b"1.0", 0), (b"abc", 0), (b"", 0), (None, 0),
     ("٣".encode(), 0), (b"\xff", 0), (b"9" * 16, 0), (b"9" * 100_000, 0)],
)  # fmt: skip
def test_numbers_are_read_strictly(value: bytes | None, number: int) -> None:
    """What is no plain number within bounds counts as not there."""
    headers: Any = [("pop-attempt", value)]

    assert trail_from_own_topic(headers, RETRIED).attempts == number


@pytest.mark.parametrize("value", [b"253402300799001", b"-5", b"soon", b"", b"9" * 16])
def test_a_time_that_is_none_is_no_wait(value: bytes) -> None:
    """A header that tells no time lets the event be attempted at once."""
    headers = [("pop-not-before", value), ("pop-first-failed-at", value)]
    trail = trail_from_own_topic(headers, RETRIED)

    assert (trail.not_before, trail.first_failed_at) == (0, None)


@pytest.mark.parametrize(
    "value",
    [b"", b"pop-events", b"pop-events/3/41", b"pop-events/3/41/1/2", b"pop-events/x/41/1",
     b"pop-events/-3/41/1", b"pop-events/3/ 41/1", b"pop-events/3/41/", b"/3/41/1",
     b"pop-events/3/41/-2", b"pop-events/\xff/41/1", "pop-events/٣/41/1".encode(),
     b"pop-events/3/41/" + b"9" * 20, b"pop-events/3/-1/1", b"pop-events/3/41/1-1", None],
)  # fmt: skip
def test_a_malformed_origin_is_not_believed(value: bytes | None) -> None:
    """The record then stands for itself, and without a pop-id it is named after its own place."""
    headers: Any = [("pop-origin", value)]
    trail = trail_from_own_topic(headers, RETRIED)

    assert trail.origin == RETRIED
    assert trail.pop_id == fallback_pop_id("pop-events-retry", 7, 9)


def test_our_own_headers_can_be_told_from_the_others() -> None:
    """Whatever else a record carries, ours are found, and nobody else's."""
    headers = handed_on([("a", b"1"), ("pop-seq", b"2"), ("pop-x", b"3")], error="why")

    assert own_headers(headers) == tuple(headers[:-3])
    assert dict(own_headers(headers)).keys() == {
        "pop-id", "pop-attempt", "pop-reason", "pop-error", "pop-origin"}  # fmt: skip


def test_an_event_without_an_id_keeps_its_first_name() -> None:
    """The fallback id is of the original record: the same on the retry topic as before it."""
    first = headers_of(trail_from_player([], HERE), Failure(reason="r"))

    assert trail_from_own_topic(first, RETRIED).pop_id == FALLBACK
    assert trail_from_own_topic([("pop-origin", str(HERE).encode())], RETRIED).pop_id == FALLBACK


def test_a_failure_is_counted_and_dated_once() -> None:
    """The first failure's time stays; attempts and the next time are those of the last."""
    trail = trail_from_player([], HERE)
    once = after_failure(trail, attempts=1, not_before=1_500, now_ms=500)
    twice = after_failure(once, attempts=2, not_before=7_000, now_ms=2_000)

    assert (once.attempts, once.not_before, once.first_failed_at) == (1, 1_500, 500)
    assert (twice.attempts, twice.not_before, twice.first_failed_at) == (2, 7_000, 500)


@given(TRAILS, FAILURES)
@example(Trail(pop_id=POP_ID, origin=Origin("t", 0, 0, -1)), Failure(reason="r"))
def test_what_is_written_is_read_back(trail: Trail, failure: Failure) -> None:
    """The trail that a hand-off writes is the trail that the next stage reads."""
    assert trail_from_own_topic(headers_of(trail, failure), RETRIED) == trail


@given(TRAILS, FAILURES)
def test_the_first_headers_tell_what_all_do(trail: Trail, failure: Failure) -> None:
    """Of a record that waits for its time they are enough; of any other none believes them."""
    written = headers_of(trail, failure)
    due = due_from_first_headers(written[:DUE_HEADERS])

    if trail.not_before:
        assert due == Due(trail.pop_id, trail.attempts, trail.not_before, trail.origin.timestamp)
    else:
        assert due is None


@given(st.lists(st.sampled_from([("pop-id", POP_ID.encode()), ("pop-attempt", b"1"),
                                 ("pop-not-before", b"5"), ("pop-origin", b"t/0/1/2"),
                                 ("pop-origin", b"t/0"), ("pop-attempt", b"-1"), ("x", b"")]),
                max_size=5, unique_by=lambda header: header[0]))  # fmt: skip
@example([("pop-id", POP_ID.encode()), ("pop-attempt", b"1"), ("pop-not-before", b"5"),
          ("pop-origin", b"t/0/1/2")])  # fmt: skip
@example([("pop-id", POP_ID.encode()), ("pop-attempt", b"1"), ("pop-not-before", b"5"),
          ("pop-origin", b"t/0")])  # fmt: skip
def test_whatever_the_first_headers_are_they_never_tell_anything_else(
    headers: list[tuple[str, bytes]],
) -> None:
    """Where they are not as we write them they tell nothing."""
    due = due_from_first_headers(headers)
    trail = trail_from_own_topic(headers, RETRIED)

    assert due in {
        None, Due(trail.pop_id, trail.attempts, trail.not_before, trail.origin.timestamp)
    }  # fmt: skip


@given(HEADERS)
def test_no_headers_stop_the_reading(headers: Any) -> None:
    """Whatever the headers are, there is a trail with a well-formed id, on either kind of topic."""
    for trail in (trail_from_player(headers, HERE), trail_from_own_topic(headers, HERE)):
        assert len(trail.pop_id) == 36
        assert 0 <= trail.attempts <= 1_000_000
        assert 0 <= trail.not_before <= LATEST_MS


@given(HEADERS, FAILURES)
def test_our_own_headers_are_text_without_control_characters(
    headers: Any, failure: Failure
) -> None:
    """What we write can stand on one line of a log or of a terminal, whatever it tells of."""
    written = handed_on(headers, error=failure.error, flags=failure.flags)
    carried = trail_from_player(headers, HERE).carried
    for _, value in written[: len(written) - len(carried)]:
        assert value.decode().isprintable()


@pytest.mark.parametrize("letter", ["a", "é", "\N{PILE OF POO}", "\r", "\ud800", "\x00", "\u2028"])
def test_our_own_headers_stay_under_2_kib(letter: str) -> None:
    """At their longest, in any alphabet, they fit into the room that topics leave for them."""
    trail = Trail(
        pop_id=POP_ID,
        origin=Origin("t" * 249, 2**31 - 1, 2**63 - 1, LATEST_MS),
        attempts=1_000_000,
        not_before=LATEST_MS,
        first_failed_at=LATEST_MS,
    )
    failure = Failure(reason="quarantined:required-field-not-string", status=599,
                      error=letter * 5_000, flags=tuple(Flag))  # fmt: skip
    headers = headers_of(trail, failure)
    error = value_of(headers, "pop-error").decode()

    assert sum(len(name) + len(value) for name, value in headers) < 2_048
    assert 250 <= len(error) <= 512
    assert error == (letter if letter.isprintable() else " ") * len(error)


def test_the_beginning_of_an_error_is_what_is_kept() -> None:
    """What is cut off is the end, and an error without letters is no header."""
    assert value_of(handed_on(error="x" * 511 + "yz"), "pop-error") == b"x" * 511 + b"y"
    assert "pop-error" not in dict(handed_on(error=""))


def test_a_replayed_event_keeps_its_id_and_leaves_a_players_claims_behind() -> None:
    """On the players' topic our names are nobody's; the record's place becomes its origin."""
    headers = [("pop-redrives", b"7"), ("x", b"y"), ("pop-not-before", b"9")]
    origin = Origin("pop-events", 1, 2, 3)
    written = replayed(headers, trail_from_player(headers, origin), replay="r", is_ours=False)

    assert [name for name, _ in written] == ["x", "pop-id", "pop-origin", "pop-replay"]
    again = trail_from_own_topic(written, Origin("copy", 0, 0, 0))
    assert again.pop_id == trail_from_player(headers, origin).pop_id
    assert again.origin == origin
    assert is_replayed(written)
    assert not is_replayed(headers)


def test_a_replayed_event_of_our_topics_keeps_what_we_wrote() -> None:
    """But for when it is due, and for an earlier replay."""
    headers = [("pop-redrives", b"7"), ("pop-reason", b"rejected"), ("pop-not-before", b"9"),
               ("pop-replay", b"q")]  # fmt: skip
    trail = trail_from_own_topic(headers, Origin("pop-events-failure", 1, 2, 3))
    written = replayed(headers, trail, replay="r", is_ours=True)

    assert dict(written)["pop-replay"] == b"r"
    assert [name for name, _ in written] == [
        "pop-redrives", "pop-reason", "pop-id", "pop-origin", "pop-replay",
    ]  # fmt: skip
