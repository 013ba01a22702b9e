from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchBuilderPy
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.kafka.header_names import read_any_header_name
from pop_stream.kafka.stored_records import (
    StoredName,
    StoredRecord,
    as_stored,
    hand_out_as_stored,
    read_batch,
)
from tests.support.header_names import NameInBytes

CODECS = {"plain": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
POP_ID = StoredName("pop-id")
ID = b"017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
PLACE = TopicPartition("events", 0)

NAMES = st.sampled_from(["pop-id", "pop-seq", "", "\x0cpop-id", "x" * 70, "ü"])
VALUES = st.none() | st.binary(max_size=200) | st.sampled_from([ID, b"\x0cpop-idH" + ID])
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=70)
RECORDS = st.lists(
    st.tuples(
        st.none() | st.binary(max_size=80),
        st.none() | st.binary(max_size=20_000),
        HEADERS,
        st.integers(0, 2**42),
    ),
    min_size=1,
    max_size=6,
)


def batch(records: Sequence[tuple[Any, ...]], *, codec: int = 0) -> bytes:
    """A batch of records of a key, a value, headers and a timestamp each."""
    builder = _DefaultRecordBatchBuilderPy(2, codec, 0, -1, -1, -1, 10_000_000)
    for offset, (key, value, headers, timestamp) in enumerate(records):
        assert builder.append(offset, timestamp, key, value, list(headers)) is not None
    return bytes(builder.build())


def with_headers(*headers: tuple[str, bytes | None]) -> StoredRecord:
    """A record as it was stored with these headers."""
    (record,) = read_batch(batch([(b"key", b"value", headers, 1)]))
    return record


@given(RECORDS, st.sampled_from(list(CODECS.values())))
def test_all_is_read_as_aiokafka_reads_it(records: list[tuple[Any, ...]], codec: int) -> None:
    """Whatever is in it, and however it is compressed."""
    data = batch(records, codec=codec)

    found = read_batch(data)

    assert [(one.offset, one.timestamp, one.key, one.value, one.headers) for one in found] == [
        (one.offset, one.timestamp, one.key, one.value, one.headers)
        for one in DefaultRecordBatch(data)
    ]


@given(HEADERS, st.booleans())
def test_a_header_is_the_last_of_its_name(
    headers: list[tuple[str, bytes | None]], were_read: bool
) -> None:
    """The same whether all headers were read before or not; nobody is fooled by a value."""
    record = with_headers(*headers)
    if were_read:
        assert record.headers == headers

    named = [value for name, value in headers if name == "pop-id"]

    assert record.header(POP_ID) == (named[-1] if named else None)


@given(HEADERS, st.integers(0, 5), st.booleans())
def test_the_first_headers_are_read_without_the_others(
    headers: list[tuple[str, bytes | None]], most: int, were_read: bool
) -> None:
    """As many as there are, and none behind so many; all can still be read afterwards."""
    record = with_headers(*headers)
    if were_read:
        assert record.headers == headers

    assert record.first_headers(most) == headers[:most]
    assert record.headers == headers


def test_a_pop_id_that_is_the_first_header_is_found_without_reading_the_others() -> None:
    """As players write it: then nothing else is made of the headers."""
    record = with_headers(("pop-id", ID), ("pop-seq", b"1"))

    assert record.header(POP_ID) == ID
    assert isinstance(record._stored, bytes)


def test_a_name_that_is_not_utf8_is_written_out() -> None:
    """It is read, and so are the others."""
    record = with_headers((NameInBytes(b"caf\xe9"), b"1"), ("pop-id", ID))

    assert record.headers == [(r"caf\xe9", b"1"), ("pop-id", ID)]


def test_a_time_that_the_broker_set_is_that_of_all() -> None:
    """LogAppendTime: one for the batch."""
    data = bytearray(batch([(b"k", b"v", (), 5), (b"k", b"v", (), 7)]))
    data[22] |= 0x08

    assert [record.timestamp for record in read_batch(data)] == [7, 7]


@given(RECORDS, st.data())
def test_damaged_records_are_refused(records: list[tuple[Any, ...]], data: st.DataObject) -> None:
    """Cut or altered, it raises what the fetcher knows, or reads what is well formed."""
    whole = batch(records)
    at = data.draw(st.integers(61, len(whole) - 1))
    altered = bytearray(whole)
    altered[at] = data.draw(st.integers(0, 255))

    with pytest.raises(CorruptRecordException):
        list(read_batch(whole[:at]))
    try:
        for record in read_batch(altered):
            assert record.headers is not None
    except CorruptRecordException:
        pass


@pytest.fixture
def fetched() -> Iterator[None]:
    """Let this process hand out records as they are stored meanwhile."""
    before = fetcher.MemoryRecords, fetcher.PartitionRecords
    read_any_header_name()
    hand_out_as_stored()
    yield
    fetcher.MemoryRecords, fetcher.PartitionRecords = before


@pytest.mark.usefixtures("fetched")
def test_a_record_of_an_old_format_is_no_end() -> None:
    """Old segments may hold such: they have no headers, and are read all the same."""
    builder = LegacyRecordBatchBuilder(1, 0, 10_000)
    builder.append(0, 5, b"key", b"value")
    batches = fetcher.MemoryRecords(bytes(builder.build()))

    (record,) = fetcher.PartitionRecords(PLACE, batches, [], 0, None, as_stored, True, 0)

    assert (record.offset, record.timestamp, record.key, record.value) == (0, 5, b"key", b"value")
    assert record.header(POP_ID) is None
    assert record.headers == []


@pytest.mark.usefixtures("fetched")
@pytest.mark.parametrize(("deserializer", "kind"), [(as_stored, "StoredRecord"),
                                                    (None, "ConsumerRecord")])  # fmt: skip
def test_who_asks_for_it_gets_records_as_they_are_stored(deserializer: Any, kind: str) -> None:
    """And everybody else what aiokafka makes of them; both from the offset that was asked for."""
    data = batch([(b"k", b"%d" % n, [("pop-id", ID)], 1) for n in range(3)])
    batches = fetcher.MemoryRecords(data)

    records = list(fetcher.PartitionRecords(PLACE, batches, [], 1, None, deserializer, True, 0))

    assert [type(one).__name__ for one in records] == [kind, kind]
    assert [(one.offset, one.value) for one in records] == [(1, b"1"), (2, b"2")]
    assert [list(one.headers) for one in records] == [[("pop-id", ID)]] * 2
