"""Draws a moment of a run: the way of the events, how many are where, what happened last."""

from rich import box
from rich.align import Align
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pop_stream.demo.account import Account
from pop_stream.demo.snapshot import Happening, Snapshot

#: Fits into a terminal of 80 columns.
WIDTH = 79
_ARROW_WIDTH = 7
_COLUMN_WIDTHS = (19, _ARROW_WIDTH, 24, _ARROW_WIDTH, 22)
HAPPENINGS_SHOWN = 6

_MARKS = {
    "retry": ("↻", "yellow", "waits for its next turn"),
    "parked": ("✗", "red", "parked until redriven"),
    "quarantined": ("!", "magenta", "quarantined"),
}


def picture(snapshot: Snapshot) -> RenderableType:
    """Draw the whole picture."""
    return Group(
        _way(snapshot),
        Text(),
        _progress(snapshot),
        Text(),
        *_happenings(snapshot.happenings),
    )


def plain_line(snapshot: Snapshot) -> str:
    """Say the same in a line, for where nothing can be drawn."""
    return (
        f"{snapshot.seconds:6.1f} s  {snapshot.phase}: produced {snapshot.counts.produced:,}"
        f"  delivered {snapshot.counts.accepted:,}  waiting {snapshot.counts.waiting:,}"
        f"  parked {snapshot.counts.parked:,}  notified {snapshot.counts.notified:,}"
        f"  done {snapshot.counts.settled:,} of {snapshot.expected:,}"
    )


def account_table(account: Account, seconds: float) -> RenderableType:
    """Draw the account."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 1))
    table.add_column(justify="right", style="bold")
    table.add_column()
    rows = (
        (account.produced, "produced", "on pop-events", ""),
        (account.delivered, "delivered", "taken by GSTV", "green"),
        (account.delivered_after_retry, "", "of them only after a retry", "dim"),
        (account.parked, "parked", "in pop-events-failure, kept until redriven", "yellow"),
        (account.quarantined, "", "of them quarantined: not fit to be sent", "dim"),
        (account.notified, "notified", "in pop-failure-notifications", "yellow"),
        (account.duplicates, "duplicates", "taken by GSTV more than once", ""),
        (account.unfinished, "unfinished", "still before the worker", ""),
        (account.lost, "lost", "nowhere", "bold red" if account.lost else "bold green"),
    )
    for number, what, where, style in rows:
        if what == "unfinished" and not number:
            continue
        table.add_row(Text(f"{number:,}", style), Text.assemble((f"{what:<12}", style), where))
    return Group(table, Text(), _verdict(account, seconds))


def _verdict(account: Account, seconds: float) -> Text:
    if account.exit_code == 0:
        numbers = f"{account.produced:,} = {account.delivered:,} + {account.parked:,}"
        return Text(f" produced = delivered + parked: {numbers}, in {seconds:.1f} s", "bold green")
    wrong = [f"{account.lost:,} lost"] if account.lost else []
    if account.unfinished:
        wrong.append(f"{account.unfinished:,} unfinished, still in Kafka for the next worker")
    return Text("\n").join(Text(f" {line}", "bold red") for line in (*wrong, *account.unaccounted))


def _way(snapshot: Snapshot) -> Table:
    grid = Table.grid(padding=0)
    for width in _COLUMN_WIDTHS:
        grid.add_column(width=width)
    grid.add_row(
        _station("players", "cyan", _players(snapshot)),
        _right(""),
        _station("pop-events", "blue", _events(snapshot)),
        _right("forward"),
        _station("GSTV", "green", _gstv(snapshot)),
    )
    grid.add_row(
        "",
        "",
        Align.center(Text("│ not fit\n▼", "magenta")),
        "",
        Align.center(Text("no success │ ▲     \n           ▼ │ retry", "yellow")),
    )
    grid.add_row(
        _station(
            "notifications", "yellow", [_count(snapshot.counts.notified, "notified", "yellow")]
        ),
        _left("failure"),
        _station("pop-events-failure", "red", _failure(snapshot)),
        _left("gave up"),
        _station("pop-events-retry", "yellow", _retry(snapshot)),
    )
    return grid


def _station(title: str, color: str, lines: list[Text]) -> Panel:
    body = Text("\n").join([*lines, Text()][:2])
    return Panel(body, title=title, title_align="left", border_style=color, box=box.ROUNDED)


def _players(snapshot: Snapshot) -> list[Text]:
    return [
        Text(f"{snapshot.sites} sites"),
        Text(f"{snapshot.sites * snapshot.screens_per_site} screens", "dim"),
    ]


def _events(snapshot: Snapshot) -> list[Text]:
    return [
        _count(snapshot.counts.produced, "events", "bold"),
        _rate(snapshot.produced_per_second),
    ]


def _gstv(snapshot: Snapshot) -> list[Text]:
    return [
        _count(snapshot.counts.accepted, "taken", "bold green"),
        _count(snapshot.counts.refused_attempts, "refused", "dim"),
    ]


def _failure(snapshot: Snapshot) -> list[Text]:
    return [
        _count(snapshot.counts.parked, "parked", "bold red" if snapshot.counts.parked else ""),
        _count(snapshot.counts.quarantined, "quarantined", "dim"),
    ]


def _retry(snapshot: Snapshot) -> list[Text]:
    return [
        _count(
            snapshot.counts.waiting, "waiting", "bold yellow" if snapshot.counts.waiting else ""
        ),
        _count(snapshot.counts.retried, "so far", "dim"),
    ]


def _count(number: int, word: str, style: str) -> Text:
    return Text(f"{number:>6,} {word}", style)


def _rate(per_second: float) -> Text:
    return Text(f"{per_second:>6,.0f} a second", "dim")


def _right(label: str) -> Text:
    return Text(f"\n{label:^{_ARROW_WIDTH}}\n ────▶", "dim")


def _left(label: str) -> Text:
    return Text(f"\n{label:^{_ARROW_WIDTH}}\n ◀────", "dim")


def _progress(snapshot: Snapshot) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=13)
    grid.add_column(width=30)
    grid.add_column()
    done = snapshot.counts.settled >= snapshot.expected > 0
    bar = ProgressBar(
        total=max(snapshot.expected, 1),
        completed=snapshot.counts.settled,
        width=30,
        complete_style="green" if done else "cyan",
        finished_style="green",
    )
    counts = Text.assemble(
        (f"{snapshot.counts.settled:,} of {snapshot.expected:,}", "bold"),
        (f"  {snapshot.accepted_per_second:,.0f}/s  {snapshot.seconds:.0f} s", "dim"),
    )
    grid.add_row(Text(snapshot.phase), bar, counts)
    return grid


def _happenings(happenings: tuple[Happening, ...]) -> list[Text]:
    shown = [_happening(each) for each in happenings[-HAPPENINGS_SHOWN:]]
    return [*shown, *[Text()] * (HAPPENINGS_SHOWN - len(shown))]


def _happening(happening: Happening) -> Text:
    mark, color, what_follows = _MARKS[happening.kind]
    line = Text.assemble(
        (f"{happening.seconds:6.1f} s ", "dim"),
        (f"{mark} ", color),
        (f"{happening.key:<9.9} ", ""),
        (f"…{happening.pop_id[-6:]}  ", "dim"),
        (f"{happening.reason:<24.24} ", color),
        (what_follows, "dim"),
        no_wrap=True,
        overflow="ellipsis",
    )
    line.truncate(WIDTH, overflow="ellipsis")
    return line
