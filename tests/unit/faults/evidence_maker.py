"""Makes the evidence of a run in which all went well, and damages it in one place at a time.

An event is sent each second, to 4 screens in 2 partitions; what becomes of it, its fate tells.
`worker-2` is killed at 60.5 s, and the way to GSTV is cut from 110 s to 115 s. From 91 s on, and
before 60 s, no worker came or went: nothing there can be blamed on a rebalance.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Literal

from faults.checker.finding import Finding
from faults.checker.judge import judge
from faults.evidence import (
    Acked,
    Commit,
    Evidence,
    Fault,
    Generation,
    Produced,
    Record,
    Request,
    RunFacts,
    WorkerRun,
)

Fate = Literal[
    "delivered",
    "retried",
    "parked",
    "redriven",
    "answer lost",
    "killed before commit",
    "sent twice",
    "handed on twice",
]

#: When a run begins, in epoch seconds: all times of the maker count from then.
BEGIN = 1_800_000_000.0
EVENTS = 160
KILL = 60.5
_SCREENS = 4
_PARTITIONS = 2
_COMMIT_EVERY_SECONDS = 5
#: An attempt that failed is made again so much later.
_BACKOFF = 2.0


def healthy(fates: Mapping[int, Fate] | None = None, **facts: Any) -> Evidence:
    """Make it; some events may be given other fates, and the run other facts."""
    return _Making().evidence(fates or {}, facts)


def id_at(number: int) -> str:
    """The id of an event by its number, which is also the second at which it was sent."""
    return f"00000000-0000-7000-8000-{number:012}"


def failed(evidence: Evidence) -> set[str]:
    """The names of the checks that failed."""
    return {finding.check for finding in judge(evidence) if not finding.ok}


def finding_of(evidence: Evidence, check: str) -> Finding:
    """The result of one check."""
    return next(finding for finding in judge(evidence) if finding.check == check)


def with_facts(evidence: Evidence, **facts: Any) -> Evidence:
    """The same evidence of another run."""
    return replace(evidence, run=replace(evidence.run, **facts))


def drop(evidence: Evidence, ledger: str, which: Callable[[Any], bool]) -> Evidence:
    """Leave lines out of a ledger; some there must be."""
    lines = getattr(evidence, ledger)
    kept = tuple(line for line in lines if not which(line))
    assert len(kept) < len(lines)
    return _with(evidence, ledger, kept)


def change(
    evidence: Evidence, ledger: str, which: Callable[[Any], bool], **values: Any
) -> Evidence:
    """Change lines of a ledger; some there must be."""
    lines = getattr(evidence, ledger)
    changed = tuple(replace(line, **values) if which(line) else line for line in lines)
    assert changed != lines
    return _with(evidence, ledger, changed)


def add(evidence: Evidence, ledger: str, *lines: Any) -> Evidence:
    """Write more lines into a ledger."""
    return _with(evidence, ledger, (*getattr(evidence, ledger), *lines))


def append(evidence: Evidence, record: Record) -> Evidence:
    """Write one more record at the end of its partition, and a last commit that passes it."""
    offset = sum((each.topic, each.partition) == (record.topic, record.partition)
                 for each in evidence.records)  # fmt: skip
    evidence = add(evidence, "records", replace(record, offset=offset))
    if record.topic == "notifications":
        return evidence
    commit = Commit(
        topic=record.topic,
        partition=record.partition,
        offset=offset + 1,
        at_ms=int((BEGIN + 195) * 1000),
    )
    return add(evidence, "commits", commit)


def of_event(number: int, topic: str | None = None) -> Callable[[Any], bool]:
    """Tells the requests of an event, or its records on one topic, from all others."""

    def is_of_event(line: Any) -> bool:
        if topic is None:
            return bool(line.id == id_at(number))
        return bool(line.topic == topic and line.headers["pop-id"] == id_at(number))

    return is_of_event


def commits_of(
    topic: str, partition: int, *, after: float = -1, before: float = 1000
) -> Callable[[Any], bool]:
    """Tells the commits of a partition, between two times, from all others."""

    def is_of_partition(commit: Any) -> bool:
        at = commit.at_ms / 1000 - BEGIN
        return (commit.topic, commit.partition) == (topic, partition) and after < at < before

    return is_of_partition


def delivery(number: int, at: float, **values: Any) -> Request:
    """A request that delivers an event at a time, after which it is answered 5 ms later."""
    request = Request(
        id=id_at(number),
        attempt=1,
        sha256=_digest(number),
        decision=200,
        status=200,
        received_at=BEGIN + at,
        answered_at=BEGIN + at + 0.005,
    )
    return replace(request, **values)


def record_of(topic: str, number: int, at: float, **headers: str) -> Record:
    """A record of an event; its offset is for others to give."""
    trail = {} if topic in ("events", "notifications") else {"pop-origin": "events/0/0/0"}
    told = {name.replace("_", "-"): text for name, text in headers.items()}
    return Record(
        topic=topic,
        partition=_partition(number),
        offset=-1,
        timestamp_ms=int((BEGIN + at) * 1000),
        key=_key(number),
        sha256=_digest(number),
        headers={"pop-id": id_at(number), **trail, **told},
    )


def _with(evidence: Evidence, ledger: str, lines: Any) -> Evidence:
    values: dict[str, Any] = {ledger: lines}
    return replace(evidence, **values)


class _Making:
    """Collects what the parties write down; offsets and commits follow from the times."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        #: Records, each with the time when it was done.
        self.records: list[tuple[Record, float]] = []

    def evidence(self, fates: Mapping[int, Fate], facts: Mapping[str, Any]) -> Evidence:
        for number in range(EVENTS):
            self._live(number, fates.get(number) or _usual_fate(number))
        placed = list(_placed(self.records))
        of_events = {
            record.headers["pop-id"]: record
            for record, _ in reversed(placed)
            if record.topic == "events"
        }
        numbers = range(EVENTS)
        return Evidence(
            run=_run(facts),
            produced=tuple(
                Produced(
                    id=id_at(n), key=_key(n), seq=n // _SCREENS, sha256=_digest(n), at=BEGIN + n
                )
                for n in numbers
            ),
            acked=tuple(
                Acked(
                    id=id_at(n),
                    partition=_partition(n),
                    offset=of_events[id_at(n)].offset,
                    at=BEGIN + n + 0.01,
                )
                for n in numbers
            ),
            requests=tuple(sorted(self.requests, key=lambda request: request.received_at)),
            records=tuple(record for record, _ in placed),
            receipts=(),
            commits=tuple(_commits(placed)),
            generations=_generations(),
            faults=_faults(),
            workers=_workers(),
        )

    def _live(self, number: int, fate: Fate) -> None:
        """One event: its record on the events topic, and all that follows."""
        at = float(number)
        first = at + 0.05
        done = first + 0.005
        match fate:
            case "delivered":
                self._ask(number, first)
            case "retried" | "parked" | "redriven":
                self._ask(number, first, status=422 if fate == "parked" else 503)
                self._retry(number, first, parked=fate != "retried")
                if fate == "redriven":
                    self._retry(number, first + 20, attempts="2", redrives="1")
            case "answer lost":
                self._ask(number, first, decision="reset-after-response")
                self._retry(number, first)
            case "killed before commit":
                self._ask(number, first)
                self._ask(number, KILL + 15)
                done = KILL + 15.01
            case "sent twice":
                self._ask(number, first)
                self._ask(number, first + 1)
                self._note("events", number, at + 1, done=first + 1.005)
            case "handed on twice":
                self._ask(number, first, status=503)
                self._retry(number, first)
                self._retry(number, first + 0.5)
        self._note("events", number, at, done=done + 0.01)

    def _retry(
        self,
        number: int,
        failed_at: float,
        *,
        attempts: str = "1",
        redrives: str = "",
        parked: bool = False,
    ) -> None:
        """The event is written to the retry topic, and attempted once more."""
        again = failed_at + _BACKOFF
        trail = {"pop_attempt": attempts} | ({"pop_redrives": redrives} if redrives else {})
        self._note("retry", number, failed_at + 0.01, done=again + 0.02, **trail)
        status = 422 if parked else 200
        self._ask(number, again, status=status, attempt=int(attempts) + 1)
        if parked:
            self._note("failure", number, again + 0.01, done=again + 0.03, pop_attempt="2")
            self._note("notifications", number, again + 0.02, done=0)

    def _ask(self, number: int, at: float, **values: Any) -> None:
        values.setdefault("decision", values.get("status", 200))
        self.requests.append(delivery(number, at, **values))

    def _note(self, topic: str, number: int, at: float, *, done: float, **headers: str) -> None:
        self.records.append((record_of(topic, number, at, **headers), done))


