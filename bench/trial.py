"""One run: a system at work, and the receiver that it works for."""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.children import Child, running
from bench.cores import on_cores
from bench.figures import Mark, Sample
from bench.measure import machine_cpu_seconds, tree_usage
from bench.receiver import Receiver, receiving
from bench.stage import Stage
from bench.systems import SYSTEMS, Job
from bench.variants import Variant
from pop_stream.errors import WorkFailedError
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.group import group_of

_LOOK_SECONDS = 0.02
_SAMPLE_SECONDS = 1.0
_TELL_SECONDS = 10.0
#: A system that delivers nothing for so long has failed.
_PATIENCE_SECONDS = 60.0


class Trial:
    """A system that works, and what can be seen of it from outside."""

    def __init__(
        self,
        stage: Stage,
        receiver: Receiver,
        children: Sequence[Child],
        *,
        group: str,
        started_at: float,
    ) -> None:
        self.receiver = receiver
        self.children = children
        #: Epoch seconds: just before the first process was started.
        self.started_at = started_at
        #: Of the memory, about one a second while this waits.
        self.samples: list[Sample] = []
        self._stage = stage
        self._group = group
        self._sampled_at = 0.0

    def mark(self) -> Mark:
        """What is to be seen now."""
        at_seconds, delivered = time.monotonic(), self.receiver.count().delivered
        system = sum(tree_usage(each.pid).cpu_seconds for each in self.children)
        receiver = self.receiver.cpu_seconds
        broker = tree_usage(self._stage.broker_pid).cpu_seconds
        ours = system + receiver + broker + time.process_time()
        return Mark(
            at_seconds=at_seconds,
            delivered=delivered,
            system_cpu_seconds=system,
            receiver_cpu_seconds=receiver,
            broker_cpu_seconds=broker,
            other_cpu_seconds=machine_cpu_seconds() - ours,
        )

    def peak_rss_mb(self) -> float:
        """The most memory that was resident, from the start of the processes on."""
        return sum(tree_usage(each.pid).peak_rss_bytes for each in self.children) / 2**20

    def wait_for(self, events: int, *, most_seconds: float = float("inf")) -> bool:
        """Wait until so many events are delivered; False when the time was over before.

        Raises WorkFailedError when a process ends, or nothing is delivered any more.
        """
        begun_at = seen_at = told_at = time.monotonic()
        seen = 0
        while (delivered := self.receiver.count().delivered) < events:
            self.check()
            now = time.monotonic()
            if now - begun_at > most_seconds:
                return False
            if delivered > seen:
                seen, seen_at = delivered, now
            elif now - seen_at > _PATIENCE_SECONDS:
                raise self.failure(f"delivered {seen:,} of {events:,} events and no more")
            self._sample(now, delivered)
            if now - told_at > _TELL_SECONDS:
                told_at = now
                self._stage.say(f"  {delivered:,} of {events:,} delivered")
            time.sleep(_LOOK_SECONDS)
        return True

    def wait_for_members(self) -> None:
        """Wait until all workers share the partitions."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not asyncio.run(self._has_settled()):
            self.check()
            if time.monotonic() > deadline:
                raise self.failure("did not come together in one group")
            time.sleep(10 * _LOOK_SECONDS)

    def check(self) -> None:
        """Raise WorkFailedError when any process has ended."""
        for child in self.children:
            child.check()
        self.receiver.check()

    def failure(self, what: str) -> WorkFailedError:
        """Make the error that says what went wrong, with the last words of the system."""
        return self.children[0].failure(what)

    async def _has_settled(self) -> bool:
        async with connected_admin(self._stage.settings) as admin:
            group = await group_of(admin, self._group)
        return group.state == "Stable" and len(group.members) == len(self.children)

    def _sample(self, now: float, delivered: int) -> None:
        if now - self._sampled_at >= _SAMPLE_SECONDS:
            self._sampled_at = now
            rss = sum(tree_usage(each.pid).rss_bytes for each in self.children)
            self.samples.append(Sample(delivered, rss / 2**20))


@contextmanager
def trial(stage: Stage, variant: Variant, name: str, events_topic: str) -> Iterator[Trial]:
    """Run what the variant asks for, for the time of the block.

    The processes are as in real life: a receiver, and workers of one new group, which begin with
    the topic's first event.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pop-stream-bench-")))
        partitions = variant.topic.partitions
        others = stage.fresh_others(name, partitions) if variant.writes else stage.shared_others()
        stack.enter_context(on_cores(variant.cores, [stage.broker_pid]))
        receiver = stack.enter_context(receiving(variant.behaviour, folder=folder))
        more = others | dict(variant.settings)
        if receiver.ca is not None:
            more["gstv_ssl_cafile"] = str(receiver.ca)
        command = SYSTEMS[variant.system].command(
            Job(
                broker=stage.settings.kafka_bootstrap_servers,
                topic=events_topic,
                group=name,
                url=receiver.url,
                in_flight=variant.in_flight,
                settings={f"POP_STREAM_{key.upper()}": value for key, value in more.items()},
            )
        )
        names = [f"{variant.system}-{number + 1}" for number in range(variant.workers)]
        started_at = time.time()
        children = [stack.enter_context(running(each, command, folder=folder)) for each in names]
        yield Trial(stage, receiver, children, group=name, started_at=started_at)
