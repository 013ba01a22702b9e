"""The page docs/logs.md: names, levels and fields from the source, meanings beside them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from reference.log_events import Event, events
from reference.log_meanings import MEANINGS
from reference.markdown import code, made_by, table

_HEAD = """\
# Log lines

Commands log to stderr, one line a record, in UTC: JSON, or text on a terminal
(`POP_STREAM_LOG_FORMAT`), from INFO on (`POP_STREAM_LOG_LEVEL`).
A line of JSON has `time`, `level`, `logger`, `event` and the fields below; `event` is a name that
stays the same from version to version.
A success is counted and not logged, nothing of an event is logged but its id and its place, and a
storm of failures is one line a minute for each reason.
What libraries say comes under their own `logger` (`faust`, `aiokafka`, ...), from WARNING on, each
message once in 10 s.

```sh
journalctl -u 'pop-stream-worker@*' -o cat | jq 'select(.level != "INFO")'
```

"""

_RUNBOOKS: Final = Path(__file__).parents[1] / "docs" / "runbooks"


def logs_page() -> str:
    """Give the whole page."""
    return "\n".join(
        [made_by("pop_stream, the runbooks and reference/log_meanings.py"), _HEAD, *_sections()]
    )


def _sections() -> Iterator[str]:
    logged = events()
    for title, meanings in MEANINGS.items():
        yield f"## {title}\n"
        yield from table(("event", "level", "means", "fields"), _rows(meanings, logged))
        yield ""


def _rows(meanings: Mapping[str, str], logged: Mapping[str, Event]) -> Iterator[tuple[str, ...]]:
    for name, meaning in meanings.items():
        event = logged[name]
        fields = [code(each) for each in event.fields] + ["..."] * event.has_more
        said = f"{meaning}{''.join(_runbooks(name))}"
        yield code(name), ", ".join(sorted(event.levels)), said, ", ".join(fields)


def _runbooks(name: str) -> Iterator[str]:
    """Links to the runbooks that speak of a line."""
    for page in sorted(_RUNBOOKS.glob("*.md")):
        if name in page.read_text(encoding="utf-8") and page.name != "README.md":
            yield f" [{page.stem}](runbooks/{page.name})"
