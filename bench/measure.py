"""What a process and all its children have used, from the process table (Linux)."""

import os
import time
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
    #: The sum of what each has resident now.
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    own_ticks: int
    #: Of children that have ended.
    ended_ticks: int


def tree_usage(pid: int, proc: Path = PROC) -> Usage:
    """Add up what the process and everything below it has used; nothing once it is gone."""
    table = _read_table(proc)
    family = _family(pid, table)
    memory = [_memory_bytes(proc / str(member)) for member in family]
    return Usage(
        cpu_seconds=sum(_cpu_seconds(member, table[member], proc) for member in family),
        peak_rss_bytes=sum(one["VmHWM"] for one in memory),
        rss_bytes=sum(one["VmRSS"] for one in memory),
    )


def machine_cpu_seconds(proc: Path = PROC) -> float:
    """What all cores together have worked, for anybody, since the machine was started."""
    fields = (proc / "stat").read_text().split("\n", 1)[0].split()[1:9]
    user, nice, system, _idle, _waiting, *interrupts_and_steal = map(int, fields)
    return (user + nice + system + sum(interrupts_and_steal)) / os.sysconf("SC_CLK_TCK")


def _cpu_seconds(pid: int, process: _Process, proc: Path) -> float:
    a_tick = 1 / os.sysconf("SC_CLK_TCK")
    return (_clock_of(pid, proc) or process.own_ticks * a_tick) + process.ended_ticks * a_tick


def _clock_of(pid: int, proc: Path) -> float | None:
    """The same CPU time in nanoseconds: two ticks of 10 ms are much for 10,000 events."""
    if proc != PROC:
        return None
    try:
        # What clock_getcpuclockid(3) makes of an id: Python has no such function.
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return None


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
    own, ended = fields[11:13], fields[13:15]
    return _Process(int(fields[1]), sum(map(int, own)), sum(map(int, ended)))


def _family(pid: int, table: dict[int, _Process]) -> set[int]:
    family = {pid} & table.keys()
    while True:
        children = {child for child, process in table.items() if process.parent in family}
        if children <= family:
            return family
        family |= children


def _memory_bytes(folder: Path) -> dict[str, int]:
    found = {"VmHWM": 0, "VmRSS": 0}
    try:
        lines = (folder / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return found
    for line in lines:
        name, _, value = line.partition(":")
        if name in found:
            found[name] = int(value.split()[0]) * 1024
    return found
