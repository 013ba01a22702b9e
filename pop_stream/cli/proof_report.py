"""What delivery receipts prove, as sentences for people and as an object for programs."""

import math
from collections.abc import Iterator
from typing import Any, Final

from pop_stream.analysis.audit.partition_account import MOST_RANGES
from pop_stream.analysis.audit.proofs import Proven
from pop_stream.pop.moments import utc

_SHOWN: Final = 10


def proof_as_object(found: Proven) -> dict[str, Any]:
    """Everything. Each offset that is delivered, as the commits tell, is in one of the three."""
    return {
        "since": _since(found),
        "proven": found.proven,
        "withoutReceipt": found.bare,
        "notNeeded": found.exempt,
        "ranges": [each._asdict() for each in found.ranges],
        "unreadable": found.unreadable,
    }


def proof_lines(found: Proven) -> Iterator[str]:
    """How many are proven; then those that should be and are not."""
    delivered = found.proven + found.bare + found.exempt
    line = f"{found.proven:,} of {delivered:,} delivered are proven by a delivery receipt"
    if found.exempt:
        line += f"; {found.exempt:,} were stored while none were needed"
    if found.bare:
        line += f"; {found.bare:,} have NO RECEIPT"
    yield line
    for each in found.ranges[:_SHOWN]:
        yield (
            f"NO RECEIPT: partition {each.partition}, offsets {each.begin} to {each.end - 1}: "
            "committed, on no other topic, and no receipt tells that GSTV took them"
        )
    if len(found.ranges) > _SHOWN:
        yield f"and {len(found.ranges) - _SHOWN} ranges more: --json lists up to {MOST_RANGES:,}"
    if found.unreadable:
        yield f"{found.unreadable:,} records on the receipts topic are no receipts"


def _since(found: Proven) -> str | None:
    is_known = found.since_ms is not None and not math.isinf(found.since_ms)
    return utc(int(found.since_ms or 0)) if is_known else None
