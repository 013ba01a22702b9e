"""A delivery receipt: what is written is read, it is small, and nothing hostile hurts."""

import base64
import json
import random
import tracemalloc
import zlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.pop.identity import PopIdMaker
from pop_stream.pop.receipt import (
    MOST_EVENTS,
    Delivery,
    Receipt,
    decode_receipt,
    encode_receipt,
    packed_id,
    receipt_of,
)

_MS = 1_795_168_800_000
_IDS = st.uuids().map(str)
_DELIVERIES = st.lists(
    st.builds(
        Delivery,
        offset=st.one_of(st.integers(0, 50), st.integers(0, 10**19 - 1)),
        pop_id=_IDS,
        at_ms=st.one_of(st.integers(_MS, _MS + 100), st.integers(0, 253_402_300_799_000)),
        attempts=st.one_of(st.just(1), st.integers(1, 1_000_001)),
    ),
    max_size=60,
)


def made(deliveries: list[Delivery], **place: Any) -> Receipt:
    """The receipt of a worker."""
    given = {"group": "pop-stream", "worker": "0.1.0", "topic": "pop-events", "partition": 3}
    return receipt_of(deliveries, **(given | place))


def run_of(events: int, *, first: int = 1_000_000, seed: int = 1) -> list[Delivery]:
    """Deliveries as they are: a run of offsets, not quite in order, most at the first attempt."""
    draw = random.Random(seed)
    mint = PopIdMaker(lambda: _MS + draw.randrange(600_000), draw.getrandbits)
    deliveries = [
        Delivery(first + n, mint(), _MS + n // 3 + draw.randrange(40), 1 + (draw.random() < 0.01))
        for n in range(events)
    ]
    draw.shuffle(deliveries)
    return deliveries


@given(
    deliveries=_DELIVERIES,
    group=st.text(min_size=1, max_size=20),
    topic=st.text(max_size=20),
    partition=st.integers(0, 10**19),
)
def test_what_is_written_is_read(
    deliveries: list[Delivery], group: str, topic: str, partition: int
) -> None:
    """Whatever the offsets, the times and the ids are; each delivery, in order of its offset."""
    receipt = made(deliveries, group=group, topic=topic, partition=partition)
    read = decode_receipt(encode_receipt(receipt))

    assert read == receipt
    assert read is not None
    assert list(read.deliveries()) == sorted(deliveries)
    assert (read.group, read.topic, read.partition) == (group, topic, partition)


@given(deliveries=_DELIVERIES)
def test_an_event_is_found_by_its_id(deliveries: list[Delivery]) -> None:
    """And none that was not delivered."""
    receipt = made(deliveries)

    wanted = {one.pop_id for one in deliveries[::2]}
    assert list(receipt.of([packed_id(pop_id) for pop_id in wanted])) == [
        one for one in sorted(deliveries) if one.pop_id in wanted
    ]


def test_an_id_is_not_found_across_two_others() -> None:
    """Its bytes may stand there by chance, in the middle."""
    two = [
        Delivery(1, "00000000-0000-0000-0000-0000000000aa", _MS, 1),
        Delivery(2, "bb000000-0000-0000-0000-000000000000", _MS, 1),
    ]
    assert not list(made(two).of([packed_id("00000000-0000-0000-0000-00000000aabb")]))
    assert not list(made(two).of([packed_id("00000000-0000-0000-0000-0000aabb0000")]))


@pytest.mark.parametrize(
    ("events", "most_bytes"), [(1, 240), (20, 40), (100, 27), (MOST_EVENTS, 25)]
)
def test_it_is_small(events: int, most_bytes: int) -> None:
    """Below 30 bytes an event in all but the smallest, of which sixteen are its id."""
    value = encode_receipt(made(run_of(events)))

    assert len(value) / events < most_bytes
    assert len(value) < 32_768


def test_people_can_read_it() -> None:
    """What a console shows of it says which events these are, and when that was."""
    one = Delivery(1000, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", _MS, 2)
    value = encode_receipt(made([one]))

    assert value == (
        b'{"version":1,"group":"pop-stream","worker":"0.1.0","topic":"pop-events","partition":3,'
        b'"from":1000,"to":1001,"events":1,"at":1795168800000,"steps":0,"waits":0,"attempts":2,'
        b'"ids":"AX8i4nmwfMOYxNwMDAc5jw=="}'
    )
    some = orjson.loads(encode_receipt(made(run_of(3))))
    assert (some["steps"], type(some["waits"])) == (1, list)


def test_a_receipt_of_nothing_is_one() -> None:
    """A worker begins with it."""
    read = decode_receipt(encode_receipt(made([])))

    assert read is not None
    assert list(read.deliveries()) == []


_SOUND = orjson.loads(encode_receipt(made(run_of(40))))


def _packed(numbers: object) -> str:
    return base64.b64encode(zlib.compress(orjson.dumps(numbers))).decode()


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 2},
        {"version": True},
        {"events": 41},
        {"events": 39},
        {"events": 10_001},
        {"events": -1},
        {"events": 2**80},
        {"events": "40"},
        {"from": 999_999},
        {"to": 1_000_041},
        {"to": None},
        {"at": -1},
        {"at": 253_402_300_800_000},
        {"steps": -1},
        {"steps": 2},
        {"steps": 1.0},
        {"steps": True},
        {"steps": [1] * 38},
        {"steps": [1] * 38 + ["1"]},
        {"steps": [[1]] * 39},
        {"steps": "????"},
        {"steps": "eA=="},
        {"steps": _packed([1] * 38)},
        {"steps": _packed({"a": 1})},
        {"steps": _packed([1] * 10_000_000)},
        {"steps": _packed([1] * 39) + "AAAA"},
        {"waits": [-(10**15)] * 39},
        {"waits": 10**15},
        {"attempts": 0},
        {"attempts": 10**9},
        {"ids": _SOUND["ids"][:-8]},
        {"ids": _SOUND["ids"] + "AAAAAAAAAAAAAAAAAAAAAA=="},
        {"ids": "é" * 56},
        {"ids": 7},
        {"group": None},
        {"topic": 3},
        {"worker": []},
        {"partition": "3"},
    ],
    ids=lambda changed: "-".join(map(str, changed)),
)
def test_what_no_worker_writes_is_no_receipt(changed: dict[str, Any]) -> None:
    """It proves nothing, and raises nothing."""
    assert decode_receipt(orjson.dumps(_SOUND)) is not None

    assert decode_receipt(json.dumps({**_SOUND, **changed}).encode()) is None


