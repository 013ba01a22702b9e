"""Record batches as Kafka stores them: all that counts comes out, and nothing else."""

from collections.abc import Sequence

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from pop_stream.analysis.batches import (
    CorruptBatchError,
    Fetched,
    Glance,
    end_of,
    places_of,
    records_of,
)

_CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def batch(
    first: int,
    values: Sequence[bytes],
    *,
    codec: int = 0,
    producer: int = -1,
    transactional: bool = False,
) -> bytes:
    """A batch of records, from an offset on."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=codec, is_transactional=int(transactional),
        producer_id=producer, producer_epoch=0, base_sequence=0, batch_size=1 << 22,
    )  # fmt: skip
    for number, value in enumerate(values):
        builder.append(number, 1_790_000_000_000 + number, b"1202/1", value, [])
    return first.to_bytes(8, "big") + bytes(builder.build())[8:]


def read(data: bytes, *, aborted: Sequence[tuple[int, int]] = (), text: bytes | None = None) -> (
    list[bytes]
):  # fmt: skip
    """The values that come out, for somebody who looks for a text."""
    glance = (
        None if text is None else Glance(lambda _: True, lambda records: places_of([text], records))
    )
    fetched = Fetched("t", 0, data, aborted, end_of(data) or 0)
    return [record.value for some in records_of(fetched, glance) for record in some]


@pytest.mark.parametrize("codec", _CODECS.values(), ids=_CODECS)
def test_every_record_comes_out_of_every_codec(codec: int) -> None:
    """Of several batches, in their order, and with a glance as well."""
    data = batch(5, [b"one", b"two"], codec=codec) + batch(7, [b"three"], codec=codec)

    assert read(data) == [b"one", b"two", b"three"]
    assert read(data, text=b"three")[-1] == b"three"
    assert end_of(data) == 8


@pytest.mark.parametrize("codec", [0, 3, 4])
@pytest.mark.parametrize("length", [1, 50, 70, 8_000, 9_000, 30_000])
def test_records_without_what_is_wanted_are_passed_over(codec: int, length: int) -> None:
    """However long they are, whether they are packed, and wherever the wanted ones stand."""
    for wanted in ({0}, {29}, {3, 4, 17}):
        values = [b"two" if n in wanted else b"o" * length for n in range(30)]
        data = batch(0, [b"o" * 9] * 9, codec=codec) + batch(9, values, codec=codec)
        fetched = Fetched("t", 0, data, (), 39)
        glance = Glance(lambda _: True, lambda records: places_of([b"two"], records))
        (found,) = records_of(fetched, glance)
        assert [(each.offset - 9, each.value, each.key) for each in found] == [
            (n, b"two", b"1202/1") for n in sorted(wanted)
        ]
        assert [each.timestamp for each in found] == [1_790_000_000_000 + n for n in sorted(wanted)]


def test_what_was_given_up_does_not_come_out() -> None:
    """Only of that producer, from there on, and until its mark; others in between do."""
    data = (
        batch(0, [b"before"], producer=7, transactional=True)
        + batch(1, [b"given up"], producer=7, transactional=True)
        + batch(2, [b"another"], producer=8, transactional=True)
        + batch(3, [b"plain"])
    )

    assert read(data, aborted=[(7, 1)]) == [b"before", b"another", b"plain"]


def test_a_batch_that_is_cut_off_is_left_for_the_next_answer() -> None:
    """Kafka gives the bytes that fit, and no more."""
    whole, second = batch(0, [b"one"]), batch(1, [b"two"])
    data = whole + second[:-1]

    assert (read(data), end_of(data)) == ([b"one"], 1)
    assert end_of(whole[:-1]) is None
    assert read(whole[:-1]) == []


def test_a_damaged_batch_is_told_and_not_read() -> None:
    """A byte was flipped on the disk or on the way."""
    data = bytearray(batch(3, [b"one"]))
    data[-2] ^= 1

    with pytest.raises(CorruptBatchError, match="t/0/3"):
        read(bytes(data))


@pytest.mark.parametrize("codec", [1, 3, 4])
def test_a_damaged_batch_that_is_packed_is_told_as_well(codec: int) -> None:
    """It cannot even be unpacked, to look for a text: that had ended in a codec's words."""
    data = bytearray(batch(3, [b"one" * 50] * 9, codec=codec))
    data[64] ^= 0xFF

    with pytest.raises(CorruptBatchError, match="t/0/3"):
        read(bytes(data), text=b"one")


@pytest.mark.parametrize(
    ("records", "found"),
    [(b'"a\\u0037"', [2]), (b'"\\/"', [1]), (b'"a"', []), (b"\x5c\x10", []), (b"\x5c", [])],
)
def test_an_escape_is_told_from_a_number(records: bytes, found: list[int]) -> None:
    """A backslash among the lengths and times of a batch is none."""
    assert [*places_of([b"not there"], records)] == found
