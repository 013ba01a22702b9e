from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords

from pop_stream.kafka.header_names import read_any_header_name
from tests.support.header_names import NameInBytes

NO_UTF8 = NameInBytes(b"caf\xe9")
CODECS = {"plain": 0, "gzip": 1}


@pytest.fixture(autouse=True)
def patient() -> Iterator[None]:
    """Let aiokafka read any name meanwhile."""
    read_any_header_name()
    yield
    fetcher.MemoryRecords = MemoryRecords


def batch(*names: str, codec: int = 0) -> bytes:
    """One record for each name, with a header of that name."""
    builder = _DefaultRecordBatchBuilderPy(2, codec, 0, -1, -1, -1, 1_000_000)
    for offset, name in enumerate(names):
        builder.append(offset, 1, b"key", b"value %d" % offset, [(name, b"\xff"), ("same", None)])
    return bytes(builder.build())


def read(data: bytes) -> list[Any]:
    """All records as the fetcher gets them."""
    records, found = fetcher.MemoryRecords(data), []
    while records.has_next():
        one = records.next_batch()
        assert one is not None
        assert one.validate_crc()
        assert not one.is_control_batch
        found += list(one)
    return found


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_header_name_that_is_not_utf8_stops_nothing(at: int, codec: int) -> None:
    """The record is read, and those before and behind it, each once and in order."""
    names = ["a", "b", "c"]
    names[at] = NO_UTF8
    data = batch(*names, codec=codec) + batch("d", NO_UTF8, "f", codec=codec)

    records = read(data)

    assert [record.value for record in records] == [b"value %d" % n for n in (0, 1, 2, 0, 1, 2)]
    assert [record.headers[0][1] for record in records] == [b"\xff"] * 6
    assert records[at].headers == [("caf\\xe9", b"\xff"), ("same", None)]
    assert [record.headers[0][0] for record in records[3:]] == ["d", "caf\\xe9", "f"]


def test_without_it_aiokafka_reads_no_such_record() -> None:
    """If this fails, aiokafka has learned it, and the module may go."""
    fetcher.MemoryRecords = MemoryRecords
    with pytest.raises(UnicodeDecodeError):
        read(batch("a", NO_UTF8))


def test_what_is_utf8_is_read_as_ever() -> None:
    """Letters beyond ASCII, an empty name, and records without headers."""
    data = batch("ü", "")
    fetcher.MemoryRecords = MemoryRecords
    expected = [(r.offset, r.key, r.value, r.headers) for r in read(data)]
    read_any_header_name()

    assert [(r.offset, r.key, r.value, r.headers) for r in read(data)] == expected