def _usual_fate(number: int) -> Fate:
    if number == 40:
        return "answer lost"
    if number == 60:
        return "killed before commit"
    if number % 20 == 7:
        return "parked"
    return "retried" if number % 10 == 3 else "delivered"


def _placed(records: Iterable[tuple[Record, float]]) -> Iterable[tuple[Record, float]]:
    """Give each record its offset, by its time."""
    ends: dict[tuple[str, int], int] = {}
    for record, done in sorted(records, key=lambda each: each[0].timestamp_ms):
        place = record.topic, record.partition
        offset = ends.get(place, 0)
        ends[place] = offset + 1
        yield replace(record, offset=offset), done


def _commits(placed: Iterable[tuple[Record, float]]) -> Iterable[Commit]:
    """Every few seconds each partition's finished prefix is committed, if there is more of it."""
    partitions: dict[tuple[str, int], list[float]] = {}
    for record, done in placed:
        if record.topic != "notifications":
            partitions.setdefault((record.topic, record.partition), []).append(done)
    offsets = dict.fromkeys(partitions, 0)
    for second in range(0, 200, _COMMIT_EVERY_SECONDS):
        for place, done_times in partitions.items():
            before = offsets[place]
            while offsets[place] < len(done_times) and done_times[offsets[place]] < second:
                offsets[place] += 1
            if offsets[place] > before:
                topic, partition = place
                yield Commit(
                    topic=topic,
                    partition=partition,
                    offset=offsets[place],
                    at_ms=int((BEGIN + second) * 1000),
                )


