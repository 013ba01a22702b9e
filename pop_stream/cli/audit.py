"""`pop-stream audit`: every offset of the players' topic has an outcome, or is named."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import click
import orjson

from pop_stream.analysis.audit.against import Comparison, compare, note_ours, read_theirs
from pop_stream.analysis.audit.audit import Asked, Audit
from pop_stream.analysis.audit.audit import audit as make_audit
from pop_stream.analysis.audit.receipts import read_receipts
from pop_stream.analysis.period import Clock, parse_stored, parse_zone
from pop_stream.analysis.scan import Stage
from pop_stream.analysis.spill import Heap
from pop_stream.cli.audit_report import as_object, holds, print_audit
from pop_stream.cli.output import print_json
from pop_stream.cli.scan_progress import Style, progress_option, telling
from pop_stream.cli.selection_options import SETTINGS
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.value_types import FILE, Whole
from pop_stream.errors import UsageError
from pop_stream.settings import Settings

_SHOWN = 10


#: Kafka keeps offsets in 63 bits.
_LAST_OFFSET: Final = 2**63 - 1


class _End(click.ParamType):
    """An offset, or the end of what is to be walked by its name."""

    name = "end"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Literal["end", "commit"]:
        if value in ("end", "commit") or type(value) is int:
            return value  # type: ignore[no-any-return]
        if value.isdecimal():
            return int(value)
        return self.fail(f"{value!r} is neither an offset nor 'end' nor 'commit'", param, ctx)


@click.command()
@click.option(
    "--partition",
    "partitions",
    type=Whole(0),
    multiple=True,
    metavar="N",
    help="Only this partition; may be repeated.",
)
@click.option(
    "--from",
    "begin",
    type=Whole(0, _LAST_OFFSET),
    default=0,
    show_default=True,
    metavar="OFFSET",
    help="The first offset, of each partition.",
)
@click.option(
    "--to",
    "end",
    type=_End(),
    default="commit",
    show_default=True,
    metavar="OFFSET|commit|end",
    help="Before which offset to end: what the group has committed, the end of the "
    "partition, or an offset.",
)
@click.option(
    "--stored-from",
    metavar="TIME",
    help="Instead of --from: from the first record that came to Kafka then or later: a "
    "time in --zone, or how long ago (2d).",
)
@click.option("--stored-to", metavar="TIME", help="To before the first that came then or later.")
@click.option(
    "--zone",
    default="UTC",
    show_default=True,
    metavar="ZONE",
    help="The zone of --stored-from and --stored-to, like America/Chicago.",
)
@click.option(
    "--against",
    type=FILE,
    metavar="FILE",
    help="What GSTV has: ids one a line, CSV or NDJSON, or the ledger of the mock.",
)
@click.option(
    "--id-column",
    metavar="NAME",
    help="Where --against holds the ids, if not popId, pop-id, id or Idempotency-Key.",
)
@click.option(
    "--differences",
    type=FILE,
    metavar="FILE",
    help="With --against: write every difference there, one JSON object a line.",
)
@click.option(
    "--receipt",
    "receipts",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="Tell of each event that `failures redrive run` has sent back where it is now: "
    "PLAN.receipt.json, with its plan, list and journal beside it; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@progress_option
@with_settings(*SETTINGS, "settled_topic", "receipts_topic", "group", "auto_redrive")
def audit(  # noqa: PLR0913 - each is a flag
    *,
    settings: Settings,
    partitions: tuple[int, ...],
    begin: int,
    end: int | Literal["end", "commit"],
    stored_from: str | None,
    stored_to: str | None,
    zone: str,
    against: Path | None,
    id_column: str | None,
    differences: Path | None,
    receipts: tuple[Path, ...],
    as_json: bool,
    progress_style: Style,
) -> int:
    r"""Account for every offset of the players' topic, and name those without an outcome.

    Each is delivered, waits on the retry topic, is parked, settled, sent back, or not done yet; or
    it holds no record. Exit code 1: an event was deleted before it was delivered, a record is
    missing, GSTV does not know what counts as delivered, evidence is gone that was needed, or a
    delivery has no receipt although receipts were on.

    A receipt of a redrive that its plan, its list and its journal do not bear out is refused.

    "Delivered" follows from the group's commits and from the other topics. That a commit was moved
    by hand, only delivery receipts show (POP_STREAM_RECEIPTS), and --against.

    \b
    Example:
      pop-stream audit
      pop-stream audit --stored-from 1d --to end --json
      pop-stream audit --against gstv-november.csv --id-column idempotencyKey
      pop-stream audit --receipt fixed.json.receipt.json
    """
    clock = Clock(now=datetime.now(UTC), zone=parse_zone(zone))
    stored = parse_stored(stored_from, stored_to, clock)
    if stored is not None and stored.begin is not None and begin:
        raise UsageError("give either --from or --stored-from")
    if differences is not None and against is None:
        raise UsageError("--differences needs --against")
    asked = Asked(partitions=frozenset(partitions), begin=begin, end=end, stored=stored)
    make = partial(
        make_audit, settings, asked, stage=_stage(progress_style),
        receipts=read_receipts(receipts, settings), wants_proofs=True,
    )  # fmt: skip

    if against is None:
        found, comparison = make(), None
    else:
        found, comparison = _compared(make, _Theirs(against, id_column, differences))
    return _report(found, comparison, as_json=as_json)


class _Theirs(NamedTuple):
    """What GSTV has, and where the differences are to go."""

    path: Path
    column: str | None
    differences: Path | None


def _compared(make: "partial[Audit]", against: _Theirs) -> tuple[Audit, Comparison]:
    with (
        tempfile.TemporaryDirectory(prefix="pop-stream-audit-") as folder,
        _written(against.differences) as tell,
    ):
        theirs, ours = Heap(Path(folder), "theirs"), Heap(Path(folder), "ours")
        without_id = read_theirs(against.path, theirs, column=against.column)
        found = make(take=partial(note_ours, ours))
        comparison = compare(ours, theirs, most=_SHOWN, tell=tell)
        comparison.without_id = without_id
    return found, comparison


def _stage(style: Style) -> Stage:
    return lambda label: telling(style, label)


def _report(found: Audit, comparison: Comparison | None, *, as_json: bool) -> int:
    if as_json:
        print_json(as_object(found, comparison))
    else:
        print_audit(found, comparison)
    if not found.total:
        click.echo("No offset was walked: the group has committed nothing there.", err=True)
    return 0 if holds(found, comparison) else 1


@contextmanager
def _written(path: Path | None) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Write each difference to a file, if one is wanted."""
    if path is None:
        yield lambda _: None
        return
    try:
        with path.open("wb") as file:
            yield lambda told: _write(file.write, told)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})") from error


def _write(write: Callable[[bytes], object], told: Mapping[str, Any]) -> None:
    write(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
