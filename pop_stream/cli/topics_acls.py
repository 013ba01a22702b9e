"""`pop-stream topics acls`: who needs which rights in Kafka, and to give them."""

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pop_stream.cli.acls_told import Compared, tell, tell_rules
from pop_stream.cli.settings_options import with_settings
from pop_stream.errors import UsageError, WorkFailedError
from pop_stream.kafka.entries import (
    EVERYBODY,
    Entry,
    contradictions,
    extra_of,
    principal_of,
    untouched,
    wanted_by,
)
from pop_stream.kafka.rights import ROLES, Role
from pop_stream.settings import TOPICS, Settings

if TYPE_CHECKING:
    from pop_stream.kafka.acls import Default

_SHOWN = 20


def _of_roles(command: Callable[..., Any]) -> Callable[..., Any]:
    for role in reversed(Role):
        command = click.option(
            f"--{role}", f"of_{role}", multiple=True, metavar="NAME",
            help=f"Who is {role}: {ROLES[role]}. Any number of times.",
        )(command)  # fmt: skip
    return command


@click.command()
@_of_roles
@click.option(
    "--print",
    "what",
    flag_value="print",
    default="print",
    help="Print the rules, with the reason of each; asks no Kafka. The default.",
)
@click.option(
    "--check",
    "what",
    flag_value="check",
    help="Compare with the rules in Kafka. The exit code is 1 when one is missing.",
)
@click.option("--apply", "what", flag_value="apply", help="Make the rules that are missing.")
@click.option(
    "--shut-others-out",
    is_flag=True,
    help="With --apply: also where the first rule on a thing ends that everybody may use it.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "kafka-acls"]),
    default="table",
    show_default=True,
    help="With --print: kafka-acls are commands of Kafka's own kafka-acls.sh.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@with_settings("kafka_", *TOPICS, "group", "receipts", "auto_redrive")
def acls(
    *, settings: Settings, what: str, shut_others_out: bool, form: str, as_json: bool, **of: Any
) -> int:
    r"""Say which rights each role needs in Kafka, and give them.

    NAME is the user of SASL, or the name that a certificate gives. @FILE stands for the names in a
    file, one a line; @- for those on stdin. Without any name, --print shows the rules of all roles.

    Nothing is ever deleted: rules that no role would give are told, for you to remove.

    \b
    Example:
      pop-stream topics acls
      pop-stream topics acls --player @players.txt --forwarder fwd --check
      pop-stream topics acls --analyst kim --apply
      pop-stream topics acls --player p-7 --print --format kafka-acls
    """  # fmt: skip
    principals = _principals({role: of[f"of_{role}"] for role in Role})
    wanted = wanted_by(principals, settings)
    if against := contradictions(wanted):
        raise UsageError(
            "one role denies what another allows, and would win: "
            + "; ".join(map(str, against))
            + ". Give these roles to different users"
        )
    if what == "print":
        tell_rules(principals, wanted, settings, form=form, as_json=as_json)
        return 0
    if form != "table":
        raise UsageError("--format is for --print")
    if not wanted:
        raise UsageError(f"--{what} needs names: who is what, such as --player p-7")
    done = asyncio.run(
        _compared(settings, wanted, apply=what == "apply", shut_others_out=shut_others_out)
    )
    tell(done, as_json=as_json)
    return 1 if done.missing else 0


async def _compared(
    settings: Settings, wanted: dict[Entry, None], *, apply: bool, shut_others_out: bool
) -> Compared:
    # Not at the top: aiokafka takes its time to import, and --help should not wait for it.
    from pop_stream.kafka.acls import create, default_of, entries_there  # noqa: PLC0415
    from pop_stream.kafka.admin import connected_admin  # noqa: PLC0415

    async with connected_admin(settings) as admin:
        found = await entries_there(admin)
        missing = [entry for entry in wanted if entry not in found]
        first = untouched(missing, found)
        if first and (warning := _opens(await default_of(admin), first)):
            click.echo(f"Warning: {warning}", err=True)
            if apply and not shut_others_out:
                raise WorkFailedError(
                    "nothing was made. Make rules for all roles at once, and say --shut-others-out"
                )
        if apply:
            await create(admin, missing)
    return Compared(
        there=[entry for entry in wanted if entry in found],
        made=missing if apply else [],
        missing=[] if apply else missing,
        extra=extra_of(found, wanted, settings),
    )


def _opens(default: "Default", first: list[str]) -> str | None:
    """What to say before the first rule on something is made; None: it shuts nobody out."""
    if default.value == "denied":
        return None
    sure = (
        "this Kafka has allow.everyone.if.no.acl.found=true"
        if default.value == "allowed"
        else "this Kafka does not show whether allow.everyone.if.no.acl.found is true. If so"
    )
    rest = ", brokers among them unless they are super users" if "cluster" in "".join(first) else ""
    return (
        f"{sure}: what has no rule may be used by everybody, and its first rule shuts out all "
        f"others{rest}. No rule is there yet about: {_some(first)}"
    )


def _principals(given: dict[Role, tuple[str, ...]]) -> dict[Role, list[str]]:
    """Who is what, each once; only the roles that somebody has."""
    found = {
        role: list(dict.fromkeys(map(principal_of, _listed(names))))
        for role, names in given.items()
    }
    everybody = [role for role, names in found.items() if EVERYBODY in names]
    if everybody:
        raise UsageError(f"--{everybody[0]} {EVERYBODY} is everybody: name each, or use @FILE")
    return {role: names for role, names in found.items() if names}


def _listed(given: Iterable[str]) -> Iterator[str]:
    for each in given:
        if not each.startswith("@"):
            lines = [each]
        else:
            try:
                text = sys.stdin.read() if each == "@-" else Path(each[1:]).read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise UsageError(f"{each}: cannot be read as a list of names ({error})") from error
            # One a line: a certificate's name may have spaces and commas.
            lines = text.splitlines()
        yield from (line.strip() for line in lines if line.strip())


def _some(words: list[str]) -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more