def _run(facts: Mapping[str, Any]) -> RunFacts:
    run = RunFacts(
        scenario="made up",
        seed=7,
        began_at=BEGIN - 60,
        healed_at=BEGIN + 120,
        ended_at=BEGIN + 200,
        quiet=True,
        topics={
            "events": "pop-events",
            "retry": "pop-events-retry",
            "failure": "pop-events-failure",
            "notifications": "pop-failure-notifications",
        },
        group="pop-stream",
        retries=1,
        in_flight=16,
        must_have=("duplicate", "retry", "parked", "rebalance"),
    )
    return replace(run, **facts)


def _faults() -> tuple[Fault, ...]:
    kill, cut = BEGIN + KILL, BEGIN + 110
    return (
        Fault(kind="worker-kill", target="worker-2", began_at=kill, ended_at=kill, bit=True),
        Fault(kind="gstv-cut", target="gstv", began_at=cut, ended_at=cut + 5, bit=True),
    )


def _generations() -> tuple[Generation, ...]:
    """Both workers have joined; the one that was killed is back."""
    return (generation(1, -50), generation(2, KILL + 0.6))


def generation(number: int, at: float) -> Generation:
    """The end of a rebalance, so many seconds after the first event."""
    return Generation(at_ms=int((BEGIN + at) * 1000), number=number)


def _workers() -> tuple[WorkerRun, ...]:
    begin, kill, end = BEGIN - 60, BEGIN + KILL, BEGIN + 200
    return (
        WorkerRun(worker="worker-1", pid=101, began_at=begin, ended_at=end, exit_code=None),
        WorkerRun(worker="worker-2", pid=102, began_at=begin, ended_at=kill, exit_code=-9),
        WorkerRun(worker="worker-2", pid=103, began_at=kill + 0.5, ended_at=end, exit_code=None),
    )


def _key(number: int) -> str:
    return f"site-{number % _SCREENS}/1"


def _partition(number: int) -> int:
    return number % _SCREENS % _PARTITIONS


def _digest(number: int) -> str:
    return sha256(f"event {number}".encode()).hexdigest()