@pytest.mark.parametrize("name", sorted(_SOUND))
def test_a_part_that_is_missing_is_missed(name: str) -> None:
    """Whichever it is."""
    assert decode_receipt(orjson.dumps({k: v for k, v in _SOUND.items() if k != name})) is None


@given(value=st.one_of(st.none(), st.binary(max_size=60), st.from_regex(rb'[{}\[\]"0-9a-z,:]*')))
def test_anything_else_is_no_receipt(value: bytes | None) -> None:
    """Whoever may write to the topic may write anything."""
    assert decode_receipt(value) is None


def test_what_is_packed_a_thousandfold_takes_little_memory() -> None:
    """A record of some hundred kilobytes that unpacks to as many megabytes."""
    bomb = base64.b64encode(zlib.compress(b"[" + b"1," * 50_000_000 + b"1]", 9)).decode()
    value = orjson.dumps({**_SOUND, "steps": bomb, "waits": bomb, "attempts": bomb})
    assert 100_000 < len(value) < 1_000_000
    tracemalloc.start()
    try:
        assert decode_receipt(value) is None
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_record_larger_than_any_receipt_is_not_even_read() -> None:
    """Nor is one of as many numbers as would fit."""
    assert decode_receipt(b" " * 1_000_001) is None
    assert decode_receipt(b"[" * 900_000) is None
