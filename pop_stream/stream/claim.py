"""One event that this worker has taken and not yet finished."""

import time
from dataclasses import dataclass
from enum import StrEnum

from pop_stream.kafka.stored_records import StoredName
from pop_stream.pop.identity import fallback_pop_id, parse_pop_id
from pop_stream.pop.trail import (
    DUE_HEADERS,
    POP_ID,
    Due,
    Origin,
    Trail,
    due_from_first_headers,
    trail_from_own_topic,
    trail_from_player,
)
from pop_stream.stream.ledger import Run
from pop_stream.stream.record import KafkaRecord
from pop_stream.watch.tracing import Span

_POP_ID = StoredName(POP_ID)


class Stage(StrEnum):
    """The agent through which an event came."""

    FORWARD = "forward"
    RETRY = "retry"
    FAILURE = "failure"


@dataclass(slots=True, eq=False)
class Claim:
    """An event under way: its record, its place in its run, and what an attempt needs to know."""

    run: Run[KafkaRecord]
    index: int
    record: KafkaRecord
    stage: Stage
    pop_id: str
    #: The Kafka timestamp of the player's own record, in epoch milliseconds.
    produced_at: int
    #: Attempts that were made and counted before.
    attempts: int = 0
    #: No attempt before this, in epoch milliseconds; 0: at once.
    not_before: int = 0
    #: When the attempt under way was started, on the clock of `time.monotonic`.
    attempted_at: float = 0.0
    #: The span of the attempt under way, when traces are on.
    span: Span | None = None
    #: The flags of the event, once it was read.
    flags: tuple[str, ...] = ()
    #: When an attempt failed that the record's headers know nothing of, in epoch milliseconds.
    first_failed_at: int | None = None

    @property
    def trail(self) -> Trail:
        """All that the record's headers tell. Read when asked for: only a failure needs it."""
        here = _place_of(self.run, self.record)
        headers = self.record.headers
        if self.stage is Stage.FORWARD:
            trail = trail_from_player(headers, here, pop_id=self.pop_id)
        else:
            trail = trail_from_own_topic(headers, here)
        if trail.first_failed_at is None and self.first_failed_at is not None:
            return trail._replace(first_failed_at=self.first_failed_at)
        return trail

    @property
    def is_ours(self) -> bool:
        """False once the partition was revoked: another worker will read the event again."""
        return self.run.open

    def finish(self) -> bool:
        """Note the durable outcome. Returns whether it counts."""
        return self.run.finish(self.index)


def now_ms() -> int:
    """The clock of claims, in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def claims_of(run: Run[KafkaRecord], stage: Stage) -> list[Claim]:
    """Take the records of a run over, each that is not finished yet as a claim."""
    records, run.records = run.records, ()
    claim = _claim_of_player if stage is Stage.FORWARD else _claim_of_ours
    return [claim(run, index, records[index], stage) for index in run.unfinished()]


def _claim_of_player(run: Run[KafkaRecord], index: int, record: KafkaRecord, stage: Stage) -> Claim:
    told = parse_pop_id(record.header(_POP_ID))
    pop_id = told or fallback_pop_id(*run.place, record.offset)
    return Claim(run, index, record, stage, pop_id, record.timestamp)


def _claim_of_ours(run: Run[KafkaRecord], index: int, record: KafkaRecord, stage: Stage) -> Claim:
    due = due_from_first_headers(record.first_headers(DUE_HEADERS))
    if due is None:
        trail = trail_from_own_topic(record.headers, _place_of(run, record))
        due = Due(trail.pop_id, trail.attempts, trail.not_before, trail.origin.timestamp)
    return Claim(
        run, index, record, stage, due.pop_id, due.produced_at, due.attempts, due.not_before
    )


def _place_of(run: Run[KafkaRecord], record: KafkaRecord) -> Origin:
    return Origin(*run.place, record.offset, record.timestamp)
