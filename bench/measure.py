"""What a process and all its children have used, from the process table (Linux)."""

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process tree has used since it began."""

    #: User and system time, that of children that have ended included.
    cpu_seconds: float
    #: The sum of what each living process had resident at its peak.
    peak_rss_bytes: int


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    cpu_ticks: int


def tree_usage(pid: int, proc: Path = PROC) -> Usage:
    """Add up what the process and everything below it has used; nothing once it is gone."""
    table = _read_table(proc)
    family = _family(pid, table)
    ticks = sum(table[member].cpu_ticks for member in family)
    return Usage(
        cpu_seconds=ticks / os.sysconf("SC_CLK_TCK"),
        peak_rss_bytes=sum(_peak_rss_bytes(proc / str(member)) for member in family),
    )


def _read_table(proc: Path) -> dict[int, _Process]:
    table = {}
    for folder in proc.iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            table[int(folder.name)] = _parse_stat(stat)
    return table


def _parse_stat(stat: str) -> _Process:
    # The second field is the program's name in brackets, and may itself hold spaces and brackets.
    fields = stat.rpartition(")")[2].split()
    # utime, stime, and the same of children that have ended: fields 14 to 17 of proc(5).
    return _Process(parent=int(fields[1]), cpu_ticks=sum(int(field) for field in fields[11:15]))


def _family(pid: int, table: dict[int, _Process]) -> set[int]:
    family = {pid} & table.keys()
    while True:
        children = {child for child, process in table.items() if process.parent in family}
        if children <= family:
            return family
        family |= children


def _peak_rss_bytes(folder: Path) -> int:
    try:
        lines = (folder / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    peaks = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(peaks[0]) * 1024 if peaks else 0
