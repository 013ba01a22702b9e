"""Where the events of a receipt are now, as sentences for people and as an object for programs."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from pop_stream.analysis.audit.sendings import ReceiptAccount
from pop_stream.analysis.audit.whereabouts import Outcome


class _Name(NamedTuple):
    """What an outcome is called."""

    for_programs: str
    for_people: str


_NAMES: Final = {
    Outcome.DELIVERED: _Name("delivered", "delivered"),
    Outcome.RETRY: _Name("retry", "on the retry topic"),
    Outcome.PARKED: _Name("parked-again", "parked again"),
    Outcome.SETTLED: _Name("settled", "settled"),
    Outcome.SENT_BACK: _Name("sent-back", "older than the retry topic keeps"),
    Outcome.MISSING: _Name("missing", "MISSING"),
}


def receipt_as_object(account: ReceiptAccount) -> dict[str, Any]:
    """Everything: each event that was sent has one of the outcomes."""
    return {
        "file": str(account.receipt.file),
        "planId": account.receipt.plan.plan_id,
        "sent": account.counts.total(),
        "outcomes": {name.for_programs: account.counts[one] for one, name in _NAMES.items()},
        "missing": [
            {"popId": each.pop_id, "partition": each.partition, "offset": each.offset}
            for each in account.missing
        ],
    }


def receipt_lines(account: ReceiptAccount) -> Iterator[str]:
    """The identity, then the first events that are missing."""
    parts = " + ".join(f"{account.counts[one]:,} {name.for_people}"
                       for one, name in _NAMES.items())  # fmt: skip
    yield f"{account.receipt.file}: {account.counts.total():,} sent = {parts}"
    for each in account.missing:
        yield (
            f"  MISSING: {each.pop_id}, sent back from "
            f"{each.partition}/{each.offset} of the failure topic"
        )
