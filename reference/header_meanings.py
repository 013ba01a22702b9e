"""What each header holds. A test compares the names with those that are really written."""

from collections.abc import Iterable, Mapping
from typing import Final

from pop_stream.pop.event import Flag
from pop_stream.pop.loss import Reason as LossReason
from pop_stream.watch.table import METRICS


def _one_of(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


_REASONS: Final = next(
    metric.labels["reason"] for metric in METRICS if metric.name == "failed_events"
)
#: Of records.
RECORDS: Final[Mapping[str, str]] = {
    "pop-id": "the event's id, a UUIDv7 that its player made once; of one that came without: a "
    "UUIDv5 of the place of its record. The same at every attempt, redrive and replay",
    "pop-seq": "the play's number on its screen, never used twice",
    "pop-boot": "this start of the player, 32 hexadecimal digits",
    "pop-start-utc": "when the play began, by the player's clock, in UTC",
    "pop-end-utc": "when it ended, likewise",
    "pop-tz": "the zone of the site, by its IANA name",
    "pop-utcoffset": "how far the site was from UTC at the start",
    "pop-clock": "how far the clock is to be trusted: `synced`, `unsynced`, `stepped` (set "
    "meanwhile) or `unknown`",
    "pop-mono-ms": "how long it was shown, in milliseconds, by a clock that nobody sets",
    "pop-interrupted": "`true` when the play was cut off; else absent",
    "pop-lost": "a JSON list of this screen's plays that are lost: `reason`, `first`, `last`, "
    f"`plays`, `since`, `until`, `boot`. The reasons: {_one_of(LossReason)}",
    "traceparent": "the trace that the event belongs to (W3C Trace Context); carried along, and "
    "told to GSTV when traces are on",
    "pop-attempt": "how many attempts were made and counted",
    "pop-not-before": "the next attempt is not made before this, in epoch milliseconds; absent: "
    "at once",
    "pop-origin": "where the player's own record stands: topic, partition, offset, and its time in "
    "epoch milliseconds (-1: it has none)",
    "pop-first-failed-at": "when an attempt failed for the first time, in epoch milliseconds",
    "pop-reason": f"why it was not delivered, one of {_one_of(_REASONS)}",
    "pop-status": "the HTTP status of the last attempt; absent: there was no answer",
    "pop-error": "for people, 512 characters at most, and no secrets",
    "pop-flags": f"what is odd about the event, with commas between, of {_one_of(Flag)}",
    "pop-redrives": "how often it was sent back from the failure topic",
    "pop-replay": "the replay that wrote this record",
    "pop-trimmed": "what was left behind of a record too large for our topics, with the digest of "
    "its whole value; the whole stands where `pop-origin` says",
}

#: Of the POST.
HTTP: Final[Mapping[str, str]] = {
    "Host": "the host of the URL, and its port where that is not the usual one",
    "Content-Type": "always this",
    "User-Agent": "pop-stream and its version",
    "traceparent": "the attempt's span (W3C Trace Context); only with `POP_STREAM_TRACES=otlp`",
    "Idempotency-Key": "the event's `pop-id` between quotes: the same at every attempt, redrive "
    "and replay, so GSTV can tell a repetition",
    "X-Pop-Attempt": "which attempt this is, from 1",
    "Content-Length": "the length of the body",
}

#: Texts in the code that look like a header of ours, and are none: topics, clients, rules.
NO_HEADERS: Final = frozenset((
    "pop-events", "pop-events-retry", "pop-events-failure", "pop-failure-notifications",
    "pop-receipts", "pop-failures-settled",
    "pop-stream", "pop-stream-analyst", "pop-stream-faust", "pop-stream-fetch",
    "pop-stream-outbox", "pop-stream-player", "pop-stream-reader",
    "pop-id-time", "pop-id-unique", "pop-seq-gap", "pop-seq-reuse", "pop-times",
    "pop-times-agree", "pop-zone",
))  # fmt: skip
