"""The evidence of one run: what each party wrote down for itself, as files in one folder.

The checker reads these files and nothing else. Each is JSON, one object a line, but `run.json`,
which is one object. Times are epoch seconds unless a name says `ms`.

```
run.json            what was run, and which guarantees were asked for
produced.ndjson     the player: an event, before it was sent for the first time
acked.ndjson        the player: the broker confirmed an event (acks=all), and where it stands
gstv.ndjson         the partner: each request whose body was read, before its answer
records.ndjson      all records of all topics, read at the end by another client than the worker's
receipts.ndjson     all records of the receipts topic, which tell of many events each
commits.ndjson      all offsets that the group ever committed, by the broker's own record of them
generations.ndjson  each end of a rebalance of the group, by the same record
faults.ndjson       each fault: when it began and ended, and whether it was seen to bite
workers.ndjson      each run of a worker's process: when it began and ended, and how
```
"""

import base64
import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What was run (`run.json`)."""

    scenario: str
    seed: int
    began_at: float
    #: When the last fault was over, and everything was well again.
    healed_at: float
    ended_at: float
    #: Whether all was at rest in the end: nothing to commit, counters stable over 5 looks.
    quiet: bool
    #: The topics' names by role: events, retry, failure, notifications.
    topics: Mapping[str, str]
    group: str
    #: Retries after the first attempt.
    retries: int
    #: Attempts that a worker may have under way.
    in_flight: int
    #: Whether the order of each screen's events was asked for.
    ordered: bool = False
    #: Whether delivery receipts were asked for.
    receipted: bool = False
    #: How soon after `healed_at` something must have been delivered, in seconds.
    recovery_seconds: float = 30.0
    #: What must have been seen at least once, so that the run is no empty one:
    #: duplicate, retry, parked, rebalance.
    must_have: tuple[str, ...] = ()
    #: The part of all faults that may go without a bite: where they are drawn, one may strike what
    #: another has struck already. Those count for nothing.
    idle_share: float = 0.0
    #: The least number of confirmed events.
    least_events: int = 100
    versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Produced:
    """An event as a player meant it (`produced.ndjson`)."""

    id: str
    key: str
    #: Counts the events of one key, from 0.
    seq: int
    #: Of the record's value, in hexadecimal.
    sha256: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Acked:
    """An event that the broker confirmed (`acked.ndjson`)."""

    id: str
    partition: int
    offset: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that the partner read (`gstv.ndjson`); the names are those of the mock's ledger."""

    id: str | None
    #: What X-Pop-Attempt said.
    attempt: int | None
    sha256: str
    #: The answer's status, or the name of the partner's own misbehaviour.
    decision: int | str
    #: The status of the answer, also of one that was cut off; None without any answer.
    status: int | None
    received_at: float
    #: Just before the answer was sent; None without an answer.
    answered_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of one topic (`records.ndjson`)."""

    #: Its role: events, retry, failure, notifications.
    topic: str
    partition: int
    offset: int
    #: By the broker's clock.
    timestamp_ms: int
    key: str | None
    #: Of the value, in hexadecimal; of a null value that of nothing.
    sha256: str
    #: Of two headers of a name the latest; what is not text is left out.
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One record of the receipts topic (`receipts.ndjson`), as it stands there."""

    partition: int
    offset: int
    #: By the broker's clock.
    timestamp_ms: int
    key: str | None
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One offset that was committed once (`commits.ndjson`), in the order of the broker's log."""

    #: The topic's role.
    topic: str
    partition: int
    offset: int
    #: By the broker's clock, when the request came in.
    at_ms: int
    #: What the committer noted beside the offset.
    metadata: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """The end of one rebalance (`generations.ndjson`)."""

    #: By the broker's clock: whoever owned a partition before could not commit after this.
    at_ms: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault (`faults.ndjson`)."""

    #: Such as worker-kill, worker-stop, broker-kill, broker-pause, broker-cut, gstv-cut, gstv-slow.
    kind: str
    #: What was struck: worker-2, broker-1, gstv.
    target: str
    began_at: float
    ended_at: float
    #: Whether it was seen to bite: the process died with work under way, bytes were held back.
    bit: bool
    #: What was seen, for people.
    seen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRun:
    """One run of a worker's process (`workers.ndjson`)."""

    #: The place that a supervisor keeps filled: worker-1, worker-2.
    worker: str
    pid: int
    began_at: float
    ended_at: float
    #: As the system tells it: negative for a signal; None while it was still running at the end.
    exit_code: int | None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All of it."""

    run: RunFacts
    produced: tuple[Produced, ...]
    acked: tuple[Acked, ...]
    requests: tuple[Request, ...]
    records: tuple[Record, ...]
    receipts: tuple[Receipt, ...]
    commits: tuple[Commit, ...]
    generations: tuple[Generation, ...]
    faults: tuple[Fault, ...]
    workers: tuple[WorkerRun, ...]


_FILES: Mapping[str, type[Any]] = MappingProxyType(
    {
        "produced": Produced,
        "acked": Acked,
        "gstv": Request,
        "records": Record,
        "receipts": Receipt,
        "commits": Commit,
        "generations": Generation,
        "faults": Fault,
        "workers": WorkerRun,
    }
)


def read_evidence(folder: Path) -> Evidence:
    """Read all files. Raises OSError for one that is missing, ValueError for a broken line."""
    found = {name: tuple(_read(folder / f"{name}.ndjson", kind)) for name, kind in _FILES.items()}
    facts = json.loads((folder / "run.json").read_text("utf-8"))
    facts["must_have"] = tuple(facts.get("must_have", ()))
    return Evidence(run=RunFacts(**facts), requests=found.pop("gstv"), **found)


def write_lines(path: Path, items: Iterable[object]) -> None:
    """Write one file whole."""
    with path.open("w", encoding="utf-8") as file:
        for item in items:
            file.write(line_of(item))


def write_run(folder: Path, facts: RunFacts) -> None:
    """Write `run.json`."""
    values = {name: _plain(getattr(facts, name)) for name in _names(RunFacts)}
    (folder / "run.json").write_text(json.dumps(values, indent=2), "utf-8")


def line_of(item: object) -> str:
    """Write one item as its line."""
    values = {name: _plain(getattr(item, name)) for name in _names(type(item))}
    return json.dumps(values, ensure_ascii=False) + "\n"


def as_text(data: bytes | None) -> str | None:
    """Write a key or a value: as it is when it is text, else as base64 with a mark before it."""
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(data).decode()


def _read(path: Path, kind: type[T]) -> Iterator[T]:
    names = _names(kind)
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith("\n"):
                # Its writer was killed in the middle of it.
                return
            try:
                values = json.loads(line)
                yield kind(**{name: values[name] for name in names if name in values})
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path}, line {number}: not a line of it ({error})") from error


def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(kind))


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value
