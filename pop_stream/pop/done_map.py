"""The events finished beyond the committed offset, as text in the metadata of the commit.

Without it, whoever takes the partition over would do again what was finished behind an event that
still waits; and a retry that is done again and refused again would be written on once more.

The text is `1:<committed offset>:<ranges>`, the ranges compressed, with a checksum. Kafka takes
4,096 bytes of metadata: of more, the ranges nearest to the committed offset are kept. Whatever
cannot be read tells of nothing finished: events are then done again, never passed over.
"""

import base64
import zlib
from collections.abc import Iterable, Sequence
from itertools import chain

Range = tuple[int, int]

_VERSION = "1"
_MOST_BYTES = 4000
#: More than any worker holds; a text that claims more is not one of ours.
_MOST_OFFSETS = 2_000_000
_MOST_UNPACKED = 1_000_000


def encode_done(offset: int, ranges: Sequence[Range]) -> str:
    """The text for half-open ranges of finished offsets beyond the committed `offset`."""
    kept = len(ranges)
    while kept:
        text = _pack(offset, ranges[:kept])
        if len(text) <= _MOST_BYTES:
            return text
        kept = kept * _MOST_BYTES // (len(text) + 1)
    return ""


def decode_done(offset: int, text: str) -> frozenset[int]:
    """The finished offsets beyond the committed `offset`, as far as the text tells them."""
    version, _, rest = text.partition(":")
    base, _, packed = rest.partition(":")
    if version != _VERSION or base != str(offset):
        return frozenset()
    try:
        unpacker = zlib.decompressobj()
        numbers = unpacker.decompress(base64.b64decode(packed, validate=True), _MOST_UNPACKED)
        if not unpacker.eof:
            return frozenset()
        return _offsets(offset, [int(number) for number in numbers.split(b",")])
    except (ValueError, zlib.error):
        return frozenset()


def ranges_of(offsets: Iterable[int]) -> list[Range]:
    """Offsets as half-open ranges, in order."""
    ranges: list[Range] = []
    for offset in sorted(offsets):
        if ranges and ranges[-1][1] == offset:
            ranges[-1] = (ranges[-1][0], offset + 1)
        else:
            ranges.append((offset, offset + 1))
    return ranges


def _pack(offset: int, ranges: Sequence[Range]) -> str:
    numbers, last = [], offset
    for start, end in ranges:
        numbers += [start - last, end - start]
        last = end
    packed = zlib.compress(",".join(map(str, numbers)).encode(), 1)
    return f"{_VERSION}:{offset}:{base64.b64encode(packed).decode()}"


def _offsets(offset: int, numbers: list[int]) -> frozenset[int]:
    if len(numbers) % 2 or min(numbers) < 0 or sum(numbers[1::2]) > _MOST_OFFSETS:
        return frozenset()
    spans, last = [], offset
    for gap, length in zip(numbers[::2], numbers[1::2], strict=True):
        spans.append(range(last + gap, last + gap + length))
        last += gap + length
    return frozenset(chain.from_iterable(spans))
