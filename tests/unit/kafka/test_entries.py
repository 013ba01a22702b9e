"""Rules as Kafka keeps them: who wants which, which are there, and which nobody of ours has."""

import pytest

from pop_stream.kafka.entries import (
    Entry,
    contradictions,
    extra_of,
    principal_of,
    untouched,
    wanted_by,
)
from pop_stream.kafka.rights import Kind, Operation, Role
from pop_stream.settings import Settings

SETTINGS = Settings()
READS = Entry(Kind.TOPIC, "pop-events", False, "User:kim", Operation.READ, True)
WANTED = wanted_by({Role.ANALYST: ["User:kim"]}, SETTINGS)


def test_a_rule_is_kept_for_each_principal_and_operation() -> None:
    """Two players, one right each."""
    wanted = wanted_by({Role.PLAYER: ["User:a", "User:b"]}, SETTINGS)
    assert [str(each) for each in wanted] == [
        "User:a may Write topic pop-events",
        "User:b may Write topic pop-events",
    ]


def test_who_has_two_roles_has_each_right_once() -> None:
    """A worker of all stages."""
    both = wanted_by({Role.FORWARDER: ["User:w"], Role.NOTIFIER: ["User:w"]}, SETTINGS)
    joins = [each for each in both if each.name == "pop-stream"]
    assert [str(each) for each in joins] == ["User:w may Read group pop-stream"]
    assert contradictions(both) == []


@pytest.mark.parametrize("onlooker", [Role.ANALYST, Role.OPERATOR, Role.WATCH])
def test_who_may_not_join_the_group_is_no_worker(onlooker: Role) -> None:
    """The denial would win, and the worker could not start."""
    both = wanted_by({Role.FORWARDER: ["User:w"], onlooker: ["User:w"]}, SETTINGS)
    assert [str(each) for each in contradictions(both)] == ["User:w may Read group pop-stream"]


def test_what_a_wanted_principal_has_beyond_its_roles_is_extra() -> None:
    """Wherever it is about."""
    writes = READS._replace(operation=Operation.WRITE)
    elsewhere = READS._replace(name="elsewhere")
    there = {READS, writes, elsewhere}
    assert set(extra_of(there, WANTED, SETTINGS)) == {writes, elsewhere}


@pytest.mark.parametrize(
    ("entry", "is_extra"),
    [
        # a right of a role, of somebody who is not asked about here
        (READS._replace(principal="User:lee"), False),
        # a right that no role has
        (READS._replace(principal="User:lee", operation=Operation.DELETE), True),
        # a role's right, for whoever there is
        (READS._replace(principal="User:*"), True),
        # all topics, and ours among them
        (READS._replace(principal="User:lee", name="*"), True),
        (READS._replace(principal="User:lee", name="pop-", prefixed=True), True),
        # nothing of ours
        (READS._replace(principal="User:lee", name="other", operation=Operation.ALL), False),
        (READS._replace(principal="User:lee", name="pop-events-2"), False),
        # a group of a redrive
        (Entry(Kind.GROUP, "pop-stream-redrive-transient-1", False, "User:lee",
               Operation.DELETE, True), True),
    ],
)  # fmt: skip
def test_others_are_told_of_where_they_touch_what_is_ours(entry: Entry, *, is_extra: bool) -> None:
    """What concerns us is told; what is none of ours is not."""
    assert extra_of({entry}, WANTED, SETTINGS) == ([entry] if is_extra else [])


def test_what_has_no_rule_yet_is_known() -> None:
    """Where brokers allow what no rule is about, its first rule shuts the others out."""
    assert "topic pop-events" in untouched(WANTED, set())
    for covering in (
        READS._replace(principal="User:lee"),
        READS._replace(name="*"),
        READS._replace(name="pop-", prefixed=True),
    ):
        assert "topic pop-events" not in untouched(WANTED, {covering})


def test_a_name_becomes_a_principal() -> None:
    """Also that of a certificate, whatever it is made of."""
    assert principal_of("kim") == principal_of("User:kim") == "User:kim"
    assert principal_of("CN=p-7,OU=pumps") == "User:CN=p-7,OU=pumps"
