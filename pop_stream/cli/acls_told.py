"""How rights are told: as a table with reasons, as JSON, as commands of Kafka's own tool."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import click

from pop_stream.cli.output import print_json, print_table
from pop_stream.errors import UsageError
from pop_stream.kafka.entries import Entry, Principals
from pop_stream.kafka.rights import Kind, Role, Rule, rules_of
from pop_stream.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How the rules that are wanted stand to those in Kafka."""

    there: list[Entry]
    made: list[Entry]
    missing: list[Entry]
    #: What no role would give.
    extra: list[Entry]


def tell(done: Compared, *, as_json: bool) -> None:
    """Print what was compared on stdout, and how much it is on stderr."""
    told = [
        *(("made", entry) for entry in done.made),
        *(("missing", entry) for entry in done.missing),
        *(("there", entry) for entry in done.there),
        *(("extra", entry) for entry in done.extra),
    ]
    if as_json:
        print_json([{"state": state, **_as_object(entry)} for state, entry in told])
    else:
        print_table(
            ("principal", "", "right", "on", "state"),
            ((*_cells(entry), state) for state, entry in told),
        )
    counts = ((done.made, "made"), (done.there, "there before"), (done.missing, "missing"))
    click.echo(", ".join(f"{len(each):,} {word}" for each, word in counts if each) + ".", err=True)
    if done.extra:
        click.echo(
            f"{len(done.extra):,} that no role would give (extra): remove them with kafka-acls.sh, "
            "if nobody else needs them.",
            err=True,
        )


def tell_rules(
    principals: Principals,
    wanted: dict[Entry, None],
    settings: Settings,
    *,
    form: str,
    as_json: bool,
) -> None:
    """Print the rules of the roles that somebody has; of all, where nobody has any.

    Raises UsageError where names are needed and there are none.
    """
    shown = principals or dict.fromkeys(Role, ())
    if form == "kafka-acls":
        if not wanted:
            raise UsageError("--format kafka-acls needs names: who is what, such as --player p-7")
        for line in _commands(principals, settings):
            click.echo(line)
    elif as_json:
        print_json([
            {"role": role, "principals": sorted(principals.get(role, ())), **_rule_object(rule)}
            for role in shown for rule in rules_of(role, settings)
        ])  # fmt: skip
    else:
        print_table(
            ("role", "", "rights", "on", "because"),
            (
                (role, _verb(rule), _words(rule), _on(rule), rule.because)
                for role in shown
                for rule in rules_of(role, settings)
            ),
        )


def _commands(principals: Principals, settings: Settings) -> Iterator[str]:
    """Lines for kafka-acls.sh: one for each role, rule and principal."""
    flag = {Kind.TOPIC: "--topic", Kind.GROUP: "--group"}
    servers = settings.kafka_bootstrap_servers
    tool = ["kafka-acls.sh", "--bootstrap-server", servers, "--command-config", "admin.properties"]
    for role, names in principals.items():
        for rule in rules_of(role, settings):
            on = ["--cluster"] if rule.kind is Kind.CLUSTER else [flag[rule.kind], rule.name]
            if rule.prefixed:
                on += ["--resource-pattern-type", "prefixed"]
            may = [part for each in rule.operations for part in ("--operation", each.word)]
            for name in names:
                who = ["--allow-principal" if rule.allow else "--deny-principal", name]
                yield shlex.join([*tool, "--add", *who, *may, *on])


def _cells(entry: Entry) -> tuple[str, str, str, str]:
    where = "" if entry.host == "*" else f" from {entry.host}"
    name = entry.name + ("*" if entry.prefixed else "")
    on = f"{entry.kind.name.lower()} {name}{where}"
    return entry.principal, "may" if entry.allow else "may not", entry.operation.word, on


def _as_object(entry: Entry) -> dict[str, object]:
    return {
        "principal": entry.principal,
        "permission": "allow" if entry.allow else "deny",
        "operation": entry.operation.word,
        "resource": entry.kind.name.lower(),
        "name": entry.name,
        "pattern": "prefixed" if entry.prefixed else "literal",
        "host": entry.host,
    }


def _rule_object(rule: Rule) -> dict[str, object]:
    return {
        "permission": "allow" if rule.allow else "deny",
        "operations": [each.word for each in rule.operations],
        "resource": rule.kind.name.lower(),
        "name": rule.name,
        "pattern": "prefixed" if rule.prefixed else "literal",
        "because": rule.because,
    }


def _verb(rule: Rule) -> str:
    return "may" if rule.allow else "may not"


def _words(rule: Rule) -> str:
    return ", ".join(each.word for each in rule.operations)


def _on(rule: Rule) -> str:
    return f"{rule.kind.name.lower()} {rule.name}" + ("*" if rule.prefixed else "")
