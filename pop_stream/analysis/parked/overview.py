"""What many events are, in figures: how many, how large, of which sites, days and reasons."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from pop_stream.analysis.as_object import as_line
from pop_stream.analysis.event_view import EventView

#: Texts of players make no more kinds than that; the rest is counted together.
_MOST_KINDS: Final = 10_000
_OTHERS: Final = "(others)"
_NONE: Final = "(none)"
_LONGEST: Final = 64
_FIRST_LINES: Final = 5
_UP_TO: Final = ((3600, "under 1 h"), (6 * 3600, "1 h to 6 h"), (86_400, "6 h to 1 d"),
                 (7 * 86_400, "1 d to 7 d"))  # fmt: skip
_OLDER: Final = "7 d and more"


class Overview:
    """Counts events as they come; it grows with the kinds of events, not with their number."""

    def __init__(self, by: Iterable[str] = ("site", "day", "reason"), *, now_ms: int = 0) -> None:
        """`by`: site, day, reason, status, or age since it was stored, at `now_ms`."""
        self.events = 0
        #: Of the values alone.
        self.bytes = 0
        self.first_lines: list[str] = []
        self.by: dict[str, Counter[str]] = {name: Counter() for name in by}
        self._now_ms = now_ms

    def add(self, event: EventView) -> None:
        """Count one."""
        self.events += 1
        self.bytes += len(event.value or b"")
        for name, counter in self.by.items():
            kind = self._kind(name, event)
            if kind not in counter and len(counter) >= _MOST_KINDS:
                kind = _OTHERS
            counter[kind] += 1
        if len(self.first_lines) < _FIRST_LINES:
            self.first_lines.append(as_line(event))

    def as_object(self) -> dict[str, Any]:
        """For programs, and for plans."""
        return {
            "events": self.events,
            "bytes": self.bytes,
            **{
                f"by{name.capitalize()}": dict(sorted(counter.items()))
                for name, counter in self.by.items()
            },
            "first": self.first_lines,
        }

    def _kind(self, name: str, event: EventView) -> str:
        if name == "age":
            return age_of((self._now_ms - event.timestamp) / 1000)
        if name == "day":
            text = (event.text("startTimestamp") or "")[:10]
        else:
            text = event.text({"site": "siteId"}.get(name, name)) or ""
        # What a player wrote must not move a terminal's cursor.
        shown = "".join(c if c.isprintable() else "?" for c in text[:_LONGEST])
        return shown or _NONE


def age_of(seconds: float) -> str:
    """The class of ages to which so many seconds belong."""
    return next((name for limit, name in _UP_TO if seconds < limit), _OLDER)


#: In the order in which they are shown.
AGES: Final = (*(name for _, name in _UP_TO), _OLDER)
