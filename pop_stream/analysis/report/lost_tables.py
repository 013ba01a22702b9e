"""The tables of what players declare lost: by reason, by screen, and one by one."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from pop_stream.analysis.report.labels import OTHERS, day_of, moment
from pop_stream.analysis.report.lost import Declared, Lost
from pop_stream.analysis.report.screen_columns import SCREEN, names_of
from pop_stream.analysis.report.survey import NO_REASON, Counted
from pop_stream.analysis.report.table import Cell, Column, Kind, Table
from pop_stream.pop.loss import MEANINGS

_REASON = Column("reason", "Reason")
_PLAYS = Column("plays", "Plays", Kind.NUMBER)
_HERE = Column("here", "Here all the same", Kind.NUMBER)
_NOTE = (
    "Told by the header pop-lost of later events. A number counts once, however often it is "
    "declared; what is here all the same is not among the plays."
)


def lost_tables(counted: Counted) -> list[Table]:
    """All of them."""
    return [_by_reason(counted), _by_screen(counted), _ranges(counted)]


class _Reason(NamedTuple):
    """A reason, for people."""

    name: str
    meaning: str


def _reason_of(counted: Counted) -> Callable[[int], _Reason]:
    names = counted.loss_reasons.in_order()

    def reason(number: int) -> _Reason:
        name = names[number]
        if name is None:
            return _Reason(OTHERS, "")
        if name == NO_REASON:
            return _Reason("(none)", "the player does not say")
        return _Reason(name, MEANINGS.get(name, ""))

    return reason


def _by_reason(counted: Counted) -> Table:
    def rows() -> Iterator[tuple[Cell, ...]]:
        reason_of = _reason_of(counted)
        # The others at the end: their number is 0.
        for number, one in sorted(
            counted.lost.reasons.items(), key=lambda item: (not item[0], -item[1].plays, item[0])
        ):
            yield *reason_of(number), one.plays, one.screens, one.here

    columns = (_REASON, Column("meaning", "What it means"), _PLAYS,
               Column("screens", "Screens", Kind.NUMBER), _HERE)  # fmt: skip
    return Table(name="lost_reasons", title="Plays that players declare lost", columns=columns,
                 rows=rows, note=_NOTE)  # fmt: skip


def _by_screen(counted: Counted) -> Table:
    lost = counted.lost

    def rows() -> Iterator[tuple[Cell, ...]]:
        screen_of, reason_of = counted.screen_of(), _reason_of(counted)
        for one in lost.screens:
            yield (*names_of(screen_of(one.screen)), reason_of(one.reason).name, one.plays,
                   one.here)  # fmt: skip

    return Table(name="lost_screens", title="Plays that are declared lost, by screen",
                 columns=(*SCREEN, _REASON, _PLAYS, _HERE), rows=rows,
                 note=_left_out(lost.all_screens - len(lost.screens)))  # fmt: skip


def _ranges(counted: Counted) -> Table:
    lost: Lost = counted.lost

    def rows() -> Iterator[tuple[Cell, ...]]:
        screen_of, reason_of = counted.screen_of(), _reason_of(counted)
        for one in lost.ranges:
            loss = one.loss
            yield (*names_of(screen_of(loss.screen)), reason_of(loss.reason).name, loss.first,
                   loss.last, one.plays, one.here, *_days(one), *_times(one))  # fmt: skip

    columns = (
        *SCREEN,
        _REASON,
        Column("first", "First number", Kind.NUMBER),
        Column("last", "Last number", Kind.NUMBER),
        _PLAYS,
        _HERE,
        Column("from_day", "From day"),
        Column("to_day", "To day"),
        Column("since_utc", "Since (UTC)"),
        Column("until_utc", "Until (UTC)"),
    )
    note = "Days are those of the plays beside them; since and until are by the player's clock. "
    return Table(name="lost", title="Numbers that are declared lost", columns=columns, rows=rows,
                 note=(note + _left_out(lost.all_ranges - len(lost.ranges))).strip())  # fmt: skip


def _days(one: Declared) -> Iterator[Cell]:
    yield from (None if day is None else day_of(day) for day in (one.first_day, one.last_day))


def _times(one: Declared) -> Iterator[Cell]:
    for at in (one.loss.since, one.loss.until):
        yield None if at is None else moment(at // 1000)


def _left_out(more: int) -> str:
    return f"{more:,} more are counted only." if more else ""
