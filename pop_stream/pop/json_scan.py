"""What a JSON parser does not tell: how deep a text nests, and every key of its object.

Both walk the text's strings and brackets only, so a bracket inside a string does not count.
They are for well-formed text, and are harmless on any other.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

# A text that is never closed runs to the end: else each quote in it would be tried as the beginning
# of another one, in a time that grows with the square of the length.
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[{}\[\],]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the outermost object and where its token (with the quotes) stands in the text."""

    name: str
    start: int
    end: int


def is_deeper_than(text: bytes, limit: int) -> bool:
    """Whether the text nests more than `limit` objects and arrays in one another."""
    if text.count(b"{") + text.count(b"[") <= limit:
        return False
    depth = 0
    for token in _TOKENS.finditer(text):
        match text[token.start()]:
            case 0x7B | 0x5B:
                depth += 1
                if depth > limit:
                    return True
            case 0x7D | 0x5D:
                depth -= 1
    return False


def top_level_keys(text: bytes) -> Iterator[Key]:
    """Every key of the outermost object, in order, repeated ones too."""
    depth = 0
    expects_key = False
    for token in _TOKENS.finditer(text):
        match text[token.start()]:
            case 0x7B | 0x5B:
                depth += 1
                expects_key = depth == 1
            case 0x7D | 0x5D:
                depth -= 1
            case 0x2C:
                expects_key = depth == 1
            case 0x22 if expects_key:
                yield Key(orjson.loads(token.group()), token.start(), token.end())
                expects_key = False
            case _:
                pass
