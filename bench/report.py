"""What is shown and kept of the figures."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bench.figures import Round, Spread, spread, times_the_cpu
from bench.scenarios import Scenario
from bench.systems import BASE, SYSTEMS

_BUSY = 0.9
_HEADINGS = (
    "system",
    "CPU, us an event",
    f"against {BASE}",
    "events/s",
    "peak RSS, MB",
    "events measured",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Everything that came of measuring one scenario."""

    #: The scenario's letter.
    key: str
    scenario: Scenario
    receiver: str
    rounds: Mapping[str, Sequence[Round]]
    versions: Mapping[str, str]
    machine: Mapping[str, str | int | float]


def as_json(measured: Measured) -> list[dict[str, object]]:
    """One object for each system, each complete in itself."""
    return [_as_object(measured, system) for system in measured.rounds]


def _as_object(measured: Measured, system: str) -> dict[str, object]:
    rounds = measured.rounds[system]
    rate, cpu = _rate(rounds), _cpu(rounds)
    base = measured.rounds.get(BASE)
    return {
        "scenario": measured.key,
        "system": system,
        "events_per_second": round(rate.median),
        "cpu_us_per_event": round(cpu.median, 2),
        "rss_mb": round(max(one.rss_mb for one in rounds), 1),
        "cpu_against_naive": round(times_the_cpu(rounds, base), 4) if base else None,
        "events_per_second_spread": [round(rate.lowest), round(rate.highest)],
        "cpu_us_per_event_spread": [round(cpu.lowest, 2), round(cpu.highest, 2)],
        "backlog": measured.scenario.backlog,
        "in_flight": measured.scenario.in_flight,
        "receiver": measured.receiver,
        "rounds": [asdict(one) for one in rounds],
        "versions": dict(measured.versions),
        "machine": dict(measured.machine),
    }


def as_markdown(measured: Measured) -> str:
    """The table, what stands behind each name in it, and where it was taken."""
    scenario = measured.scenario
    rounds = len(next(iter(measured.rounds.values())))
    title = (
        f"Scenario {measured.key}: {scenario.title}; {scenario.in_flight} in flight, "
        f"{scenario.backlog:,} events waiting in {scenario.partitions} partitions.\n"
    )
    lines = [
        title,
        f"| {' | '.join(_HEADINGS)} |",
        "| --- |" + " ---: |" * (len(_HEADINGS) - 1),
    ]
    lines += [_row(measured, system) for system in measured.rounds]
    lines.append(
        f"\nMedian of {rounds} interleaved rounds, lowest and highest in brackets. "
        "CPU is user and system time of the whole process tree.\n"
    )
    lines += [f"- `{system}`: {SYSTEMS[system].what}." for system in measured.rounds]
    lines.append(f"- Receiver: {measured.receiver}, not counted. {_receiver_note(measured)}")
    lines.append("- Versions: " + _listed(measured.versions))
    lines.append("- Machine: " + _listed(measured.machine))
    return "\n".join(lines)


def _row(measured: Measured, system: str) -> str:
    rounds = measured.rounds[system]
    base = measured.rounds.get(BASE)
    rate, cpu = _rate(rounds), _cpu(rounds)
    cells = [
        system,
        f"{cpu.median:.1f} [{cpu.lowest:.1f} to {cpu.highest:.1f}]",
        _against(times_the_cpu(rounds, base)) if base else "-",
        f"{rate.median:,.0f} [{rate.lowest:,.0f} to {rate.highest:,.0f}]",
        f"{max(one.rss_mb for one in rounds):.0f}",
        f"{rounds[0].events:,}",
    ]
    return f"| {' | '.join(cells)} |"


def _against(times: float) -> str:
    return f"{1 / times:.1f} times less" if times < 1 else f"{times:.2f} times"


def _receiver_note(measured: Measured) -> str:
    busiest = max(one.receiver_load for rounds in measured.rounds.values() for one in rounds)
    note = f"At most {busiest:.0%} of a core busy."
    if busiest > _BUSY:
        note += " It held the fastest system back: that one can do more events/s."
    return note


def _rate(rounds: Sequence[Round]) -> Spread:
    return spread([one.events_per_second for one in rounds])


def _cpu(rounds: Sequence[Round]) -> Spread:
    return spread([one.cpu_us_per_event for one in rounds])


def _listed(facts: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
