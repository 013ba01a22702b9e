"""What is shown and kept of the figures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from bench.bars import Judged, judge
from bench.figures import Values, shown, spread, times
from bench.scenario import Row, Scenario
from bench.systems import BASE, SYSTEMS

_BUSY = 0.9
_CPU = "cpu_us_per_event"
#: What every row of JSON has, also where it was not measured.
_PROMISED = ("events_per_second", _CPU, "rss_mb")


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    form: str
    #: Whether rounds differ in it.
    spreads: bool = True


#: Of the figures that tables show, by their names.
COLUMNS = {
    _CPU: _Column("CPU, us an event", ",.1f"),
    "events_per_second": _Column("events/s", ",.0f"),
    "rss_mb": _Column("peak RSS, MB", ",.0f"),
    "events": _Column("events measured", ",.0f", spreads=False),
    "share_of_limit": _Column("of the limit", ".1%"),
    "p50_ms": _Column("p50, ms", ".2f"),
    "p99_ms": _Column("p99, ms", ".2f"),
    "failed_share": _Column("failed at first", ".1%", spreads=False),
    "seconds_to_first": _Column("seconds to the first delivery", ".2f"),
    "cpu_seconds_to_first": _Column("CPU until then, s", ".2f"),
    **{f"rss_mb_fifth_{n}": _Column(f"fifth {n}: RSS, MB", ",.1f") for n in range(1, 6)},
    "growth_mb": _Column("growth, MB", "+.1f"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Everything that came of measuring one scenario."""

    #: The scenario's letter.
    key: str
    scenario: Scenario
    #: By the names of the rows.
    rounds: Mapping[str, Sequence[Values]]
    #: Why rows failed, by their names.
    failures: Mapping[str, str]
    receivers: Sequence[str]
    seconds: float
    versions: Mapping[str, str]
    machine: Mapping[str, str | int | float]
    #: The systems that could not be run here, each with the reason.
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def judged(self) -> list[Judged]:
        """What came of the scenario's bars."""
        return [judge(bar, self.rounds) for bar in self.scenario.bars]


def as_json(measured: Measured) -> dict[str, object]:
    """All that was measured, in one object."""
    return {
        "scenario": measured.key,
        "title": measured.scenario.title,
        "asked": [asdict(one) for one in measured.judged],
        "rows": [_as_object(measured, row) for row in measured.scenario.rows],
        "failures": dict(measured.failures),
        "left_out": dict(measured.left_out),
        "notes": list(measured.scenario.notes),
        "receiver": "; ".join(measured.receivers),
        "seconds": round(measured.seconds),
        "versions": dict(measured.versions),
        "machine": dict(measured.machine),
    }


def as_rows(measured: Measured) -> list[dict[str, object]]:
    """One object for each row, each complete in itself."""
    told = as_json(measured)
    common = {name: told[name] for name in ("receiver", "versions", "machine")}
    return [_as_object(measured, row) | common for row in measured.scenario.rows]


def _as_object(measured: Measured, row: Row) -> dict[str, object]:
    rounds, variant = measured.rounds[row.name], row.variant
    told: dict[str, object] = {
        "scenario": measured.key,
        "system": variant.system,
        "row": row.name,
        **dict.fromkeys(_PROMISED),
    }
    for figure in rounds[0] if rounds else ():
        found = spread([one[figure] for one in rounds])
        told[figure] = round(found.median, 3)
        told[f"{figure}_spread"] = [round(found.lowest, 3), round(found.highest, 3)]
    base = _base_of(measured, row)
    if base is not None:
        cost = round(times(_CPU, rounds, measured.rounds[base.name]), 4)
        told |= {"base": base.name, "cpu_times_the_base": cost}
        if base.variant.system == BASE:
            told["cpu_against_naive"] = cost
    return told | {
        "backlog": variant.topic.events,
        "partitions": variant.topic.partitions,
        "in_flight": variant.in_flight,
        "workers": variant.workers,
        "cores": variant.cores,
        "settings": dict(variant.settings),
        "rounds": [dict(one) for one in rounds],
    }


