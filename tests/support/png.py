"""Pictures as a browser writes them: PNG of 8 bits a colour, without transparency."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BYTES = 3
_HEADER = struct.Struct(">IIBBBBB")


@dataclass(frozen=True, slots=True)
class Picture:
    """Rows of pixels, three bytes each."""

    width: int
    height: int
    rows: list[bytes]

    def colour(self, x: int, y: int) -> str:
        """The colour of a pixel as a style sheet has it; below 0: from the right, the bottom."""
        at = (x % self.width) * _BYTES
        return f"#{self.rows[y][at : at + _BYTES].hex()}"

    def count(self, colour: str) -> int:
        """How many pixels are of a colour."""
        wanted = bytes.fromhex(colour.removeprefix("#"))
        return sum(row[at : at + _BYTES] == wanted
                   for row in self.rows for at in range(0, len(row), _BYTES))  # fmt: skip


def read_png(data: bytes) -> Picture:
    """Read a picture. ValueError when it is of another kind."""
    if not data.startswith(_SIGNATURE):
        raise ValueError("no PNG")
    chunks = list(_chunks(data))
    width, height, depth, kind, *_, interlaced = _HEADER.unpack(chunks[0][1])
    if (depth, kind, interlaced) != (8, 2, 0):
        raise ValueError(f"a PNG of another kind: {depth} bits, colour type {kind}")
    raw = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    rows, above, stride = [], bytes(width * _BYTES), width * _BYTES + 1
    for begin in range(0, height * stride, stride):
        above = _unfiltered(raw[begin], bytearray(raw[begin + 1 : begin + stride]), above)
        rows.append(above)
    return Picture(width, height, rows)


def small_png(picture: Picture) -> bytes:
    """Write a picture small: where much is of one colour, unfiltered rows are the smallest."""
    header = _HEADER.pack(picture.width, picture.height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in picture.rows), 9)
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(each)) + name + each + struct.pack(">I", zlib.crc32(name + each))
        for name, each in ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += length + 12


def _unfiltered(kind: int, row: bytearray, above: bytes) -> bytes:
    """Undo one of the five filters of PNG: a byte is written as what it is more than expected."""
    if kind == 2:
        return bytes((each + up) & 255 for each, up in zip(row, above, strict=True))
    for at in range(len(row)) if kind else ():
        left, corner = (row[at - _BYTES], above[at - _BYTES]) if at >= _BYTES else (0, 0)
        expected = (left, 0, (left + above[at]) // 2, _paeth(left, above[at], corner))[kind - 1]
        row[at] = (row[at] + expected) & 255
    return bytes(row)


def _paeth(left: int, up: int, corner: int) -> int:
    """The neighbour that is nearest to what a plane through all three would have here."""
    plane = left + up - corner
    return min((left, up, corner), key=lambda each: abs(plane - each))
