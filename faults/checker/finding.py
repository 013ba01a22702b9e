"""What a check found: plain values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

_MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check on one run."""

    check: str
    ok: bool
    #: What was counted or timed.
    measured: float
    #: What it would have been allowed to be.
    allowed: str
    #: For people.
    detail: str
    #: A few ids or places to look at.
    examples: tuple[str, ...] = ()
    #: What was counted, by cause, where it has some.
    causes: Mapping[str, int] = field(default_factory=dict)


def some(found: Iterable[str]) -> tuple[str, ...]:
    """The first few, as examples."""
    return tuple(islice(found, _MOST_EXAMPLES))


def counted(count: int, noun: str) -> str:
    """A number with its noun, which takes an s for more than one."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
