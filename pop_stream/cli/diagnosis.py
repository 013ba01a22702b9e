"""What the doctor finds."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    #: Works, but not for everything or not for long.
    WARN = "warn"
    #: Something that was asked for cannot work.
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One thing that was looked at."""

    #: What was looked at: `python`, `kafka`, `topic pop-events`, ...
    check: str
    level: Level
    found: str
    #: What to do about it; empty when all is well.
    remedy: str = ""


def well(check: str, found: str) -> Diagnosis:
    """Say that all is well."""
    return Diagnosis(check=check, level=Level.OK, found=found)


def warn(check: str, found: str, *, remedy: str) -> Diagnosis:
    """Say what does not work for everything or not for long."""
    return Diagnosis(check=check, level=Level.WARN, found=found, remedy=remedy)


def fail(check: str, found: str, *, remedy: str) -> Diagnosis:
    """Say what cannot work."""
    return Diagnosis(check=check, level=Level.FAIL, found=found, remedy=remedy)
