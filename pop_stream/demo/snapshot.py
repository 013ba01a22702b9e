"""How far a run is, at one moment: what the view shows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something worth telling: an event took another way than the straight one."""

    #: Since the start of the run.
    seconds: float
    pop_id: str
    #: `siteId/screenId`, as far as it is known.
    key: str
    #: `retry`, `parked` or `quarantined`.
    kind: str
    #: Why, in a few words.
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many events are where, as seen from outside."""

    produced: int
    accepted: int
    #: Attempts that GSTV answered with something else than success, or not at all.
    refused_attempts: int
    #: Events on the retry topic that neither GSTV nor the failure topic has yet.
    waiting: int
    #: Events that were ever on the retry topic.
    retried: int
    parked: int
    quarantined: int
    notified: int
    #: Delivered, or parked and notified.
    settled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A moment of a run."""

    #: What goes on, for people.
    phase: str
    #: Since the start of the run.
    seconds: float
    sites: int
    screens_per_site: int
    #: How many events there will be in the end.
    expected: int
    counts: Counts
    produced_per_second: float
    accepted_per_second: float
    #: The latest, oldest first.
    happenings: tuple[Happening, ...]
