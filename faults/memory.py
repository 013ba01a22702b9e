"""How much memory a process holds, and how that grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression

#: What a process holds at first says nothing of what it will keep: it fills what it may hold.
_BEGINNING_SECONDS = 60.0
_BEGINNING_SHARE = 0.25
_LEAST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What one process held at one time."""

    #: Epoch seconds.
    at: float
    pid: int
    megabytes: float


def resident_megabytes(pid: int) -> float | None:
    """What a process holds in memory; None when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return None
    lines = [line.split() for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(lines[0][1]) / 1024 if lines else None


def growth_mb_per_hour(samples: Sequence[Sample]) -> float:
    """How fast the last process among the samples grows; 0 when it ran too short a time."""
    if not samples:
        return 0.0
    last = [each for each in samples if each.pid == samples[-1].pid]
    ran = last[-1].at - last[0].at
    beginning = max(_BEGINNING_SECONDS, _BEGINNING_SHARE * ran)
    late = [each for each in last if each.at > last[0].at + beginning]
    if len(late) < 2 or late[-1].at - late[0].at < _LEAST_SECONDS:
        return 0.0
    slope, _ = linear_regression([each.at for each in late], [each.megabytes for each in late])
    return float(slope * 3600)
