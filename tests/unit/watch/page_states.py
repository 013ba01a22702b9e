"""Every state of a worker that the status page has to show."""

from dataclasses import replace

from pop_stream.pop.verdict import Reason
from pop_stream.watch.history import Totals
from pop_stream.watch.status import Flow
from tests.support.status_page import (
    NOW,
    delivering,
    held,
    partitions,
    past,
    with_still_partition,
    with_work,
)

PAST = past()
DELIVERING = delivering(PAST)
NOTHING = with_work(
    DELIVERING, unfinished=0, in_flight=0, in_flight_limit=0, oldest_unfinished_at=None,
    oldest_attempt_at=None, unconfirmed=0, backlog=0, backlog_growth=0.0, flows={}, failures=(),
    partitions=(),
)  # fmt: skip
STARTING = replace(DELIVERING, work=None, joined=False, looked_at=None, began_at=NOW - 2)
HUGE = 10**18
STATES = {
    "starting": STARTING,
    "joining": replace(DELIVERING, joined=False),
    "idle": with_work(DELIVERING, unfinished=0, backlog=0, in_flight=0, flows={}),
    "nothing at all": NOTHING,
    "delivering": DELIVERING,
    "throttled": with_work(DELIVERING, events_per_second_limit=120.0),
    "backlog unknown": with_work(DELIVERING, backlog=None, backlog_at=None, backlog_growth=None),
    "ending": with_work(DELIVERING, is_ending=True),
    "half-open": with_work(held(DELIVERING), circuit="half-open"),
    "partition still": with_still_partition(DELIVERING),
    "loop stuck": replace(DELIVERING, looked_at=NOW - 60),
    "topics missing": replace(DELIVERING, missing_topics=3, group_strangers=1),
    "many partitions": with_work(DELIVERING, partitions=partitions(500)),
    "one partition": with_work(DELIVERING, partitions=partitions(1)),
    "huge": with_work(
        DELIVERING,
        in_flight=HUGE, in_flight_limit=1, unfinished=HUGE, backlog=HUGE, backlog_growth=1e15,
        events_per_second_limit=1e15, oldest_unfinished_at=1.0, oldest_attempt_at=1.0,
        flows={name: Flow(total=HUGE, per_second=1e15) for name in Totals._fields},
    ),
    "clock put back": replace(
        with_work(DELIVERING, circuit_since=NOW + 99, oldest_attempt_at=NOW + 99),
        began_at=NOW + 99, looked_at=NOW + 99,
    ),
    **{f"held: {reason}": held(DELIVERING, reason) for reason in Reason},
}  # fmt: skip
