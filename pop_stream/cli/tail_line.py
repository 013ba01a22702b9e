"""An event as one line of a log: on a terminal cut to its width and coloured, else in full."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from pop_stream.analysis.as_object import printable
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.roles import Role
from pop_stream.pop.hole import GONE

_COLOURS = {
    Role.EVENTS: "green",
    Role.RETRY: "yellow",
    Role.FAILURE: "red",
    Role.NOTIFICATIONS: "magenta",
    Role.SETTLED: "cyan",
}
_ROLE_CELLS = len(Role.NOTIFICATIONS)
_KEY_CELLS = 12
_NAME_CELLS = 40
_LATEST = 253_402_300_799


class TailLine:
    """How events are written."""

    def __init__(self, *, zone: ZoneInfo, width: int | None, is_coloured: bool) -> None:
        """`width` in cells; None: nothing is cut."""
        self._zone = zone
        self._width = width
        self._is_coloured = is_coloured

    def of(self, event: EventView, role: Role) -> str:
        """When it was stored, on which topic, its screen, its file, what was said of it, its id."""
        is_cut = self._width is not None
        key = event.text("key") or "no key"
        cells = [
            self._time(event.timestamp),
            _fit(role.value, _ROLE_CELLS, is_cut=True),
            _fit(key, _KEY_CELLS, is_cut=is_cut),
            _fit(_name(event, role), _NAME_CELLS, is_cut=is_cut),
            *(printable(part) for part in _said(event, role) if part),
            event.pop_id,
            f"{event.topic}/{event.partition}/{event.offset}",
        ]
        line = "  ".join(cells)
        if self._width is not None:
            line = _cut(line, self._width)
        if not self._is_coloured:
            return line
        # Around what is cut already: so that colours take no room.
        head = len(cells[0]) + 2
        label = line[head : head + _ROLE_CELLS]
        return line[:head] + click.style(label, fg=_COLOURS[role]) + line[head + _ROLE_CELLS :]

    def _time(self, milliseconds: int) -> str:
        if milliseconds < 0:
            return "no time".ljust(23)
        moment = datetime.fromtimestamp(min(milliseconds / 1000, _LATEST), UTC)
        return moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _name(event: EventView, role: Role) -> str:
    if role is Role.FAILURE and event.text("reason") == GONE:
        return "records deleted before delivery"
    if role is Role.NOTIFICATIONS:
        return event.text("notificationType") or "notification"
    return event.text("filename") or ("no event" if not event.fields else "no file")


def _said(event: EventView, role: Role) -> list[str]:
    if role not in (Role.RETRY, Role.FAILURE):
        return []
    attempts = f"attempt {event.trail.attempts}"
    status, error = event.text("status"), event.text("error")
    return [attempts, event.text("reason") or "", f"status {status}" if status else "", error or ""]


def _fit(text: str, cells: int, *, is_cut: bool) -> str:
    """A text of so many cells, or longer where nothing is cut."""
    # Not at the top: rich takes a tenth of a second to import.
    from rich.cells import cell_len, set_cell_size  # noqa: PLC0415

    text = printable(text)
    if cell_len(text) <= cells:
        return set_cell_size(text, cells)
    return set_cell_size(text, cells - 1) + "…" if is_cut else text


def _cut(line: str, cells: int) -> str:
    from rich.cells import cell_len, set_cell_size  # noqa: PLC0415

    return line if cell_len(line) <= cells else set_cell_size(line, cells - 1) + "…"
