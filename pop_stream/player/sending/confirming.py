"""Sends records at once, without an outbox, until Kafka has confirmed each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from pop_stream.player.sending.broker import Broker
from pop_stream.player.sending.lot import Fate, Refused
from pop_stream.player.sending.record import Record
from pop_stream.settings import Settings

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A record that the broker does not take for what it is."""

    record: Record
    why: str


async def send_confirmed(
    settings: Settings,
    records: Iterable[Record],
    *,
    confirmed: Callable[[Sequence[Record]], None],
) -> list[NotTaken]:
    """Send records to the players' topic, in their order; gives those that the broker refuses.

    `confirmed` is called with those that all replicas in sync have. Raises KafkaUnreachableError,
    TopicsMissingError and WorkFailedError when Kafka confirms no more: it does not wait for the end
    of an outage, for which there is the outbox.
    """
    rest, refused, broker = iter(records), [], Broker(settings)
    try:
        while some := list(islice(rest, _AT_ONCE)):
            answers = list(zip(some, await broker.send(some), strict=True))
            confirmed([record for record, answer in answers if answer is Fate.CONFIRMED])
            refused += [NotTaken(record, answer.why) for record, answer in answers
                        if isinstance(answer, Refused)]  # fmt: skip
            if broker.trouble is not None:
                raise broker.trouble
    finally:
        await broker.disconnect()
    return refused
