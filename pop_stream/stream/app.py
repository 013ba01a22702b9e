"""The Faust app: settings become the parts, and the parts are put together here."""

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from typing import Any, cast

import faust
from faust.app.base import BootStrategy
from yarl import URL

from pop_stream import __version__
from pop_stream.gstv.from_settings import client_maker
from pop_stream.kafka.closed_connections import expect_closed_connections
from pop_stream.kafka.connection import bootstrap_servers
from pop_stream.kafka.group import Member
from pop_stream.pop.notification import NotificationStyle
from pop_stream.settings import Settings, require
from pop_stream.settings.values import parse_statuses
from pop_stream.stream.abort import Abort
from pop_stream.stream.agents import declare_agents
from pop_stream.stream.forwarder import Forwarder
from pop_stream.stream.guard import Guard
from pop_stream.stream.handoff import Handoff, Outgoing
from pop_stream.stream.holes import Holes
from pop_stream.stream.ledger import Ledger
from pop_stream.stream.notifier import Notifier
from pop_stream.stream.parts import (
    conduct_of,
    faust_settings,
    limits_of,
    receipts_of,
    schedule_of,
    topics_of,
)
from pop_stream.stream.preflight import (
    look_around,
    require_receipts,
    require_rights,
    require_starting_point,
    require_topics,
    serve_metrics,
)
from pop_stream.stream.record import KafkaRecord
from pop_stream.stream.redriver import RedriveConduct, Redriver, consumer_maker
from pop_stream.stream.settled import Settled, settled_consumer
from pop_stream.stream.transport import Consumer, Producer, Transport
from pop_stream.stream.watchdog import Watchdog
from pop_stream.stream.work import Work
from pop_stream.watch.history import Sample
from pop_stream.watch.server import Server
from pop_stream.watch.status import Status
from pop_stream.watch.tally import Tally
from pop_stream.watch.tracing import tracing_of

#: How long stopping may take beyond draining before the process ends without it.
_STOP_SECONDS = 4.0
#: A commit that rests for so long, and twice as long as retries may wait, stands still.
_STILL_SECONDS = 60.0


class _Boot(BootStrategy):
    # Not the setting alone: `faust worker` switches Faust's web server on again, without asking,
    # for everybody on the network and without a password.
    enable_web = False


