"""What an export was asked for, and what was fixed when it began."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import orjson

from pop_stream.analysis.period import Stored
from pop_stream.analysis.scan import Span
from pop_stream.analysis.selection import Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a person asked for."""

    #: A name of FORMATS.
    format: str
    by_day: bool
    #: The names of the topics by their roles.
    topics: Mapping[str, str]
    selection: Selection
    #: The times of storing as they were typed: `2h` means another time at each start.
    stored_as_typed: Sequence[str | None] = ()

    @property
    def fingerprint(self) -> str:
        """The same for equal orders only, in hexadecimal."""
        asked = self.selection
        parts = [
            self.format,
            self.by_day,
            dict(self.topics),
            [[each.name, each.sign, each.values] for each in asked.conditions],
            asked.played,
            list(self.stored_as_typed) if any(self.stored_as_typed) else asked.stored,
            None if asked.pop_ids is None else sorted(asked.pop_ids),
        ]
        return hashlib.sha256(orjson.dumps(parts, default=tuple)).hexdigest()

    def told(self) -> list[str]:
        """What is asked for, for people and for the manifest."""
        return self.selection.told()


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What is fixed at the first start, and holds for all that follow."""

    fingerprint: str
    format: str
    by_day: bool
    topics: Mapping[str, str]
    told: Sequence[str]
    #: Times of storing in epoch milliseconds, as they were meant at the first start.
    stored: Stored | None
    #: Which Kafka it is.
    cluster: str
    spans: Sequence[Span]
    #: When, in UTC.
    began: str
    pop_stream: str
    version: int = field(default=1, kw_only=True)

    @classmethod
    def of(
        cls, order: Order, spans: Sequence[Span], *, cluster: str, began: str, pop_stream: str
    ) -> Self:
        """The beginning of an order."""
        return cls(
            fingerprint=order.fingerprint,
            format=order.format,
            by_day=order.by_day,
            topics=dict(order.topics),
            told=order.told(),
            stored=order.selection.stored,
            cluster=cluster,
            spans=tuple(spans),
            began=began,
            pop_stream=pop_stream,
        )

    def selection_of(self, order: Order) -> Selection:
        """What the order selects, as it was meant at the first start."""
        return replace(order.selection, stored=self.stored)

    def as_object(self) -> dict[str, Any]:
        """For a line of JSON."""
        return asdict(self)

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """What `as_object` wrote. Raises TypeError or ValueError when it did not write this."""
        stored = told["stored"]
        return cls(**{
            **told,
            "stored": None if stored is None else Stored(*stored),
            "spans": tuple(Span(*each) for each in told["spans"]),
        })  # fmt: skip