def as_markdown(measured: Measured) -> str:
    """The tables, what stands behind each name in them, and where they were taken."""
    scenario = measured.scenario
    lines = [f"Scenario {measured.key}: {scenario.title}.{_common(scenario)}", ""]
    lines += _table(measured)
    rounds = max(len(each) for each in measured.rounds.values())
    medians = (
        f"Median of {rounds} interleaved rounds, lowest and highest in brackets"
        if rounds > 1
        else "One round"
    )
    lines += ["", f"{medians}. CPU is user and system time of all processes of the system.", ""]
    if scenario.bars:
        lines += [*_bars(measured.judged), ""]
    systems = dict.fromkeys(row.variant.system for row in scenario.rows)
    lines += [f"- `{system}`: {SYSTEMS[system].what}." for system in systems]
    lines += [f"- {note}" for note in scenario.notes]
    if len(systems) > 1:
        lines += [f"- `{name}` was left out: {why}." for name, why in measured.left_out.items()]
    lines += _failures(measured)
    receivers = "; ".join(measured.receivers)
    lines.append(f"- Receiver, not counted: {receivers}.{_receiver_note(measured)}")
    lines += _other_note(measured)
    lines.append("- Versions: " + _listed(measured.versions))
    lines.append("- Machine: " + _listed(measured.machine))
    lines.append(f"- It took {measured.seconds / 60:.1f} minutes.")
    return "\n".join(lines)


def _table(measured: Measured) -> Iterator[str]:
    rows = measured.scenario.rows
    compared = any(_base_of(measured, row) for row in rows)
    columns = measured.scenario.columns
    headings = ["", *(COLUMNS[name].heading for name in columns), *["CPU, against"] * compared]
    yield f"| {' | '.join(headings)} |"
    yield "| --- |" + " ---: |" * (len(headings) - 1)
    for row in rows:
        rounds = measured.rounds[row.name]
        cells = [row.name, *(_cell(name, rounds) for name in columns)]
        yield f"| {' | '.join([*cells, *[_against(measured, row)] * compared])} |"


def _cell(name: str, rounds: Sequence[Values]) -> str:
    values = [one[name] for one in rounds if name in one]
    if not values:
        return "-"
    column = COLUMNS[name]
    found = spread(values)
    middle = format(found.median, column.form)
    if len(values) == 1 or not column.spreads:
        return middle
    return f"{middle} [{found.lowest:{column.form}} to {found.highest:{column.form}}]"


def _against(measured: Measured, row: Row) -> str:
    base = _base_of(measured, row)
    if base is None or base is row:
        return "-"
    ratio = times(_CPU, measured.rounds[row.name], measured.rounds[base.name])
    told = f"{1 / ratio:.1f} times less than" if ratio < 0.5 else f"{ratio:.2f} times"
    return f"{told} {base.name}"


def _base_of(measured: Measured, row: Row) -> Row | None:
    """What it can be compared with."""
    if not (measured.rounds[row.name] and measured.rounds.get(row.base or "")):
        return None
    return next(each for each in measured.scenario.rows if each.name == row.base)


def _bars(judged: Sequence[Judged]) -> Iterator[str]:
    yield "| asked | limit | measured | met |"
    yield "| --- | --- | ---: | --- |"
    for one in judged:
        measured = "-" if one.measured is None else shown(one.measured)
        met = {True: "yes", False: "**no**", None: "not measured"}[one.met]
        yield f"| {one.what} | {one.asked} | {measured} | {met} |"


def _failures(measured: Measured) -> Iterator[str]:
    for name, why in measured.failures.items():
        # What follows the first line are the last words of a system.
        what = why.splitlines()[0].removesuffix("; it said:")
        yield f"- Failed: {name}: {what}."


def _common(scenario: Scenario) -> str:
    """What is the same in all rows."""
    variants = [row.variant for row in scenario.rows]
    told = []
    if len({each.topic for each in variants}) == 1:
        topic = variants[0].topic
        events = "1 event" if topic.events == 1 else f"{topic.events:,} events"
        told.append(f"{events} in {topic.partitions} partitions")
    if len({each.in_flight for each in variants}) == 1:
        told.append(f"{variants[0].in_flight:,} in flight")
    return f" {', '.join(told)}." if told else ""


def _receiver_note(measured: Measured) -> str:
    loads = _all(measured, "receiver_load")
    if not loads:
        return ""
    note = f" At most {max(loads):.0%} of a core busy."
    if max(loads) > _BUSY:
        note += " It held the fastest system back: that one can do more events/s."
    return note


def _other_note(measured: Measured) -> Iterator[str]:
    """How far the machine was this run's own."""
    if loads := _all(measured, "other_load"):
        yield (
            f"- All else on this machine kept {min(loads):.2f} to {max(loads):.2f} cores busy"
            " meanwhile."
        )


def _all(measured: Measured, figure: str) -> list[float]:
    rounds = [one for each in measured.rounds.values() for one in each]
    return [one[figure] for one in rounds if figure in one]


def _listed(facts: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
