"""One event that this worker has taken and not yet finished."""

from dataclasses import dataclass
from enum import StrEnum

from pop_stream.pop.trail import Origin, Trail, trail_from_own_topic, trail_from_player
from pop_stream.stream.ledger import Run
from pop_stream.stream.record import KafkaRecord


class Stage(StrEnum):
    """The agent through which an event came."""

    FORWARD = "forward"
    RETRY = "retry"
    FAILURE = "failure"


@dataclass(slots=True, eq=False)
class Claim:
    """An event under way: its record, its trail, and the place in its run."""

    run: Run[KafkaRecord]
    index: int
    record: KafkaRecord
    stage: Stage
    trail: Trail
    #: The flags of the event, once it was read.
    flags: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        """False once the partition was revoked: another worker will read the event again."""
        return self.run.open

    def finish(self) -> bool:
        """Note the durable outcome. Returns whether it counts."""
        return self.run.finish(self.index)


def claims_of(run: Run[KafkaRecord], stage: Stage) -> list[Claim]:
    """Take the records of a run over, each as a claim."""
    records, run.records = run.records, ()
    read_trail = trail_from_player if stage is Stage.FORWARD else trail_from_own_topic
    return [
        Claim(run, index, record, stage, read_trail(record.headers, _origin(record)))
        for index, record in enumerate(records)
    ]


def _origin(record: KafkaRecord) -> Origin:
    return Origin(record.topic, record.partition, record.offset, record.timestamp)
