"""What a worker counts. A field has the name of its metric in `pop_stream.watch.table`.

Counting costs an addition: the numbers are plain ones, and become metrics only when they are read.
They are written by the worker's loop alone.
"""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import Final

from pop_stream.pop.breaker import State
from pop_stream.pop.outcome import Answer, Outcome, Trouble
from pop_stream.pop.verdict import Policy
from pop_stream.watch.table import KNOWN_STATUSES, LAST_NUMBER, WORKER_METRICS

#: A count for each combination of a metric's labels.
Counts = Counter[tuple[str, ...]]
#: Likewise, where counts are no whole numbers or not added up.
Numbers = dict[tuple[str, ...], float]

_BOUNDS: Final = {metric.name: metric.buckets for metric in WORKER_METRICS}
_BY_STATUS: Final = {401: "auth", 403: "auth", 407: "auth", 429: "throttled"}
_BY_CLASS: Final = {2: "bad_response", 3: "redirect", 4: "client_error", 5: "server_error"}
_BY_TROUBLE: Final = {
    Trouble.CONNECT: "connect_error",
    Trouble.DNS: "connect_error",
    Trouble.TLS: "tls_error",
    Trouble.BAD_RESPONSE: "bad_response",
    Trouble.TIMEOUT: "timeout",
    Trouble.RESET: "reset",
    Trouble.EXHAUSTED: "exhausted",
    Trouble.CLOSED: "closed",
    Trouble.ADDRESS: "redirect",  # GSTV's name leads elsewhere
    Trouble.PROXY: "auth",
    Trouble.TOKEN: "connect_error",
    Trouble.CREDENTIALS: "auth",
}


class Histogram:
    """How many seconds something took, by buckets."""

    __slots__ = ("bounds", "counts", "exemplars", "total")

    def __init__(self, metric: str) -> None:
        """Take the bounds of a metric of the table."""
        self.bounds = _BOUNDS[metric]
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0
        #: Of each bucket the last trace that fell into it: its id, how long it took, and when.
        self.exemplars: dict[int, tuple[str, float, float]] = {}

    def observe(self, seconds: float) -> None:
        """Count one; a clock that went back counts as no time."""
        self.observe_all((seconds,))

    def observe_all(self, each: Sequence[float]) -> None:
        """Count several at once, for half of what each alone costs."""
        if not each:
            return
        bounds, counts = self.bounds, self.counts
        least, most = min(each), max(each)
        bucket = bisect_left(bounds, least)
        if bucket == len(bounds) or most <= bounds[bucket]:
            # As nearly always with what happens together: then one look is enough.
            counts[bucket] += len(each)
        else:
            for seconds in each:
                counts[bisect_left(bounds, seconds)] += 1
        self.total += sum(each) if least >= 0 else sum(max(seconds, 0.0) for seconds in each)

    def exemplify(self, seconds: float, trace_id: str) -> None:
        """Keep the trace of one that was counted as the example of its bucket."""
        seconds = max(seconds, 0.0)
        bucket = bisect_left(self.bounds, seconds)
        self.exemplars[bucket] = (trace_id, seconds, time.time())


class Tally:
    """The numbers of one worker since it began, and how things stood at its last look."""

    def __init__(self, success_statuses: frozenset[int] = Policy().success_statuses) -> None:
        """`success_statuses` are those that mean that GSTV has the event."""
        self._success_statuses = success_statuses
        #: Attempts by their number, and the status or the trouble.
        self.outcomes: Counter[tuple[int, int | Trouble]] = Counter()

        self.events_received = Counts()
        self.events_completed = Counts()
        self.retries_scheduled = Counts()
        self.failed_events = Counts()
        self.decode_errors = Counts()
        self.attempts_held = Counts()
        self.events_flagged = Counts()
        self.failure_notifications = Counts()
        self.redriven_events = Counts()
        self.gone_events = Counts()
        self.commits = Counts()
        self.delivery_receipts = Counts()
        self.rebalances = Counts()
        #: Written by whatever thread logs (`pop_stream.watch.log_count`).
        self.log_messages = Counts()
        self.throttled = Stopwatch()

        self.attempts_ok = Histogram("delivery_attempt_duration_seconds")
        self.attempts_error = Histogram("delivery_attempt_duration_seconds")
        self.delivery_delay_seconds = Histogram("delivery_delay_seconds")
        self.ingest_delay_seconds = Histogram("ingest_delay_seconds")
        self.commit_duration_seconds = Histogram("commit_duration_seconds")
        self.rebalance_duration_seconds = Histogram("rebalance_duration_seconds")
        self.event_loop_lag_seconds = Histogram("event_loop_lag_seconds")

        self.circuit = State.CLOSED
        self.retry_oldest_due_timestamp_seconds = 0.0
        self.in_flight_deliveries = 0
        self.in_flight_limit = 0
        self.oldest_in_flight_timestamp_seconds = 0.0
        self.unfinished_events = 0
        self.missing_topics = 0
        self.group_strangers = 0
        self.assigned_partitions: Numbers = {}
        self.partition_last_progress_timestamp_seconds: Numbers = {}

    def attempted(self, number: int, outcome: Outcome) -> None:
        """Count an attempt and what became of it: one addition, for it is done with every event."""
        became = outcome.status if isinstance(outcome, Answer) else outcome.trouble
        self.outcomes[number, became] += 1

    # Numbers that are worked out when they are read

    @property
    def delivery_attempts(self) -> Counts:
        """Attempts by their number and the kind of their outcome."""
        counts = Counts()
        for (number, became), count in self.outcomes.copy().items():
            label = str(number) if number <= LAST_NUMBER else "later"
            counts[label, self._kind_of(became)] += count
        return counts

    def _kind_of(self, became: int | Trouble) -> str:
        if isinstance(became, Trouble):
            return _BY_TROUBLE[became]
        if became in self._success_statuses:
            return "delivered"
        return _BY_STATUS.get(became) or _BY_CLASS[became // 100]

    @property
    def partner_responses(self) -> Counts:
        """GSTV's answers by status."""
        counts = Counts()
        for (_, became), count in self.outcomes.copy().items():
            if not isinstance(became, Trouble):
                counts[(str(became) if became in KNOWN_STATUSES else "other",)] += count
        return counts

    @property
    def delivery_attempt_duration_seconds(self) -> dict[tuple[str, ...], Histogram]:
        """How long attempts took, those that delivered and the others."""
        return {("ok",): self.attempts_ok, ("error",): self.attempts_error}

    @property
    def circuit_open(self) -> bool:
        """Whether nothing is delivered for now."""
        return self.circuit is not State.CLOSED

    @property
    def partner_circuit(self) -> Numbers:
        """1 for the state that the breaker is in."""
        return {(state.value,): float(state is self.circuit) for state in State}

    @property
    def partner_throttled_seconds(self) -> float:
        """For how long nothing was attempted because GSTV asked."""
        return self.throttled.seconds


class Stopwatch:
    """For how long something was so, all times together."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def run(self) -> None:
        """From now on it is so."""
        if self._since is None:
            self._since = time.monotonic()

    def stop(self) -> None:
        """From now on it is not so."""
        self._before, self._since = self.seconds, None

    @property
    def seconds(self) -> float:
        """Until now, if it is so now."""
        since = self._since
        return self._before + (0.0 if since is None else time.monotonic() - since)
