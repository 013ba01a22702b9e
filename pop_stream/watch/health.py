"""Whether a worker lives, and whether it is ready: `/livez` and `/readyz`.

Neither depends on GSTV, and living does not depend on Kafka either: were a worker killed because
of an outage, each outage would cost a rebalance more; and were it unready, an outage of the partner
would look like a failed roll-out.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import orjson

from pop_stream.watch.server import JSON, Page
from pop_stream.watch.status import Status

#: So long may a loop stand still; soon after, the watchdog ends the process.
STUCK_LOOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at."""

    check: str
    ok: bool
    #: What was seen, for people.
    seen: str


def alive(status: Status, *, now: float) -> list[Check]:
    """Whether the worker's event loop turns. `now` is in epoch seconds."""
    looked_at = status.looked_at
    if looked_at is None:
        return [Check("loop", ok=True, seen="the worker is starting")]
    ago = max(now - looked_at, 0.0)
    return [Check("loop", ok=ago < STUCK_LOOP_SECONDS, seen=f"it turned {ago:.1f} s ago")]


def ready(status: Status) -> list[Check]:
    """Whether the worker does its part. With more workers than partitions that may be none."""
    missing = status.missing_topics
    return [
        Check("started", ok=status.work is not None,
              seen="starting" if status.work is None else "started"),
        Check("group", ok=status.joined,
              seen="in its group" if status.joined else "not in its group yet"),
        Check("topics", ok=not missing,
              seen=f"{missing} of them are not there" if missing else "all are there"),
    ]  # fmt: skip


def health_page(checks: Sequence[Check]) -> Page:
    """200 when all is well, else 503; and in JSON what was looked at."""
    ok = all(check.ok for check in checks)
    body = {"ok": ok, "checks": [asdict(check) for check in checks], "at": time.time()}
    return Page(JSON, orjson.dumps(body, option=orjson.OPT_INDENT_2), 200 if ok else 503)
