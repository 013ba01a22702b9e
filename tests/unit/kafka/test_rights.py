"""The table of rights. What it does to a real broker is tested in tests/integration."""

from pathlib import Path

import pytest

from pop_stream.kafka.rights import Kind, Operation, Role, Rule, rules_of, rules_of_worker
from pop_stream.settings import TOPICS, Settings


def on(rules: tuple[Rule, ...], name: str) -> set[str]:
    """What is allowed there."""
    return {
        each.word for rule in rules if rule.allow and rule.name == name for each in rule.operations
    }


@pytest.mark.parametrize("role", Role)
def test_every_rule_says_why_and_follows_the_settings(role: Role) -> None:
    """Topics and groups are called what the settings call them."""
    names = {name: f"own-{name}" for name in (*TOPICS, "group")}
    for rule in rules_of(role, Settings(**names, receipts="on")):  # type: ignore[arg-type]
        assert rule.because
        assert rule.operations
        assert rule.kind is Kind.CLUSTER or rule.name.startswith("own-")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_nobody_but_the_admin_alters_anything(role: Role) -> None:
    """And nobody at all deletes."""
    altering = {Operation.CREATE, Operation.ALTER, Operation.ALTER_CONFIGS, Operation.DELETE}
    for rule in rules_of(role, Settings()):
        assert not rule.allow or not altering.intersection(rule.operations)
        assert rule.kind is not Kind.CLUSTER


def test_a_right_is_given_only_where_it_is_used() -> None:
    """Without receipts nobody writes them; without redrives nothing goes back."""
    settings = Settings(auto_redrive="off")
    notifier = rules_of(Role.NOTIFIER, settings)
    assert on(rules_of(Role.FORWARDER, settings), "pop-receipts") == set()
    assert on(rules_of(Role.FORWARDER, Settings(receipts="on")), "pop-receipts") >= {"Write"}
    assert on(notifier, "pop-events-retry") == {"Describe"}
    assert on(notifier, "pop-failures-settled") == set()
    assert not any(rule.prefixed for rule in notifier)


@pytest.mark.parametrize(
    ("stages", "events", "retry", "failure"),
    [
        (("forward",), {"Read"}, {"Write"}, {"Write"}),
        (("retry",), {"Describe"}, {"Read", "Write"}, {"Write"}),
        (("failure",), {"Describe"}, {"Write"}, {"Read", "Write"}),
        (("forward", "retry", "failure"), {"Read", "Describe"}, {"Read", "Write"},
         {"Read", "Write"}),
    ],
)  # fmt: skip
def test_a_worker_needs_the_rights_of_its_stages(
    stages: tuple[str, ...], events: set[str], retry: set[str], failure: set[str]
) -> None:
    """And not those of the stages that it has not."""
    rules = rules_of_worker(Settings(stages=stages))
    seen = {"DescribeConfigs"}
    assert on(rules, "pop-events") - seen == events
    assert on(rules, "pop-events-retry") - seen == retry
    assert on(rules, "pop-events-failure") - seen == failure
    assert on(rules, "pop-stream") == {"Read"}


def test_the_documents_table_is_this_one() -> None:
    """Cell by cell: somebody may give the rights by hand, from there."""
    page = (Path(__file__).parents[3] / "docs/operations.md").read_text()
    section = page.partition("## Rights\n")[2].partition("\n## ")[0]
    header, _, *lines = (line for line in section.splitlines() if line.startswith("|"))
    assert cells(header)[1:] == [*Role]
    told = {
        (role, thing.strip("`")): cell
        for thing, *row in map(cells, lines)
        for role, cell in zip(Role, row, strict=True)
        if cell
    }
    rules: dict[tuple[Role, str], str] = {}
    for role in Role:
        for rule in rules_of(role, Settings(receipts="on")):
            key = role, rule.name + ("*" if rule.prefixed else "")
            rules[key] = "; ".join(filter(None, [rules.get(key), as_cell(rule)]))
    assert told == rules


def cells(line: str) -> list[str]:
    """Of a row of a table."""
    return [cell.strip() for cell in line.strip("|").split("|")]


def as_cell(rule: Rule) -> str:
    """A rule as the document writes it."""
    looks = rule.kind is Kind.TOPIC and Operation.DESCRIBE_CONFIGS in rule.operations
    shown = [each for each in rule.operations if not looks or each != Operation.DESCRIBE_CONFIGS]
    words = ", ".join(each.word for each in shown)
    return ("" if rule.allow else "never ") + words + ("°" if looks else "")