class PopStreamApp(faust.App):
    """A Faust app with the run transport, the ledger, and the three agents."""

    BootStrategy = _Boot
    logger = logging.getLogger("faust.app")

    def __init__(self, settings: Settings) -> None:
        """Connects to nothing. Raises SettingsError when a needed setting is missing."""
        require(settings, "gstv_url")
        self.settings = settings
        self.attempted_topics = (settings.events_topic, settings.retry_topic)
        self.tally = Tally(parse_statuses(settings.gstv_success_statuses))
        self.abort = Abort()
        self.may_start_over = settings.start_without_commit == "earliest"
        self.holes = Holes(self._confirm, failure_topic=settings.failure_topic, tally=self.tally)
        self.receipts = receipts_of(settings, self._confirm, self.tally)
        topics = topics_of(settings)
        self.ledger: Ledger[KafkaRecord] = Ledger(
            {topic: limits_of(stage, settings) for stage, topic in topics.items()}
        )
        self._began_at = time.time()
        for topic in topics.values():
            # So that an alert sees the first: a series that is born at 1 has no increase.
            self.tally.gone_events[(topic,)] = 0
        self._work: Work | None = None
        self._watchdog: Watchdog | None = None
        self._settled: Settled | None = None
        self._redriver: Redriver | None = None
        self._metrics: Server | None = None
        self._tracing = tracing_of(settings)
        self._guard = Guard(
            lambda: look_around(settings), self.tally, self.abort, trouble=self._trouble
        )
        super().__init__(settings.group, **faust_settings(settings))
        expect_closed_connections()
        servers = bootstrap_servers(settings)
        self.transport = Transport([URL(f"kafka://{server}") for server in servers], self)
        declare_agents(self, topics=topics, work=lambda: self.work, abort=self.abort)

    @property
    def work(self) -> Work:
        """What is under way. Exists once the app was started, for it belongs to the loop."""
        if self._work is None:
            raise RuntimeError("the app is not started")
        return self._work

    async def on_start(self) -> None:
        """Look at what is needed, and put the parts together, before the group is joined.

        Raises SettingsError when the metrics port is taken, KafkaUnreachableError,
        TopicsMissingError, and StartRefusedError.
        """
        self._metrics = serve_metrics(self.settings, self.tally, self._status, self._samples)
        await require_rights(self.settings)
        await require_topics(self.settings)
        await require_starting_point(self.settings)
        await require_receipts(self.settings)
        self._work = self._put_together()
        self._watchdog = Watchdog(
            look=self._work.look,
            abort=self.abort,
            progress_seconds=self.settings.progress_timeout_seconds,
            late=self.tally.event_loop_lag_seconds.observe,
        )
        self._watchdog.start()
        self._guard.start()
        await super().on_start()
        self._start_redriving(self._work)

    def _trouble(self, members: Collection[Member]) -> str | None:
        if self.should_stop or self.crashed:
            return None
        consumer = cast(Consumer, self.consumer)
        return consumer.trouble(time.monotonic(), [member.member_id for member in members])

    def _status(self) -> Status:
        return Status(
            version=__version__,
            group=self.settings.group,
            stages=self.settings.stages,
            began_at=self._began_at,
            looked_at=None if self._work is None else self._work.looked_at,
            joined=bool(self.tally.rebalances),
            missing_topics=self.tally.missing_topics,
            group_strangers=self.tally.group_strangers,
            still_seconds=_STILL_SECONDS + 2 * sum(self.settings.retry_backoff_seconds),
            work=None if self._work is None else self._work.status(),
        )

    def _samples(self) -> Sequence[Sample]:
        return () if self._work is None else self._work.samples

    async def stop(self) -> None:
        """Drain, commit what is finished, and leave the group; aborts if that takes too long."""
        # Not a timeout: Faust and aiokafka may swallow the cancellation, and stop for ever.
        limit = self.settings.drain_seconds + _STOP_SECONDS
        with self.abort.unless_within(limit, "stopping took too long"):
            await self._drain_and_stop()

    async def _drain_and_stop(self) -> None:
        self._guard.stop()
        if self._work is not None:
            self._work.begin_to_end()
        # While the rest drains: both may take seconds when Kafka is gone.
        async with asyncio.TaskGroup() as ends:
            if self._redriver is not None:
                ends.create_task(self._redriver.aclose())
            if self._settled is not None:
                ends.create_task(self._settled.aclose())
            await super().stop()
        if self._work is not None:
            await self._work.aclose()
        if self._watchdog is not None:
            self._watchdog.stop()
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)
        if self._metrics is not None:
            self._metrics.close()

    async def _confirm(self, topic: str, **record: Any) -> None:
        # The producer exists only once the app has started, so it is looked up with each record.
        await cast(Producer, self.producer).confirm(topic, **record)

    async def _confirm_together(self, topic: str, records: Sequence[Outgoing]) -> None:
        await cast(Producer, self.producer).confirm_together(topic, records)

    def _start_redriving(self, work: Work) -> None:
        settings = self.settings
        schedule = schedule_of(settings)
        if not schedule.waits or "failure" not in settings.stages:
            return
        self._settled = Settled(lambda: settled_consumer(settings), self.abort)
        self._settled.start()
        self._redriver = Redriver(
            RedriveConduct(
                schedule=schedule,
                make_consumer=consumer_maker(settings),
                retry_topic=settings.retry_topic,
                events_per_second=settings.auto_redrive_rate_limit,
            ),
            confirm=self._confirm,
            settled=self._settled,
            is_held=lambda: work.is_held,
            tally=self.tally,
            abort=self.abort,
        )
        self._redriver.start()

    def _put_together(self) -> Work:
        settings, tally, abort = self.settings, self.tally, self.abort
        handoff = Handoff(self._confirm, self._confirm_together, abort)
        forwarder = Forwarder(
            conduct_of(settings),
            make_client=client_maker(settings, settings.gstv_url),
            handoff=handoff,
            tally=tally,
            abort=abort,
            tracing=self._tracing,
            receipts=self.receipts,
        )
        notifier = Notifier(
            NotificationStyle(
                type=settings.notification_type, profile=settings.notification_profile
            ),
            topic=settings.notification_topic,
            handoff=handoff,
            tally=tally,
            abort=abort,
            make_poster=(
                client_maker(settings, settings.notification_url)
                if settings.notification_url
                else None
            ),
        )
        return Work(
            ledger=self.ledger,
            forwarder=forwarder,
            notifier=notifier,
            handoff=handoff,
            tally=tally,
            drain_seconds=settings.drain_seconds,
        )
