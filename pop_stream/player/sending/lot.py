"""Plays that are sent together, and what becomes of their rows when Kafka has answered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from pop_stream.player.outbox.packing import unpacked
from pop_stream.player.outbox.row import Row
from pop_stream.player.sending.record import Record, record_of

#: Larger than any topic takes. A broker closes the connection on what is larger than a request may
#: be, and the same record would be sent again and again.
_LARGEST_BYTES: Final = 16 * 1024 * 1024


class Fate(Enum):
    """What became of a record, where Kafka did not refuse it."""

    CONFIRMED = "confirmed"
    #: It may stand there or not: nobody knows.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker does not take this record, and takes others."""

    why: str


Answer: TypeAlias = Fate | Refused


@dataclass(frozen=True, slots=True)
class Aside:
    """A row of which something is refused."""

    row: Row
    #: Of a pack, these plays; empty: all of the row.
    plays: tuple[Row, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of the rows of a lot."""

    acked: list[Row] = field(default_factory=list)
    again: list[Row] = field(default_factory=list)
    aside: list[Aside] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Lot:
    """The records of some rows."""

    rows: list[Row]
    records: list[Record]
    #: How many records each row has.
    numbers: list[int]
    #: Of each record, its play.
    plays: list[Row]
    #: Rows that make no record, by their place, with the reason.
    unsendable: dict[int, str]

    def settled(self, answers: Sequence[Answer]) -> Settled:
        """What becomes of the rows, by the answers to the records."""
        if not self.unsendable and answers.count(Fate.CONFIRMED) == len(answers):
            return Settled(acked=self.rows)
        settled = Settled()
        at = 0
        for index, (row, number) in enumerate(zip(self.rows, self.numbers, strict=True)):
            if (why := self.unsendable.get(index)) is not None:
                settled.aside.append(Aside(row, (), why))
            else:
                _settle(settled, row, self.plays[at : at + number], answers[at : at + number])
            at += number
        return settled


def lot_of(rows: Sequence[Row]) -> Lot:
    """The records of rows, in their order."""
    lot = Lot(list(rows), [], [], [], {})
    for index, row in enumerate(rows):
        try:
            plays = [row] if row.number == 1 else list(unpacked(row))
            records = [record_of(play) for play in plays]
        except (ValueError, TypeError) as error:
            lot.unsendable[index] = f"no record can be made of it: {error}"
            plays, records = [], []
        lot.numbers.append(len(records))
        lot.plays.extend(plays)
        lot.records.extend(records)
    return lot


def too_large(record: Record) -> Refused | None:
    """The answer to a record that need not be sent."""
    if len(record.value) <= _LARGEST_BYTES:
        return None
    return Refused(f"its event has {len(record.value)} bytes: no topic takes that")


def _settle(settled: Settled, row: Row, plays: Sequence[Row], answers: Sequence[Answer]) -> None:
    if Fate.UNKNOWN in answers:
        settled.again.append(row)
    elif refused := list(_refused(plays, answers)):
        settled.aside.append(Aside(row, tuple(play for play, _ in refused), refused[0][1]))
    else:
        settled.acked.append(row)


def _refused(plays: Sequence[Row], answers: Sequence[Answer]) -> Iterator[tuple[Row, str]]:
    for play, answer in zip(plays, answers, strict=True):
        if isinstance(answer, Refused):
            yield play, answer.why
