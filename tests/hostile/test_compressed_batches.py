"""Batches that cannot be read, or only at the price of all memory (E, B17)."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode, zstd_decode
from aiokafka.consumer import fetcher
from aiokafka.structs import TopicPartition
from hypothesis import given, settings
from hypothesis import strategies as st

from pop_stream.analysis.batches import Fetched, Glance, end_of, places_of, records_of
from pop_stream.kafka.header_names import read_any_header_name
from pop_stream.kafka.stored_records import as_stored, hand_out_as_stored, read_intact_batch
from tests.support import hostile_batches as hostile
from tests.support.hostile_batches import CODECS, RECORDS_AT, batch_around, batch_of, bomb

RSS_MIB = 300
PLACE = TopicPartition("events", 0)
OF_A_CODEC = pytest.mark.parametrize("name", CODECS)

#: Reads a batch from its standard input, in each way, and tells what it took.
_READ = """
import re, sys
from pathlib import Path
from pop_stream.analysis.batches import Fetched, records_of
from pop_stream.kafka.stored_records import read_intact_batch
data = sys.stdin.buffer.read()
found = [*read_intact_batch(data), *next(records_of(Fetched("t", 0, data, (), 1), None))]
print(len([1 for one in found if one.unreadable]))
# Not getrusage: that begins with what the parent had.
print(int(re.search("VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.fixture(autouse=True)
def worker_reads() -> Iterator[None]:
    """Let this process read as a worker does."""
    before = fetcher.MemoryRecords, fetcher.PartitionRecords
    read_any_header_name()
    hand_out_as_stored()
    yield
    fetcher.MemoryRecords, fetcher.PartitionRecords = before


def as_a_worker(data: bytes) -> list[Any]:
    """All that a worker's fetcher makes of what one fetch gave."""
    batches = fetcher.MemoryRecords(data)
    return list(fetcher.PartitionRecords(PLACE, batches, [], 0, None, as_stored, True, 0))


def read_memory(data: bytes) -> tuple[int, int]:
    """How many records were unreadable, and the most memory that was used, in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", _READ], input=data, capture_output=True, check=True
    )
    unreadable, mebibytes = map(int, done.stdout.split())
    return unreadable, mebibytes


@OF_A_CODEC
def test_a_bomb_costs_no_more_memory_than_is_allowed(name: str) -> None:
    """A mebibyte or less becomes a gibibyte: neither a worker nor an analyst makes it."""
    codec, _ = CODECS[name]
    # Snappy does not pack so tightly, but it may lie: 2^30 bytes, of which none is there.
    data = b"\x80\x80\x80\x80\x04" if name == "snappy" else bomb(name, 1024)

    unreadable, mebibytes = read_memory(batch_around(data, codec=codec))

    assert unreadable == 2
    assert mebibytes < RSS_MIB


@OF_A_CODEC
def test_one_record_stands_for_those_that_cannot_be_read(name: str) -> None:
    """At the last of their offsets, with the reason; those around it are read."""
    codec, _ = CODECS[name]
    data = (
        batch_of(b"before")
        + batch_around(bomb(name, 40), codec=codec, base_offset=1, count=3)
        + batch_of(b"behind", base_offset=4, codec=codec)
    )

    before, stands_for, behind = as_a_worker(data)

    assert (before.value, behind.value) == (b"before", b"behind")
    assert (before.unreadable, behind.unreadable) == (None, None)
    assert (stands_for.offset, stands_for.key, stands_for.value) == (3, None, None)
    assert stands_for.headers == []
    assert f"offsets 1 to 3: its {len(bomb(name, 40))} bytes of {name}" in stands_for.unreadable


@OF_A_CODEC
def test_just_below_the_limit_a_batch_is_read(name: str) -> None:
    """Nothing that a client may honestly send comes near to it."""
    codec, _ = CODECS[name]

    (record,) = as_a_worker(batch_around(bomb(name, 28), codec=codec))

    assert record.unreadable is None
    assert len(record.value) == 28 * hostile.MEBIBYTE - 1


@OF_A_CODEC
def test_an_analyst_sees_one_record_in_the_place_of_a_bomb(name: str) -> None:
    """Whether or not a text is looked for; those around it are found."""
    codec, _ = CODECS[name]
    data = batch_of(b"before") + batch_around(bomb(name, 40), codec=codec, base_offset=1, count=3)
    glance = Glance(lambda _: True, lambda records: places_of([b"before"], records))

    for wants in (None, glance):
        read = records_of(Fetched("t", 0, data, (), end_of(data) or 0), wants)
        assert [(one.offset, one.value) for some in read for one in some] == [
            (0, b"before"), (3, None),
        ]  # fmt: skip


@OF_A_CODEC
def test_other_readers_see_one_record_in_the_place_of_a_bomb(name: str) -> None:
    """`watch` for one: it would be blind while such a batch is the oldest that waits."""
    codec, _ = CODECS[name]
    data = batch_around(bomb(name, 40), codec=codec, count=3) + batch_of(b"behind", base_offset=3)
    batches = fetcher.MemoryRecords(data)

    found = list(fetcher.PartitionRecords(PLACE, batches, [], 0, None, None, True, 0))

    assert [(one.offset, one.value, one.timestamp) for one in found] == [
        (2, None, 1), (3, b"behind", 1),
    ]  # fmt: skip
    assert type(found[0]) is type(found[1])


def test_a_batch_of_thousands_of_streams_is_read_once() -> None:
    """To copy the rest for each of them would take minutes."""
    records = hostile.records_of(*[b"x"] * 4_000)
    pieces = [records[at : at + 1] for at in range(len(records))]
    packed = CODECS["gzip"][1]
    data = b"".join(map(packed, pieces))

    found = as_a_worker(batch_around(data, codec=1, count=4_000))

    assert [record.value for record in found] == [b"x"] * 4_000


UNPACK = {1: gzip_decode, 2: snappy_decode, 3: lz4_decode, 4: zstd_decode}
HONEST = st.lists(st.none() | st.binary(max_size=60), min_size=1, max_size=5)
#: Where, and what stands there then.
CHANGES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4)


def altered(data: bytes, changes: list[tuple[int, int]], cut: int | None) -> bytes:
    """The bytes with others in some places, and perhaps without an end."""
    made = bytearray(data[:cut])
    for at, byte in changes:
        if made:
            made[at % len(made)] = byte
    return bytes(made)


@settings(derandomize=True, max_examples=400)
@given(
    values=HONEST,
    codec=st.sampled_from([0, *(number for number, _ in CODECS.values())]),
    is_packed_after=st.booleans(),
    changes=CHANGES,
    cut=st.none() | st.integers(0, 100),
    count=st.none() | st.integers(-(2**31), 2**31 - 1),
)
def test_whatever_stands_in_a_batch_is_read_or_told_of(
    values: list[bytes | None],
    codec: int,
    *,
    is_packed_after: bool,
    changes: list[tuple[int, int]],
    cut: int | None,
    count: int | None,
) -> None:
    """It never raises, and what aiokafka could read is not lost: it is the same, or told of."""
    pack = dict(CODECS.values()).get(codec, bytes)
    records = hostile.records_of(*values)
    data = pack(altered(records, changes, cut)) if is_packed_after else altered(
        pack(records), changes, cut
    )  # fmt: skip
    batch = bytearray(batch_around(data, codec=codec, count=len(values)))
    if count is not None:
        batch[RECORDS_AT - 4 : RECORDS_AT] = count.to_bytes(4, "big", signed=True)
    batch = bytearray(hostile.with_fitting_checksum(batch))

    found = list(read_intact_batch(bytes(batch)))

    assert not any(one.unreadable for one in found[:-1])
    if count is None:
        plain = unpacked(codec, data)
        expected = None if plain is None else read_as_specified(plain, len(values))
        # Where a packed batch is damaged, aiokafka takes what is there, and Java takes nothing.
        if expected is not None and not (codec and found[-1].unreadable):
            assert [(one.offset, one.key, one.value) for one in found] == expected


def unpacked(codec: int, data: bytes) -> bytes | None:
    """What aiokafka's own unpacking makes of it; None where it raises."""
    if not codec:
        return data
    try:
        return UNPACK[codec](data)
    except Exception:  # noqa: BLE001 - it raises anything
        return None


class _Data:
    """Reads on, and raises where the data ends."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    @property
    def is_at_end(self) -> bool:
        return self.at == len(self._data)

    def part(self, size: int) -> bytes:
        if not 0 <= size <= len(self._data) - self.at:
            raise EOFError
        self.at += size
        return self._data[self.at - size : self.at]

    def number(self) -> int:
        number = 0
        for shift in range(0, 70, 7):
            (byte,) = self.part(1)
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number >> 1 ^ -(number & 1)
        raise ValueError

    def text(self) -> bytes | None:
        size = self.number()
        return None if size < 0 else self.part(size)


def read_as_specified(data: bytes, count: int) -> list[tuple[Any, ...]] | None:
    """Offset, key and value of each record, as KIP-98 has it; None where they are not well formed.

    Not by aiokafka, whose readers read on behind the end of what is not well formed.
    """
    whole, found = _Data(data), []
    try:
        for _ in range(count):
            record = _Data(whole.part(whole.number()))
            record.part(1)
            record.number()
            found.append((record.number(), record.text(), record.text()))
            for _ in range(record.number()):
                record.text()
                record.text()
            if not record.is_at_end:
                return None
    except (EOFError, ValueError):
        return None
    return found if whole.is_at_end else None
