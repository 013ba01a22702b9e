"""What the redrives have committed: up to where each has sent parked events back."""

from aiokafka.admin import AIOKafkaAdminClient

from pop_stream.kafka.group import committed_by
from pop_stream.pop.redrive import REDRIVABLE, Passed, RedriveSchedule, redrive_group
from pop_stream.settings import Settings
from pop_stream.settings.values import parse_waits


def all_steps(settings: Settings) -> RedriveSchedule:
    """Every step that may have committed.

    Those of reasons, too, that are not redriven any more: what was sent back waits no more.
    """
    return RedriveSchedule(parse_waits(settings.auto_redrive), REDRIVABLE)


async def passed_by(admin: AIOKafkaAdminClient, settings: Settings) -> Passed:
    """Up to where each of `all_steps` has come. Raises what `committed_by` does."""
    return {
        (step, place.partition): offset
        for step in all_steps(settings).steps
        for place, offset in (
            await committed_by(admin, redrive_group(settings.group, step))
        ).items()
        if place.topic == settings.failure_topic
    }
