"""Rules as Kafka keeps them, one for each principal and operation; and how two lists compare."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from pop_stream.kafka.rights import Kind, Operation, Role, Rule, rules_of
from pop_stream.settings import Settings

ANY_HOST = "*"
#: In Kafka it stands for every topic, or every group.
_EVERY = "*"
_USER = "User:"
#: Whoever there is.
EVERYBODY = "User:*"


class Entry(NamedTuple):
    """One ACL, as Kafka calls it."""

    kind: Kind
    name: str
    prefixed: bool
    principal: str
    operation: Operation
    allow: bool
    host: str = ANY_HOST

    def __str__(self) -> str:
        """For people."""
        verb = "may" if self.allow else "may not"
        begins = "*" if self.prefixed else ""
        where = "" if self.host == ANY_HOST else f" from {self.host}"
        what = f"{self.kind.name.lower()} {self.name}{begins}"
        return f"{self.principal} {verb} {self.operation.word} {what}{where}"


#: Who has which role. A principal may have several.
Principals = Mapping[Role, Collection[str]]


def principal_of(name: str) -> str:
    """The principal of a user's name, or of the name that a certificate gives."""
    return name if name.startswith(_USER) else _USER + name


def entries_of(rule: Rule, principal: str) -> Iterator[Entry]:
    """What Kafka keeps of a rule, for one principal."""
    for operation in rule.operations:
        yield Entry(rule.kind, rule.name, rule.prefixed, principal, operation, rule.allow)


def wanted_by(principals: Principals, settings: Settings) -> dict[Entry, None]:
    """All that the principals should have, each once, in the order of the roles."""
    return {
        entry: None
        for role, names in principals.items()
        for rule in rules_of(role, settings)
        for name in names
        for entry in entries_of(rule, name)
    }


def contradictions(wanted: Iterable[Entry]) -> list[Entry]:
    """What is denied to a principal in one role and allowed in another: it would be denied."""
    entries = set(wanted)
    return sorted(each for each in entries if each.allow and each._replace(allow=False) in entries)


def extra_of(there: Iterable[Entry], wanted: Collection[Entry], settings: Settings) -> list[Entry]:
    """The rules that no role of ours would give.

    Of the principals that are wanted, all that is beyond their roles. Of others, what touches our
    topics and groups and belongs to no role, or lets everybody.
    """
    ours = [rule for role in Role for rule in rules_of(role, settings)]
    named = {entry.principal for entry in wanted}
    given = {(*entry[:3], *entry[4:6]) for rule in ours for entry in entries_of(rule, "")}

    def is_extra(entry: Entry) -> bool:
        if entry.principal in named:
            return entry not in wanted
        is_of_a_role = (*entry[:3], *entry[4:6]) in given and entry.principal != EVERYBODY
        return _touches(entry, ours) and not is_of_a_role

    return sorted(filter(is_extra, there))


def untouched(wanted: Iterable[Entry], there: Collection[Entry]) -> list[str]:
    """What no rule is about yet; the first one shuts out whom none allows."""
    things = {(entry.kind, entry.name) for entry in wanted}
    fresh = [one for one in things if not any(_covers(each, *one) for each in there)]
    return [f"{kind.name.lower()} {name}" for kind, name in sorted(fresh)]


def _touches(entry: Entry, rules: Iterable[Rule]) -> bool:
    return any(
        _covers(entry, rule.kind, rule.name) or (
            rule.prefixed and entry.kind is rule.kind and entry.name.startswith(rule.name)
        )
        for rule in rules
        if rule.kind is not Kind.CLUSTER
    )  # fmt: skip


def _covers(entry: Entry, kind: Kind, name: str) -> bool:
    if entry.kind is not kind:
        return False
    return name.startswith(entry.name) if entry.prefixed else entry.name in (name, _EVERY)
