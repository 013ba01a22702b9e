"""What the groups have committed: of each record, whether it is done.

A worker commits only what has a durable outcome, and notes beside the commit what is done beyond it
(`pop/done_map.py`).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.group import commits_by
from pop_stream.kafka.redrives import all_steps, passed_by
from pop_stream.pop.done_map import decode_done
from pop_stream.pop.redrive import Passed, RedriveSchedule, has_passed
from pop_stream.pop.trail import Headers
from pop_stream.settings import Settings
from pop_stream.settings.values import parse_waits


@dataclass(frozen=True, slots=True)
class Done:
    """Which records of one partition are done."""

    #: Everything below; None: the group has never committed there.
    committed: int | None = None
    beyond: frozenset[int] = frozenset()

    def has(self, offset: int) -> bool:
        """Whether what stands there has a durable outcome, as the group says."""
        return (self.committed is not None and offset < self.committed) or offset in self.beyond


_NOTHING = Done()
_NO_SCHEDULE = RedriveSchedule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """What the workers and their redrives have committed at one moment."""

    group: str
    failure_topic: str
    #: By topic and partition.
    done: Mapping[tuple[str, int], Done] = field(default_factory=dict)
    redriven: Passed = field(default_factory=dict)
    #: Every step whose commits may be there: those, too, that are not configured any more.
    steps: RedriveSchedule = _NO_SCHEDULE
    #: What will be redriven.
    schedule: RedriveSchedule = _NO_SCHEDULE

    def of(self, topic: str, partition: int) -> Done:
        """What is done of a partition."""
        return self.done.get((topic, partition), _NOTHING)

    def was_sent_back(self, headers: Headers, partition: int, offset: int) -> bool:
        """Whether the step of a parked event has passed its record on the failure topic.

        It passes over what is settled, too.
        """
        return has_passed(self.redriven, self.steps.step_of(headers), partition, offset)


def read_commits(settings: Settings) -> Commits:
    """Look at all commits. Joins no group.

    What is committed by then has left all that it will ever leave on other topics: so the commits
    are to be read first, and those topics after them. Raises KafkaUnreachableError, and
    WorkFailedError when Kafka refuses.
    """
    return asyncio.run(_read(settings))


async def _read(settings: Settings) -> Commits:
    async with connected_admin(settings) as admin:
        # The redrives first: what they sent back, workers may have done since.
        redriven = await passed_by(admin, settings)
        mine = await commits_by(admin, settings.group)
    return Commits(
        group=settings.group,
        failure_topic=settings.failure_topic,
        done={
            (place.topic, place.partition): Done(
                commit.offset, decode_done(commit.offset, commit.metadata or "")
            )
            for place, commit in mine.items()
        },
        redriven=redriven,
        steps=all_steps(settings),
        schedule=RedriveSchedule(
            parse_waits(settings.auto_redrive), frozenset(settings.auto_redrive_reasons)
        ),
    )
