"""The Faust app: settings become the parts, and the parts are put together here."""

import asyncio
import logging
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import faust
from yarl import URL

from pop_stream import __version__
from pop_stream.gstv.client import GstvClient
from pop_stream.gstv.endpoint import Endpoint, client_ssl_context, parse_endpoint
from pop_stream.gstv.limits import ClientLimits
from pop_stream.kafka.closed_connections import expect_closed_connections
from pop_stream.kafka.connection import client_options
from pop_stream.kafka.group import Member
from pop_stream.pop.backoff import Backoff
from pop_stream.pop.breaker import Breaker
from pop_stream.pop.event import Rules
from pop_stream.pop.notification import NotificationStyle
from pop_stream.pop.outcome import Outcome
from pop_stream.pop.redrive import RedriveSchedule
from pop_stream.pop.verdict import Policy
from pop_stream.settings import Settings, require
from pop_stream.settings.values import parse_statuses, parse_waits
from pop_stream.stream.abort import Abort
from pop_stream.stream.agents import declare_agents
from pop_stream.stream.forwarder import Conduct, Forwarder
from pop_stream.stream.guard import Guard
from pop_stream.stream.handoff import Handoff
from pop_stream.stream.holes import Holes
from pop_stream.stream.ledger import Ledger, Limits
from pop_stream.stream.notifier import Notifier
from pop_stream.stream.preflight import (
    look_around,
    require_starting_point,
    require_topics,
    serve_metrics,
)
from pop_stream.stream.record import KafkaRecord
from pop_stream.stream.redriver import RedriveConduct, Redriver, consumer_maker
from pop_stream.stream.settled import Settled, settled_consumer
from pop_stream.stream.starting_point import CLIENT_ID
from pop_stream.stream.transport import Consumer, Producer, Transport
from pop_stream.stream.watchdog import Watchdog
from pop_stream.stream.work import Work
from pop_stream.watch.history import Sample
from pop_stream.watch.server import Server
from pop_stream.watch.status import Status
from pop_stream.watch.tally import Tally
from pop_stream.watch.tracing import tracing_of

T = TypeVar("T")

#: How long stopping may take beyond draining before the process ends without it.
_STOP_SECONDS = 4.0
#: A commit that rests for so long, and twice as long as retries may wait, stands still.
_STILL_SECONDS = 60.0


