"""The figures: what they are called, what was asked for, and what is shown and kept of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.figures import spread
from bench.player.measures import THREADS
from bench.player.stores import SYSTEMS

DISK: Final = "disk"
OURS: Final = SYSTEMS[0].name


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One line of the table."""

    name: str
    title: str
    unit: str
    #: How a value is written.
    form: str
    #: What was asked for, in words, and whether a value is that; nothing: it is only told.
    asked: str = ""
    is_met: Callable[[float], bool] | None = None


KINDS: Final = (
    Kind(name="play_p50", title="a play, start and end, p50", unit="ms", form=".2f"),
    Kind(name="play_p99", title="a play, start and end, p99", unit="ms", form=".2f",
         asked="below 15", is_met=lambda value: value < 15),
    Kind(name="plays_per_second", title=f"plays, by {THREADS} threads at once", unit="/s",
         form=",.0f", asked="3,000 or more", is_met=lambda value: value >= 3000),
    Kind(name="open", title="opening, with a backlog", unit="ms", form=",.0f",
         asked="below 1,000", is_met=lambda value: value < 1000),
    Kind(name="megabytes", title="120 h of one screen", unit="MB", form=".1f",
         asked="below 20", is_met=lambda value: value < 20),
    Kind(name="drained", title="sending to Kafka", unit="rows/s", form=",.0f"),
    Kind(name="memory_p50", title="the same without a disk: a play, p50", unit="ms", form=".2f"),
    Kind(name="memory_p99", title="a play, p99", unit="ms", form=".2f"),
    Kind(name="memory_plays_per_second", title=f"plays, by {THREADS} threads", unit="/s",
         form=",.0f"),
    Kind(name="import", title="import, CPU", unit="ms", form=",.0f",
         asked="below 150", is_met=lambda value: value < 150),
    Kind(name="sync_p50", title="one page synced (fdatasync), p50", unit="ms", form=".2f"),
    Kind(name="sync_p99", title="one page synced (fdatasync), p99", unit="ms", form=".2f"),
)  # fmt: skip

#: By the kind's name and the system's: one value a round.
Values = Mapping[tuple[str, str], Sequence[float]]


def as_json(values: Values, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Everything, for programs."""
    figures = []
    for (name, system), taken in values.items():
        kind = next(each for each in KINDS if each.name == name)
        middle = spread(taken)
        figures.append({
            "scenario": "player", "figure": name, "what": kind.title, "unit": kind.unit,
            "system": system, "median": middle.median, "lowest": middle.lowest,
            "highest": middle.highest, "rounds": list(taken),
            "asked": kind.asked if system == OURS else "",
            "met": kind.is_met(middle.median) if kind.is_met and system == OURS else None,
        })  # fmt: skip
    return {**facts, "figures": figures}


def as_markdown(values: Values, facts: Mapping[str, Any]) -> str:
    """The table, what stands behind each name in it, and where it was taken."""
    names = [each.name for each in SYSTEMS]
    lines = [
        f"| | {' | '.join(names)} | asked for |",
        "| --- |" + " ---: |" * len(names) + " --- |",
    ]
    for kind in KINDS:
        if any((kind.name, name) in values for name in names):
            cells = [_cell(kind, values.get((kind.name, name)), name) for name in names]
            lines.append(f"| {kind.title}, {kind.unit} | {' | '.join(cells)} | {kind.asked} |")
    disk = [
        f"{kind.title} {_cell(kind, values[kind.name, DISK], DISK)} {kind.unit}"
        for kind in KINDS
        if (kind.name, DISK) in values
    ]
    lines.append(
        f"\nMedian of {facts['rounds']} interleaved rounds, lowest and highest in brackets; "
        "bold: not what was asked for. All commit with `synchronous = FULL` and a write-ahead log, "
        "which is looked up before each measurement.\n"
    )
    lines += [f"- `{each.name}`: {each.what}." for each in SYSTEMS]
    lines.append(f"- The disk alone: {', '.join(disk)}.")
    lines.append(f"- The backlog: {facts['backlog']:,} plays that wait; it was read before.")
    lines.append("- Versions: " + _listed(facts["versions"]))
    lines.append("- Machine: " + _listed(facts["machine"]))
    return "\n".join(lines)


def _cell(kind: Kind, taken: Sequence[float] | None, system: str) -> str:
    if not taken:
        return "-"
    middle = spread(taken)
    text = format(middle.median, kind.form)
    if system == OURS and kind.is_met is not None and not kind.is_met(middle.median):
        text = f"**{text}**"
    if len(taken) == 1:
        return text
    return f"{text} [{middle.lowest:{kind.form}} to {middle.highest:{kind.form}}]"


def _listed(facts: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
