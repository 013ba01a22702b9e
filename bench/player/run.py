"""Runs all measurements in turn, round by round, on one disk."""

import platform
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import click
import orjson

from bench.machine import machine
from bench.player import draining, measures
from bench.player.figures import DISK, OURS, Values, as_json, as_markdown
from bench.player.stores import SYSTEMS, System

#: Where syncing costs nothing: what is left is the program's own.
_MEMORY: Final = Path("/dev/shm")  # noqa: S108
_RESULTS: Final = Path(__file__).parents[1] / "results"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured."""

    rounds: int
    #: Plays that wait in what is opened.
    backlog: int = 1_000_000
    plays: int = 400
    seconds: float = 4.0
    drained: int = 100_000


class _Measuring:
    def __init__(self, plan: Plan, folder: Path, say: Say) -> None:
        self._plan = plan
        self._folder = folder
        self._say = say
        self.values: defaultdict[tuple[str, str], list[float]] = defaultdict(list)

    def run(self) -> None:
        for system in SYSTEMS:
            self._say(f"{system.name}: writing {self._plan.backlog:,} plays")
            system.fill(self._backlog(system), self._plan.backlog)
        for number in range(self._plan.rounds):
            self._round(number)
        for system in SYSTEMS:
            with _fresh(self._folder) as path:
                self._note("megabytes", system.name, measures.megabytes(system, path))
        if draining.can_be_measured():
            with _fresh(self._folder) as path:
                self.values["drained", OURS] = draining.rows_per_second(
                    path.parent, self._plan.drained, self._plan.rounds, self._say
                )

    def _round(self, number: int) -> None:
        self._say(f"round {number + 1} of {self._plan.rounds}")
        with _fresh(self._folder) as path:
            taken = measures.sync_ms(path, self._plan.plays)
        self._note_spread("sync", DISK, taken)
        # Nobody is always the first.
        begin = number % len(SYSTEMS)
        for system in (*SYSTEMS[begin:], *SYSTEMS[:begin]):
            self._write(system, self._folder, "play", "plays_per_second")
            if _MEMORY.is_dir():
                self._write(system, _MEMORY, "memory", "memory_plays_per_second")
            self._note("open", system.name, measures.open_ms(system, self._backlog(system)))
            self._note("import", system.name, measures.import_ms(system.module))

    def _write(self, system: System, folder: Path, one: str, many: str) -> None:
        """One play after the other, and those of many threads."""
        with _fresh(folder) as path:
            self._note_spread(one, system.name, measures.play_ms(system, path, self._plan.plays))
        with _fresh(folder) as path:
            rate = measures.plays_per_second(system, path, self._plan.seconds)
        self._note(many, system.name, rate)

    def _note_spread(self, name: str, system: str, taken: Any) -> None:
        for percent in (50, 99):
            self._note(f"{name}_p{percent}", system, measures.percentile(taken, percent))

    def _note(self, name: str, system: str, value: float) -> None:
        self.values[name, system].append(value)
        self._say(f"  {system}: {name} {value:,.2f}")

    def _backlog(self, system: System) -> Path:
        return self._folder / f"backlog-{system.name}"


@contextmanager
def _fresh(folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="player-", dir=folder) as name:
        yield Path(name) / "store"


def run(plan: Plan, say: Say) -> tuple[Values, dict[str, Any]]:
    """Measure everything; gives the values, and where they were taken."""
    facts = {
        "rounds": plan.rounds,
        "backlog": plan.backlog,
        "machine": machine(),
        "versions": {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            **{each.package: version(each.package) for each in SYSTEMS},
        },
    }
    # Where the developer's disk is: many a /tmp is in memory.
    _RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="player-", dir=_RESULTS) as name:
        measuring = _Measuring(plan, Path(name), say)
        measuring.run()
    return measuring.values, facts


def measure(rounds: int) -> None:
    """Measure, show the table, and keep it."""
    values, facts = run(Plan(rounds=rounds), lambda text: click.echo(text, err=True))
    table = as_markdown(values, facts)
    click.echo(table)
    told = orjson.dumps(as_json(values, facts), option=orjson.OPT_INDENT_2)
    (_RESULTS / "player.json").write_bytes(told + b"\n")
    (_RESULTS / "player.md").write_text(table + "\n")
    click.echo(f"kept in {_RESULTS / 'player.json'} and player.md", err=True)