class PopStreamApp(faust.App):
    """A Faust app with the run transport, the ledger, and the three agents."""

    logger = logging.getLogger("faust.app")

    def __init__(self, settings: Settings) -> None:
        """Connects to nothing. Raises SettingsError when a needed setting is missing."""
        require(settings, "gstv_url")
        self.settings = settings
        self.kafka_options = client_options(settings)
        self.session_timeout_seconds = settings.session_timeout_seconds
        self.attempted_topics = (settings.events_topic, settings.retry_topic)
        self.tally = Tally(parse_statuses(settings.gstv_success_statuses))
        self.abort = Abort()
        self.may_start_over = settings.start_without_commit == "earliest"
        self.holes = Holes(self._confirm, failure_topic=settings.failure_topic, tally=self.tally)
        topics = _topics(settings)
        self.ledger: Ledger[KafkaRecord] = Ledger(
            {topic: _limits(stage, settings) for stage, topic in topics.items()}
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
        super().__init__(settings.group, **_faust_settings(settings))
        expect_closed_connections()
        servers = self.kafka_options["bootstrap_servers"]
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

        Raises SettingsError when the metrics port is taken, KafkaUnreachableError, and
        TopicsMissingError.
        """
        self._metrics = serve_metrics(self.settings, self.tally, self._status, self._samples)
        await require_topics(self.settings)
        await require_starting_point(self.settings)
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

    def _start_redriving(self, work: Work) -> None:
        settings = self.settings
        schedule = RedriveSchedule(
            parse_waits(settings.auto_redrive), frozenset(settings.auto_redrive_reasons)
        )
        if not schedule.waits or "failure" not in settings.stages:
            return
        options, group = self.kafka_options, settings.group
        self._settled = Settled(
            lambda: settled_consumer(options, group=group, topic=settings.settled_topic),
            self.abort,
        )
        self._settled.start()
        self._redriver = Redriver(
            RedriveConduct(
                schedule=schedule,
                make_consumer=consumer_maker(
                    options,
                    group=group,
                    topic=settings.failure_topic,
                    session_timeout_seconds=settings.session_timeout_seconds,
                ),
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
        handoff = Handoff(self._confirm, abort)
        forwarder = Forwarder(
            _conduct(settings),
            make_client=_client_maker(settings, settings.gstv_url),
            handoff=handoff,
            tally=tally,
            abort=abort,
            tracing=self._tracing,
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
                _client_maker(settings, settings.notification_url)
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


def _topics(settings: Settings) -> dict[str, str]:
    topics = {
        "forward": settings.events_topic,
        "retry": settings.retry_topic,
        "failure": settings.failure_topic,
    }
    return {stage: topics[stage] for stage in settings.stages}


def _limits(stage: str, settings: Settings) -> Limits:
    events = settings.max_held_events
    if stage == "retry" or settings.order == "screen":
        # Most of what is held there only waits for its time. Room for ten times as much keeps an
        # event that is due from waiting behind those that are not.
        events *= 10
    return Limits(events=events, bytes=settings.max_held_bytes, skew=events)


def _conduct(settings: Settings) -> Conduct:
    return Conduct(
        rules=Rules(
            validate=settings.validation == "on",
            max_bytes=settings.max_event_bytes,
            overlong=timedelta(seconds=settings.max_overlong_seconds),
        ),
        policy=Policy(
            success_statuses=parse_statuses(settings.gstv_success_statuses),
            retries=settings.retries,
            backoff=Backoff(settings.retry_backoff_seconds),
            retry_after_cap=settings.gstv_retry_after_cap_seconds,
        ),
        breaker=Breaker(
            least_seconds=settings.gstv_probe_seconds,
            most_seconds=settings.gstv_probe_most_seconds,
        ),
        rate_limit=settings.gstv_rate_limit,
        order=settings.order,
        retry_topic=settings.retry_topic,
        failure_topic=settings.failure_topic,
    )


def _client_maker(
    settings: Settings, url: str | None
) -> Callable[[Callable[[T, Outcome], None]], GstvClient[T]]:
    endpoint = _endpoint(settings, url or "")
    limits = ClientLimits(
        max_in_flight=settings.gstv_max_in_flight,
        connect_timeout_seconds=settings.gstv_connect_timeout_seconds,
        total_timeout_seconds=settings.gstv_timeout_seconds,
    )
    return lambda on_outcome: GstvClient(endpoint, limits, on_outcome)


def _endpoint(settings: Settings, url: str) -> Endpoint:
    ssl_context = None
    if url.startswith("https:"):
        ssl_context = client_ssl_context(cafile=settings.gstv_ssl_cafile)
    return parse_endpoint(url, ssl_context=ssl_context)


def _faust_settings(settings: Settings) -> dict[str, Any]:
    return {
        # The broker's address is the transport's; this one is only printed by Faust.
        "broker": "kafka://",
        # By this name a worker is told from a foreign member of its group.
        "broker_client_id": CLIENT_ID,
        "broker_commit_interval": settings.commit_interval_seconds,
        "broker_max_poll_records": 1000,
        # Waiting for GSTV must never count as having left the group; the watchdog looks after us.
        "broker_max_poll_interval": 86_400.0,
        "broker_request_timeout": 40.0,
        "broker_rebalance_timeout": 60.0,
        "broker_session_timeout": settings.session_timeout_seconds,
        "producer_acks": -1,
        # No hand-off is in a hurry, and together they make fewer requests and longer runs.
        "producer_linger": 0.02,
        # Well below the time after which a write without an answer counts as stuck.
        "producer_request_timeout": 20.0,
        # A record on the retry or failure topic is larger than the event by its headers.
        "producer_max_request_size": 2 * 1024 * 1024,
        "stream_wait_empty": True,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "web_enabled": False,
        "store": "memory://",
        "datadir": str(Path(tempfile.gettempdir()) / "pop-stream-faust"),
    }
