"""How many attempts may be started: what GSTV's answers and their latency allow.

Two rules work together. So many attempts may be under way at once (`pop_stream.pop.concurrency`):
more than helps would only wait at GSTV. And so many may be started in a second
(`pop_stream.pop.pace`): what GSTV asks for with 429, or an operator with a setting.
"""

import logging
import time
from collections import deque
from dataclasses import replace
from typing import Protocol

from pop_stream.pop.concurrency import Concurrency
from pop_stream.pop.pace import Bucket, Pace
from pop_stream.watch.tally import Tally

log = logging.getLogger(__name__)

#: Over how long deliveries are counted to tell how many GSTV takes in a second.
_MEASURE_SECONDS = 1.0
_SAMPLE_SECONDS = 0.1
_LEAST_ROUND = 10
#: A partner that became slow, down to one attempt at a time: ten of them take long, and tell no
#: more. Not of one that has just come back: that one is taken up gently.
_LEAST_ROUND_ALONE = 3


class Posts(Protocol):
    """The client's posts, as the pacer needs them."""

    @property
    def room(self) -> int: ...  # noqa: D102
    @property
    def in_flight(self) -> int: ...  # noqa: D102
    @property
    def worked(self) -> int: ...  # noqa: D102
    @property
    def worked_seconds(self) -> float: ...  # noqa: D102


class Pacer:
    """The pace of one worker. Asked once for all attempts that start in a turn of the loop."""

    def __init__(self, posts: Posts, tally: Tally, *, events_per_second: float | None) -> None:
        """Take the rate that all workers together must keep; None: any."""
        self._posts = posts
        self._tally = tally
        self._all_per_second = events_per_second
        self._limit(Concurrency.up_to(posts.room))
        self._pace = Pace(fixed=events_per_second)
        self._bucket = Bucket()
        self._was_full = False
        self._round_begin = (0, 0.0)
        self._deliveries: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def keep_share(self, share: float) -> None:
        """Keep to this part of the rate of all workers, from now on."""
        if self._all_per_second is not None:
            mine = self._all_per_second * share
            self._pace = replace(self._pace, fixed=mine)
            log.info("pace.shared", extra={"share": round(share, 4), "events_per_second": mine})

    def room(self, in_flight: int) -> int:
        """How many attempts may be started now."""
        now = time.monotonic()
        self._measure(now)
        room = max(int(self._concurrency.limit) - in_flight, 0)
        rate = self._pace.rate(now)
        return room if rate is None else min(room, self._bucket.room(now, rate))

    def started(self, count: int) -> None:
        """So many attempts were started."""
        if count:
            self._bucket.take(count)
            self._was_full = self._was_full or self._posts.in_flight >= self._concurrency.limit - 1

    @property
    def events_per_second_limit(self) -> float | None:
        """The most attempts that may be started in a second; None: any number."""
        return self._pace.rate(time.monotonic())

    @property
    def ready_in(self) -> float | None:
        """Seconds until the pace allows an attempt; None when that is not what forbids one."""
        now = time.monotonic()
        rate = self._pace.rate(now)
        # A worker without a partition has no share of the rate, and nothing to wait for.
        if not rate:
            return None
        seconds = self._bucket.ready_in(now, rate)
        return seconds if seconds > 0 else None

    def slowed(self) -> bool:
        """GSTV asked for fewer events. Returns False if that is only more of the same excess."""
        now = time.monotonic()
        before, self._pace = self._pace, self._pace.slowed(now, self._accepted_per_second(now))
        self._limit(self._concurrency.slowed())
        return self._pace is not before

    def restart(self) -> None:
        """Begin with one attempt at a time again: GSTV has just come back."""
        known = self._concurrency
        self._limit(Concurrency(ceiling=known.ceiling, limit=1.0, base_seconds=known.base_seconds))
        self._begin_round()

    def _measure(self, now: float) -> None:
        begin, begin_seconds = self._round_begin
        ended = self._posts.worked - begin
        limit = int(self._concurrency.limit)
        gave_way = limit == 1 and not self._concurrency.doubling
        if ended >= max(_LEAST_ROUND_ALONE if gave_way else _LEAST_ROUND, limit):
            seconds = (self._posts.worked_seconds - begin_seconds) / ended
            self._limit(
                self._concurrency.adjusted(latency_seconds=seconds, was_full=self._was_full)
            )
            self._begin_round()
        if now - self._deliveries[-1][0] >= _MEASURE_SECONDS:
            # Nothing happened meanwhile: that says nothing of what GSTV takes.
            self._deliveries.clear()
            self._deliveries.append((now, self._delivered))
        elif now - self._deliveries[-1][0] >= _SAMPLE_SECONDS:
            self._deliveries.append((now, self._delivered))
            while len(self._deliveries) > 1 and now - self._deliveries[1][0] >= _MEASURE_SECONDS:
                self._deliveries.popleft()

    def _begin_round(self) -> None:
        self._was_full = False
        self._round_begin = (self._posts.worked, self._posts.worked_seconds)

    def _limit(self, concurrency: Concurrency) -> None:
        self._concurrency = concurrency
        self._tally.in_flight_limit = int(concurrency.limit)

    def _accepted_per_second(self, now: float) -> float:
        since, before = self._deliveries[0]
        return (self._delivered - before) / max(now - since, _SAMPLE_SECONDS)

    @property
    def _delivered(self) -> int:
        return self._tally.events_completed["delivered",]
