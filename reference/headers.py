"""The page docs/headers.md: its names and examples come from what really writes the headers."""

from collections.abc import Iterator
from typing import Final

from reference.header_meanings import HTTP, RECORDS
from reference.header_samples import http_sample, record_samples
from reference.markdown import code, made_by, table

_HEAD = """\
# Headers

All values are text. Of a header that a record has twice the latest counts. Ours are less than 2 KiB
together.
Original key, value and foreign headers of a record travel untouched from topic to topic.
On `pop-events` only the player's own headers are believed, and those only when they parse; the
others are believed on our own topics, which players cannot write.
A player's header that begins like ours is neither believed nor carried along.
"""
_OF_HTTP = """\
## What GSTV receives

`POST` to `POP_STREAM_GSTV_URL` over HTTP/1.1; the body is the event, byte for byte. Redirects are
never followed.
"""
_NO_HEADERS = """\
Records of `pop-receipts` and `pop-failures-settled` have none: what they tell stands in their
value.
"""
_SHORTEN: Final = 72


def headers_page() -> str:
    """Give the whole page."""
    return "\n".join(
        [
            made_by("what writes them, and reference/header_meanings.py"),
            _HEAD,
            *_records(),
            _NO_HEADERS,
            _OF_HTTP,
            *table(("header", "holds", "like"), _http()),
            "",
        ]
    )


def _records() -> Iterator[str]:
    for title, sample in record_samples().items():
        yield f"## {title}\n"
        rows = ((code(name), RECORDS[name], _like(value)) for name, value in sample.items())
        yield from table(("header", "holds", "like"), rows)
        yield ""


def _http() -> Iterator[tuple[str, str, str]]:
    for name, value in http_sample().items():
        yield code(name), HTTP[name], _like(value)


def _like(value: str) -> str:
    return code(value if len(value) <= _SHORTEN else value[:_SHORTEN] + "...")
