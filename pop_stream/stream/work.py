"""All that is under way in this worker, and how it comes to rest."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence

from pop_stream.stream.backlog import Backlogs
from pop_stream.stream.claim import Stage
from pop_stream.stream.forwarder import Forwarder
from pop_stream.stream.handoff import Handoff
from pop_stream.stream.ledger import Ledger, Place, Run
from pop_stream.stream.notifier import Notifier
from pop_stream.stream.progress import Progress
from pop_stream.stream.record import KafkaRecord
from pop_stream.watch.digest import FailureDigest
from pop_stream.watch.history import Backlog, Sample, growth_of
from pop_stream.watch.recorder import Recorder
from pop_stream.watch.status import PartitionStatus, WorkStatus
from pop_stream.watch.tally import Tally

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.01


class Work:
    """The forwarder, the notifier and their hand-offs, as one."""

    def __init__(
        self,
        *,
        ledger: Ledger[KafkaRecord],
        forwarder: Forwarder,
        notifier: Notifier,
        handoff: Handoff,
        tally: Tally,
        drain_seconds: float,
    ) -> None:
        self._ledger = ledger
        self._forwarder = forwarder
        self._notifier = notifier
        self._handoff = handoff
        self._tally = tally
        self._drain_seconds = drain_seconds
        self._digest = FailureDigest(tally)
        self._end_by: float | None = None
        self._moved = (0, 0, 0)
        self._progress_at = time.monotonic()
        self._progress = Progress(ledger)
        self._recorder = Recorder(tally)
        #: None: Kafka was not asked yet.
        self._backlogs: Backlogs | None = None
        #: When the loop last came to look, in epoch seconds; None: not yet.
        self.looked_at: float | None = None

    def deliver(self, run: Run[KafkaRecord]) -> None:
        """Attempt each event of the run now."""
        self._forwarder.take(run, Stage.FORWARD)

    def deliver_when_due(self, run: Run[KafkaRecord]) -> None:
        """Attempt each event of the run again, once its wait is over."""
        self._forwarder.take(run, Stage.RETRY)

    def notify(self, run: Run[KafkaRecord]) -> None:
        """Tell of each failed event of the run."""
        self._notifier.take(run)

    def resume(self, share: float) -> None:
        """Take up work again: partitions were assigned, this share of all."""
        self._forwarder.resume(share)

    def note_ends(self, ends: Mapping[Place, int]) -> None:
        """Note where this worker's partitions end, as Kafka says now."""
        self._backlogs = Backlogs.seen(
            ends,
            self._ledger.standings(),
            at=time.time(),
            assignment=self._tally.rebalances[()],
        )

    def begin_to_end(self) -> None:
        """The process will end: from now on all drains together have the time of one."""
        self._end_by = self._end_by or time.monotonic() + self._drain_seconds

    async def drain(self) -> None:
        """Start nothing new, and wait a bounded time for what is under way. Never raises."""
        self._forwarder.pause()
        self._notifier.pause()
        until = self._end_by or time.monotonic() + self._drain_seconds
        # Looking again and again is simpler than an event for each of the three that may end.
        while self.under_way and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
        if self.under_way:
            log.warning("drain.unfinished", extra={"under_way": self.under_way})

    @property
    def under_way(self) -> int:
        """Attempts, hand-offs and calls that have begun and not ended."""
        return self._forwarder.in_flight + self._notifier.in_flight + self._handoff.in_progress

    @property
    def is_held(self) -> bool:
        """Whether nothing can be delivered for now."""
        return self._forwarder.held is not None

    def look(self, now: float) -> float:
        """Bring the gauges up to date; say for how many seconds work has not moved.

        Waiting for an event's time, or for GSTV to come back, is not a lack of progress: only
        what was begun and does not end is, and what is finished and cannot be committed.
        A write that is neither confirmed nor refused is one, whatever else goes on meanwhile.
        """
        self._digest.look(now)
        self._show(now)
        ledger = self._ledger
        outcomes = self._forwarder.outcomes + self._notifier.outcomes
        moved = (ledger.finished, ledger.accepted, outcomes)
        if moved != self._moved or not (self.under_way or ledger.commits()):
            self._moved = moved
            self._progress_at = now
        return max(now - self._progress_at, self._handoff.unanswered_for(now))

    def _show(self, now: float) -> None:
        tally, forwarder, at = self._tally, self._forwarder, time.time()
        epoch = at - now
        self._progress.look()
        oldest, overdue = forwarder.oldest_attempt_at, forwarder.most_overdue
        tally.in_flight_deliveries = forwarder.in_flight
        tally.oldest_in_flight_timestamp_seconds = 0.0 if oldest is None else epoch + oldest
        tally.retry_oldest_due_timestamp_seconds = overdue or 0.0
        tally.unfinished_events = self._ledger.unfinished
        tally.partition_last_progress_timestamp_seconds = {
            (topic, str(partition)): moved_at
            for (topic, partition), moved_at in self._progress.moved_at.items()
        }
        self._recorder.look(now, at, self._backlog)
        self.looked_at = at

    @property
    def _backlog(self) -> Backlog | None:
        seen = self._backlogs
        return None if seen is None else seen.of(
            self._progress.standings, self._tally.rebalances[()]
        )  # fmt: skip

    @property
    def samples(self) -> Sequence[Sample]:
        """How it went in the last hour. Safe to ask from another thread."""
        return self._recorder.samples

    def status(self) -> WorkStatus:
        """How things stand now. Safe to ask from another thread."""
        # Not what the loop may be changing at this moment: numbers, and objects that it replaces.
        tally, forwarder, now = self._tally, self._forwarder, time.time()
        held, backlog, partitions = forwarder.held, self._backlog, self._partitions()
        unfinished = [one.oldest_unfinished_at for one in partitions]
        return WorkStatus(
            held=held,
            circuit=tally.circuit.value,
            circuit_since=forwarder.free_since if held is None else held.since,
            in_flight=forwarder.in_flight,
            in_flight_limit=tally.in_flight_limit,
            events_per_second_limit=forwarder.events_per_second_limit,
            unfinished=self._ledger.unfinished,
            oldest_unfinished_at=min((at for at in unfinished if at is not None), default=None),
            unconfirmed=self._handoff.in_progress,
            oldest_attempt_at=tally.oldest_in_flight_timestamp_seconds or None,
            backlog=None if backlog is None else backlog.events,
            backlog_at=None if backlog is None else backlog.at,
            backlog_growth=growth_of(self.samples, backlog),
            flows=self._recorder.flows(now),
            failures=self._recorder.failures(now),
            partitions=partitions,
            is_ending=self._end_by is not None,
        )

    def _partitions(self) -> tuple[PartitionStatus, ...]:
        moved_at, seen = self._progress.moved_at, self._backlogs
        return tuple(
            PartitionStatus(
                topic=place.topic,
                partition=place.partition,
                backlog=None if seen is None else seen.events.get(place),
                moved_at=moved_at[place],
                oldest_unfinished_at=_epoch_seconds(standing.written_ms),
            )
            for place, standing in sorted(self._progress.standings.items())
            if place in moved_at
        )

    async def aclose(self) -> None:
        """End everything. What has no durable outcome stays unfinished."""
        await self._forwarder.aclose()
        await self._notifier.aclose()
        await self._handoff.aclose()
        self._digest.tell(time.monotonic())


def _epoch_seconds(written_ms: int | None) -> float | None:
    # A record may be without a time: its time is -1 then.
    return None if written_ms is None or written_ms <= 0 else written_ms / 1000
