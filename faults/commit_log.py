"""Reads Kafka's own record of commits and of rebalances: the topic `__consumer_offsets`.

No commit goes unseen there, however short it stood. Kafka compacts closed segments only: of a
group as young as a run, all is there.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

OFFSETS_TOPIC = "__consumer_offsets"
_GROUP_METADATA = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCommit:
    """One partition's offset as it was committed once."""

    group: str
    topic: str
    partition: int
    offset: int
    #: What the committer noted beside the offset.
    metadata: str
    #: Epoch milliseconds, by the broker's clock.
    at_ms: int


def parse_commit(key: bytes | None, value: bytes | None) -> Iterator[GroupCommit]:
    """Read a record as Kafka's OffsetCommitKey (0, 1) and OffsetCommitValue (0 to 4) lay it out.

    Yields nothing for other records, and for the mark of an offset that was deleted.
    """
    if key is None or value is None or struct.unpack_from(">h", key)[0] not in (0, 1):
        return
    group, at = _text(key, 2)
    topic, at = _text(key, at)
    (partition,) = struct.unpack_from(">i", key, at)
    version, offset = struct.unpack_from(">hq", value)
    at = 10 + (4 if version >= 3 else 0)  # the leader's epoch
    metadata, at = _compact_text(value, at) if version >= 4 else _text(value, at)
    (at_ms,) = struct.unpack_from(">q", value, at)
    yield GroupCommit(
        group=group,
        topic=topic,
        partition=partition,
        offset=offset,
        metadata=metadata,
        at_ms=at_ms,
    )


def parse_generation(key: bytes | None, value: bytes | None) -> tuple[str, int] | None:
    """Read a record as GroupMetadataKey (2) and the head of GroupMetadataValue: group, generation.

    None for other records. One is written when a rebalance has ended.
    """
    if key is None or value is None or struct.unpack_from(">h", key)[0] != _GROUP_METADATA:
        return None
    group, _ = _text(key, 2)
    (version,) = struct.unpack_from(">h", value)
    _, at = _compact_text(value, 2) if version >= 4 else _text(value, 2)
    (generation,) = struct.unpack_from(">i", value, at)
    return group, generation


def _text(data: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">h", data, at)
    at += 2
    return data[at : at + length].decode(), at + length


def _compact_text(data: bytes, at: int) -> tuple[str, int]:
    length = shift = 0
    while True:
        byte = data[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    length -= 1
    return data[at : at + length].decode(), at + length
