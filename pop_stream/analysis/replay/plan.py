"""A plan: which events are to be sent where. What was reviewed is what runs."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, Self

from pop_stream.analysis.scan import Span
from pop_stream.errors import UsageError

Kind = Literal["redrive", "replay"]

#: Of the file; a later form may not be what this program thinks.
_FORM: Final = 1
_line_parts = re.compile(
    r"([A-Za-z0-9._-]+)/([0-9]{1,10})/([0-9]{1,19}) ([0-9a-f-]{36})\n"
).fullmatch


class Planned(NamedTuple):
    """One event of a plan."""

    #: Its line in the plan's list, from 0.
    number: int
    topic: str
    partition: int
    offset: int
    pop_id: str

    def as_line(self) -> str:
        """Its line."""
        return f"{self.topic}/{self.partition}/{self.offset} {self.pop_id}\n"

    @classmethod
    def parse(cls, number: int, line: str) -> Self:
        """Read its line. Raises UsageError."""
        parts = _line_parts(line)
        if parts is None:
            raise UsageError(f"line {number + 1} of the plan's list is none of ours")
        topic, partition, offset, pop_id = parts.groups()
        return cls(number, topic, int(partition), int(offset), pop_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedList:
    """The file beside the plan that names every event, sorted by topic, partition and offset."""

    name: str
    events: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a person decides before events are sent."""

    kind: Kind
    #: The name of a replay, too: it stands in the header `pop-replay`.
    plan_id: str
    version: str
    created_at: str
    operator: str
    reason: str
    #: The id of the Kafka cluster.
    cluster: str
    selection: Sequence[str]
    spans: Sequence[Span]
    #: `topic:NAME`, `gstv:ORIGIN`, `file:FILE` or `null`.
    target: str
    listed: PlannedList
    overview: Mapping[str, Any]
    #: What was found and is not sent, by why.
    passed_over: Mapping[str, int]

    def as_json(self) -> str:
        """The content of its file, with its own digest."""
        content = self._content()
        return json.dumps(content | {"sha256": digest_of(content)}, indent=1) + "\n"

    @property
    def sha256(self) -> str:
        """Its digest."""
        return digest_of(self._content())

    def _content(self) -> dict[str, Any]:
        return {
            "form": _FORM,
            "kind": self.kind,
            "planId": self.plan_id,
            "version": self.version,
            "createdAt": self.created_at,
            "operator": self.operator,
            "reason": self.reason,
            "cluster": self.cluster,
            "selection": list(self.selection),
            "spans": [
                {"topic": s.topic, "partition": s.partition, "from": s.begin, "to": s.end}
                for s in self.spans
            ],
            "target": self.target,
            "list": {"file": self.listed.name, "events": self.listed.events,
                     "sha256": self.listed.sha256},
            "overview": dict(self.overview),
            "passedOver": dict(self.passed_over),
        }  # fmt: skip


def parse_plan(text: str) -> Plan:
    """Read the content of a plan's file. Raises UsageError when it is none, or was altered."""
    try:
        content = json.loads(text)
        told = content.pop("sha256")
        plan = _plan(content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"this is no plan of pop-stream ({type(error).__name__})") from error
    if told != digest_of(content):
        raise UsageError(
            "the plan was altered after it was written: its digest is another; only a new plan can "
            "be run"
        )
    return plan


def _plan(content: Mapping[str, Any]) -> Plan:
    if content["form"] != _FORM:
        raise UsageError(f"the plan has form {content['form']!r}; this program reads {_FORM}")
    listed = content["list"]
    return Plan(
        kind=content["kind"],
        plan_id=content["planId"],
        version=content["version"],
        created_at=content["createdAt"],
        operator=content["operator"],
        reason=content["reason"],
        cluster=content["cluster"],
        selection=tuple(content["selection"]),
        spans=tuple(Span(s["topic"], s["partition"], s["from"], s["to"]) for s in content["spans"]),
        target=content["target"],
        listed=PlannedList(name=listed["file"], events=listed["events"], sha256=listed["sha256"]),
        overview=content["overview"],
        passed_over=content["passedOver"],
    )


def digest_of(content: Mapping[str, Any]) -> str:
    """The SHA-256 of an object, however it is laid out."""
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()
