"""One run of the whole system, from its first process to the account."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aiokafka.errors import KafkaError

from pop_stream.demo.account import Account
from pop_stream.demo.cluster import topics_for
from pop_stream.demo.observe import Observer
from pop_stream.demo.processes import Children
from pop_stream.demo.records import TopicNames
from pop_stream.demo.scenario import partner_rules, shares_of, unfit_events
from pop_stream.demo.screen import Screen
from pop_stream.demo.sightings import Sightings
from pop_stream.demo.signals import InterruptedRunError, Signals
from pop_stream.demo.system import Orders, PlayersOrder, System, start_system
from pop_stream.demo.watch import Watch
from pop_stream.errors import WorkFailedError
from pop_stream.kafka.clients import producer_of
from pop_stream.pop.identity import fallback_pop_id
from pop_stream.settings import Settings

_PLAYERS_STOP_SECONDS = 10.0
_WORKER_DRAIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What kind of run."""

    #: All that are produced, unfit ones included.
    events: int
    seed: int
    #: Leave everything running after the account, until a signal comes.
    keep: bool
    #: Whether the partner refuses everything for a while.
    outage: bool
    #: When it began, by `time.monotonic()`.
    begun_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a run ended."""

    account: Account
    seconds: float
    #: What went wrong beside the account, for people; None: nothing.
    failure: str | None
    interrupted: bool

    @property
    def exit_code(self) -> int:
        """0: every event is accounted for, and every part did as it should."""
        if self.interrupted:
            return 130
        return 1 if self.failure else self.account.exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run happens."""

    #: Those of Kafka, the topics and the group.
    settings: Settings
    #: Whether its topics are to be removed at the end.
    is_borrowed: bool
    #: For ledgers and logs.
    folder: Path
    children: Children
    screen: Screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Who is told of what."""

    #: Gets the report as soon as there is one.
    report: Callable[[Report], None]
    #: Gets what goes on running after the report, when everything is kept.
    kept: Callable[[System], None]


async def run(order: Order, place: Place, listeners: Listeners) -> int:
    """Run to the end and give the exit code. A signal ends it early, but in order.

    Raises PopStreamError when the system cannot even be started.
    """
    with Signals() as signals:
        return await _run(order, place, listeners, signals)


async def _run(order: Order, place: Place, listeners: Listeners, signals: Signals) -> int:
    shares = shares_of(order.events)
    orders = Orders(
        players=PlayersOrder(
            events=shares.players, per_second=shares.players_per_second, seed=order.seed
        ),
        rules=partner_rules(outage=order.outage),
    )
    async with AsyncExitStack() as stack:
        try:
            await signals.guard(
                stack.enter_async_context(topics_for(place.settings, remove=place.is_borrowed))
            )
            observer, sightings = await signals.guard(
                stack.enter_async_context(_observer(place.settings))
            )
            system = await signals.guard(
                start_system(place.children, place.folder, place.settings, orders)
            )
        except InterruptedRunError:
            return 130
        watch = Watch(observer, sightings, system, screen=place.screen)
        report = await _deliver(order, place, system, watch=watch, signals=signals)
        listeners.report(report)
        if order.keep and report.exit_code == 0:
            listeners.kept(system)
            await signals.wait()
            await _stop(system)
        return report.exit_code


async def _deliver(
    order: Order, place: Place, system: System, *, watch: Watch, signals: Signals
) -> Report:
    failure, interrupted = None, False
    try:
        unfit = shares_of(order.events).unfit
        watch.confirmed(await signals.guard(_produce_unfit(place.settings, unfit)))
        await signals.guard(watch.until_done(order.events, place.children, begun_at=order.begun_at))
    except InterruptedRunError:
        interrupted = True
    except WorkFailedError as error:
        failure = str(error)
    if not order.keep or failure or interrupted:
        try:
            await _stop(system)
        except WorkFailedError as error:
            failure = failure or str(error)
    try:
        account = await watch.account()
    except WorkFailedError as error:
        raise WorkFailedError("\n".join(filter(None, (failure, str(error))))) from error
    return Report(
        account=account,
        seconds=time.monotonic() - order.begun_at,
        failure=failure,
        interrupted=interrupted,
    )


async def _stop(system: System) -> None:
    """End the players, if they still send, then the worker. Raises when that does not drain."""
    system.players.terminate()
    with suppress(WorkFailedError):
        await system.players.ended(_PLAYERS_STOP_SECONDS)
    system.worker.terminate()
    if await system.worker.ended(_WORKER_DRAIN_SECONDS) != 0:
        raise system.worker.failure("did not stop as it should")


async def _produce_unfit(settings: Settings, number: int) -> list[str]:
    """Put unfit events on the events topic and give their ids, which follow from their places."""
    producer = producer_of(settings, acks="all", enable_idempotence=True)
    try:
        await producer.start()
        places = [
            await producer.send_and_wait(settings.events_topic, event.value, key=event.key)
            for event in unfit_events(number)
        ]
    except KafkaError as error:
        raise WorkFailedError(f"Kafka took no events: {error}") from error
    finally:
        await producer.stop()
    return [fallback_pop_id(place.topic, place.partition, place.offset) for place in places]


@asynccontextmanager
async def _observer(settings: Settings) -> AsyncIterator[tuple[Observer, Sightings]]:
    topics = TopicNames(
        events=settings.events_topic,
        retry=settings.retry_topic,
        failure=settings.failure_topic,
        notifications=settings.notification_topic,
    )
    sightings = Sightings(topics)
    observer = Observer(sightings, topics, settings=settings)
    async with observer:
        yield observer, sightings
