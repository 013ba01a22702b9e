"""Where the demo talks to people: a live picture on a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from pop_stream.demo.snapshot import Snapshot
from pop_stream.demo.view import HAPPENINGS_SHOWN, picture, plain_line

#: The least time between two plain lines.
_LINE_SECONDS = 1.0
_MEGABYTE = 1_000_000


class Screen:
    """Shows a run on stderr. Use it as a context manager: the picture lives inside."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._is_closed = False
        self._line_due_at = 0.0
        self._downloaded = 0
        self._last: Snapshot | None = None
        self._best: Snapshot | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=10)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the last picture as it is and draw no more."""
        if self._live is not None:
            self._live.stop()
        elif self._last is not None and not self._is_closed:
            self._console.out(plain_line(self._last))
        self._is_closed = True

    @property
    def best(self) -> Snapshot | None:
        """The moment past half-way with the most to see."""
        return self._best

    def say(self, text: str) -> None:
        """Say what happens while there is nothing to draw yet."""
        if self._live is not None:
            self._live.update(Text(text, "dim"))
        else:
            self._console.out(text)

    def downloading(self, done: int, total: int) -> None:
        """Show how much of Kafka is here. May be called from any thread."""
        percent = 100 * done // total if total else 100
        text = f"fetching Apache Kafka, once: {done / _MEGABYTE:.0f} of {total / _MEGABYTE:.0f} MB"
        if self._live is not None:
            self._live.update(Text(f"{text} ({percent} %)"))
        elif percent >= self._downloaded + 10:
            self._downloaded = percent
            self._console.out(f"{text} ({percent} %)")

    def show(self, snapshot: Snapshot) -> None:
        """Show a moment."""
        stands_still = self._last is not None and self._last.counts == snapshot.counts
        self._last = snapshot
        if self._best is None or _interest(snapshot) >= _interest(self._best):
            self._best = snapshot
        if self._live is not None:
            self._live.update(picture(snapshot))
        elif not stands_still and time.monotonic() >= self._line_due_at:
            self._line_due_at = time.monotonic() + _LINE_SECONDS
            self._console.out(plain_line(snapshot))


def _interest(snapshot: Snapshot) -> tuple[bool, int, int]:
    counts, latest = snapshot.counts, snapshot.happenings[-HAPPENINGS_SHOWN:]
    is_late = 2 * counts.settled >= snapshot.expected
    return is_late, len({each.kind for each in latest}), counts.waiting
