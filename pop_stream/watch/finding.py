"""One thing that is so with a worker, and how much it matters."""

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How much something matters; the higher, the more."""

    #: All goes as it should.
    WELL = 0
    #: It passes by itself, and soon.
    WAIT = 1
    #: It may pass by itself, and should be watched.
    WATCH = 2
    #: It stays until a person acts.
    ACT = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What is so, in a sentence without its stop; and what a person can do, if anything."""

    level: Level
    says: str
    remedy: str = ""
