"""What an audit found, as tables and sentences for people and as an object for programs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from pop_stream.analysis.audit.against import Comparison
from pop_stream.analysis.audit.audit import Audit
from pop_stream.analysis.audit.partition_account import MOST_RANGES, Range
from pop_stream.analysis.audit.whereabouts import Outcome
from pop_stream.cli.output import print_table
from pop_stream.cli.proof_report import proof_as_object, proof_lines
from pop_stream.cli.receipt_report import receipt_as_object, receipt_lines

#: What each outcome is called in the identity.
_SAID = {
    Outcome.DELIVERED: "delivered",
    Outcome.RETRY: "on the retry topic",
    Outcome.PARKED: "parked",
    Outcome.SETTLED: "parked and settled",
    Outcome.SENT_BACK: "sent back (record kept no more)",
    Outcome.OPEN: "not done yet",
    Outcome.EXPIRED: "kept no more, done before",
    Outcome.NO_RECORD: "without a record",
    Outcome.GONE_SETTLED: "gone and settled",
    Outcome.GONE: "GONE",
    Outcome.MISSING: "MISSING after it was sent back",
}
_SHOWN = 10


def as_object(found: Audit, comparison: Comparison | None) -> dict[str, Any]:
    """Everything. `holds`: nothing is missing and nothing stands in doubt."""
    return {
        "holds": holds(found, comparison),
        "group": found.commits.group,
        "partitions": [
            {
                "partition": each.bounds.partition,
                "from": each.bounds.begin,
                "to": each.bounds.end,
                "offsets": each.counts.total(),
                "outcomes": _named(each.counts),
            }
            for each in found.partitions
        ],
        "offsets": found.total.total(),
        "outcomes": _named(found.total),
        "holes": [
            {**each._asdict(), "outcome": each.outcome.value} for each in _ranges(found)
        ],
        "doubts": [each.text for each in found.doubts],
        "against": None if comparison is None else comparison.as_object(),
        "receipts": [receipt_as_object(each) for each in found.receipts],
        "deliveryReceipts": None if found.proven is None else proof_as_object(found.proven),
    }  # fmt: skip


def holds(found: Audit, comparison: Comparison | None) -> bool:
    """Whether every offset and every event of a receipt has an outcome, which may be believed."""
    is_known = comparison is None or comparison.unknown_to_gstv == 0
    is_bare = found.proven is not None and found.proven.bare
    return is_known and not (found.holes or found.lost or found.doubts or is_bare)


def print_audit(found: Audit, comparison: Comparison | None) -> None:
    """The identity of each partition and of all, then what is missing or in doubt."""
    total = found.total
    shown = [one for one in _SAID if total[one]] or [Outcome.DELIVERED]
    rows = [_row(str(each.bounds.partition), each.bounds.begin, each.bounds.end, each.counts, shown)
            for each in found.partitions]  # fmt: skip
    print_table(("partition", "from", "to", *(one.value for one in shown)), rows)
    click.echo(_identity(total, shown))
    for line in (
        *_trouble(found),
        *(() if found.proven is None else proof_lines(found.proven)),
        *(line for each in found.receipts for line in receipt_lines(each)),
        *(() if comparison is None else _compared(comparison)),
    ):
        click.echo(line)
    if holds(found, comparison):
        click.echo(f"Every offset has an outcome: {_told_by(found, comparison)}.")


def _told_by(found: Audit, comparison: Comparison | None) -> str:
    """How it is known what is delivered."""
    if comparison is not None:
        return "and GSTV has all that counts as delivered"
    proven, delivered = found.proven, found.total[Outcome.DELIVERED]
    by = "the group's commits"
    if proven is not None and proven.proven == delivered > 0:
        by = "the workers' receipts"
    return f"what is delivered, {by} tell; --against compares it with GSTV's side"


def _row(
    partition: str, begin: int, end: int, counts: Counter[Outcome], shown: Sequence[Outcome]
) -> tuple[str, ...]:
    return (partition, str(begin), str(end), *(str(counts[one]) for one in shown))


def _identity(total: Counter[Outcome], shown: Sequence[Outcome]) -> str:
    parts = " + ".join(f"{total[one]:,} {_SAID[one]}" for one in shown)
    return f"{total.total():,} offsets = {parts}"


def _trouble(found: Audit) -> Iterator[str]:
    ranges = _ranges(found)
    for each in ranges[:_SHOWN]:
        yield (
            f"HOLE: partition {each.partition}, offsets {each.begin} to {each.end - 1}: "
            f"{_SAID[each.outcome]}"
        )
    if len(ranges) > _SHOWN:
        yield f"and {len(ranges) - _SHOWN} ranges more: --json lists up to {MOST_RANGES:,} of each"
    for doubt in found.doubts:
        yield f"DOUBT: {doubt.text}"


def _ranges(found: Audit) -> list[Range]:
    return [each for account in found.partitions for each in account.holes]


def _compared(found: Comparison) -> Iterator[str]:
    yield (
        f"against GSTV: {found.agreed:,} delivered on both sides, {found.unknown_to_gstv:,} "
        f"UNKNOWN to GSTV, {found.known_already:,} that GSTV has and that count as not delivered, "
        f"{found.theirs_only:,} that GSTV has and that were not walked"
    )
    if found.without_id:
        yield f"{found.without_id:,} lines of GSTV's file have no pop-id"
    for one in found.first:
        places = ", ".join(f"{p['partition']}/{p['offset']} ({p['outcome']})"
                           for p in one["places"][:3])  # fmt: skip
        yield f"  {one['difference']}: {one['popId']} {places}".rstrip()


def _named(counts: Mapping[Outcome, int]) -> dict[str, int]:
    return {one.value: counts.get(one, 0) for one in Outcome}
