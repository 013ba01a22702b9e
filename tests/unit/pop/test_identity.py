import random
import time
from itertools import pairwise
from uuid import NAMESPACE_DNS, RFC_4122, UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pop_stream.pop.identity import (
    NOTIFICATION_NAMESPACE,
    ORIGIN_NAMESPACE,
    PopIdMaker,
    fallback_pop_id,
    notification_id,
    parse_pop_id,
    time_of,
    uuid7,
)

milliseconds = st.integers(min_value=0, max_value=2**48 - 1)


def test_uuid7_agrees_with_the_rfc():
    """The example of RFC 9562, appendix A.6, comes out bit by bit."""
    random_bits = (0xCC3 << 62) | 0x18C4DC0C0C07398F

    assert uuid7(0x017F22E279B0, random_bits) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(milliseconds)
def test_the_time_of_a_uuid7_is_read_back(unix_ms):
    """In seconds. Ids of other versions tell no time."""
    assert time_of(uuid7(unix_ms, 0)) == unix_ms / 1000
    assert time_of(fallback_pop_id("events", 0, unix_ms)) is None


@settings(deadline=None)
@given(milliseconds, st.integers(min_value=0, max_value=2**74 - 1))
def test_uuid7_keeps_the_time_in_front_and_says_version_and_variant(unix_ms, random_bits):
    """Whatever goes in, the result is a UUID of version 7 whose first 48 bits are the time."""
    made = UUID(uuid7(unix_ms, random_bits))

    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == unix_ms
    assert parse_pop_id(str(made).encode()) == str(made)


@settings(deadline=None)
@given(st.lists(milliseconds, min_size=2, max_size=50), st.integers(min_value=0))
def test_ids_grow_whatever_the_clock_does(readings, seed):
    """Ids come out in strictly rising order, though the clock stands still or goes back."""
    clock = iter(readings)
    make = PopIdMaker(lambda: next(clock), random.Random(seed).getrandbits)
    made = [make() for _ in readings]

    assert all(before < after for before, after in pairwise(made))


def test_ids_grow_within_a_millisecond_when_the_random_bits_are_used_up():
    """With all random bits set, the next id of the same millisecond borrows the next one."""
    make = PopIdMaker(lambda: 1_700_000_000_000, lambda bits: (1 << bits) - 1)
    first, second = make(), make()

    assert first < second
    assert UUID(second).int >> 80 == 1_700_000_000_001


def test_ids_of_the_real_clock_are_unique():
    """A burst far faster than the clock ticks holds no id twice."""
    make = PopIdMaker(lambda: time.time_ns() // 1_000_000, random.getrandbits)

    assert len({make() for _ in range(20_000)}) == 20_000


def test_the_namespaces_are_those_that_are_documented():
    """The namespaces follow from their names and stay what they were."""
    assert uuid5(NAMESPACE_DNS, "origin.pop-stream") == ORIGIN_NAMESPACE
    assert uuid5(NAMESPACE_DNS, "notification.pop-stream") == NOTIFICATION_NAMESPACE


def test_an_event_without_an_id_is_named_after_its_record():
    """The id is the UUIDv5 of topic/partition/offset, so that every reader finds the same."""
    assert fallback_pop_id("pop-events", 3, 41) == str(uuid5(ORIGIN_NAMESPACE, "pop-events/3/41"))


@settings(deadline=None)
@given(
    st.tuples(st.sampled_from(["a", "a-b"]), st.integers(0, 20), st.integers(0, 20)),
    st.tuples(st.sampled_from(["a", "a-b"]), st.integers(0, 20), st.integers(0, 20)),
)
def test_records_share_a_name_only_if_they_are_the_same(one, other):
    """Two places have the same id exactly when they are the same place."""
    assert (fallback_pop_id(*one) == fallback_pop_id(*other)) == (one == other)


def test_a_notification_has_one_id_however_often_it_is_made():
    """The id follows from the pop-id alone, in whichever case that is spelled."""
    pop_id = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    expected = str(uuid5(NOTIFICATION_NAMESPACE, pop_id))

    assert notification_id(pop_id) == notification_id(pop_id.upper()) == expected


@settings(deadline=None)
@given(st.uuids())
def test_every_uuid_is_a_pop_id(uuid):
    """Any UUID passes, in lower and in upper case."""
    assert parse_pop_id(str(uuid).encode()) == str(uuid)
    assert parse_pop_id(str(uuid).upper().encode()) == str(uuid)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "017f22e279b07cc398c4dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n",
        " 017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "\u066017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2_79b0_7cc3_98c4_dc0c0c07398f",
    ],
)
def test_other_texts_are_no_pop_ids(text):
    """Nothing but 8-4-4-4-12 hexadecimal digits passes."""
    assert parse_pop_id(text.encode("utf-8", "surrogatepass")) is None
