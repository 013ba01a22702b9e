"""Runs systems one after the other, round by round, and measures each."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.backlog import fill
from bench.children import Child, running
from bench.figures import Mark, Round, round_between
from bench.measure import tree_usage
from bench.receiver import Kind, Receiver, receiving
from bench.scenarios import Scenario
from bench.systems import SYSTEMS, Job
from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
from pop_stream.settings import Settings, load_settings

#: What is measured begins after this part of a run.
_WARM_UP = 0.1
_LOOK_SECONDS = 0.02
#: A system that delivers nothing for so long has failed.
_PATIENCE_SECONDS = 60.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be run."""

    scenario: Scenario
    systems: Sequence[str]
    rounds: int
    receiver: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kafka:
    settings: Settings
    broker_pid: int


def run(plan: Plan, say: Say) -> dict[str, list[Round]]:
    """Run all systems in turn, as many rounds as planned, on one Kafka. The rounds of each.

    Raises WorkFailedError when a system ends by itself or delivers nothing any more.
    """
    rounds: dict[str, list[Round]] = {name: [] for name in plan.systems}
    say("starting Kafka")
    with LocalKafka.start(LocalKafkaOptions()) as local:
        environment = {"POP_STREAM_KAFKA_BOOTSTRAP_SERVERS": local.bootstrap_servers}
        kafka = _Kafka(
            settings=load_settings(environment, dotenv=None), broker_pid=local.brokers[0].pid
        )
        say(f"writing {plan.scenario.backlog} events")
        asyncio.run(fill(kafka.settings, plan.scenario))
        for number in range(1, plan.rounds + 1):
            for name in plan.systems:
                one = _run_once(plan, kafka, name, group=f"bench-{name}-{number}")
                rounds[name].append(one)
                say(
                    f"round {number} of {plan.rounds}: {name} took {one.cpu_us_per_event:.1f} us"
                    f" of CPU an event, {one.events_per_second:.0f} events/s"
                )
    return rounds


def _run_once(plan: Plan, kafka: _Kafka, name: str, *, group: str) -> Round:
    system = SYSTEMS[name]
    events = round(plan.scenario.backlog * system.share)
    with tempfile.TemporaryDirectory(prefix="pop-stream-bench-") as temporary:
        folder = Path(temporary)
        with receiving(plan.receiver, folder=folder) as receiver:
            job = Job(
                broker=kafka.settings.kafka_bootstrap_servers,
                topic=kafka.settings.events_topic,
                group=group,
                url=receiver.url,
                in_flight=plan.scenario.in_flight,
            )
            with running(name, system.command(job), folder=folder) as child:
                _wait_for(round(events * _WARM_UP), child, receiver)
                first = _mark(child, receiver, kafka)
                _wait_for(events, child, receiver)
                last = _mark(child, receiver, kafka)
                peak = tree_usage(child.pid).peak_rss_bytes
                child.check()
    return round_between(first, last, rss_bytes=peak)


def _wait_for(events: int, child: Child, receiver: Receiver) -> None:
    seen, seen_at = 0, time.monotonic()
    while (delivered := receiver.delivered()) < events:
        child.check()
        receiver.child.check()
        if delivered > seen:
            seen, seen_at = delivered, time.monotonic()
        elif time.monotonic() - seen_at > _PATIENCE_SECONDS:
            raise child.failure(f"delivered {seen} of {events} events and no more")
        time.sleep(_LOOK_SECONDS)


def _mark(child: Child, receiver: Receiver, kafka: _Kafka) -> Mark:
    return Mark(
        at_seconds=time.monotonic(),
        delivered=receiver.delivered(),
        system_cpu_seconds=tree_usage(child.pid).cpu_seconds,
        receiver_cpu_seconds=tree_usage(receiver.child.pid).cpu_seconds,
        broker_cpu_seconds=tree_usage(kafka.broker_pid).cpu_seconds,
    )
