"""Sends records at once, without an outbox, until Kafka has confirmed each."""

import asyncio
from asyncio import Future
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Self, TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidMessageError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)
from aiokafka.structs import RecordMetadata

from pop_stream.errors import TopicsMissingError, WorkFailedError
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.connection import client_options
from pop_stream.player.sending.record import Record
from pop_stream.settings import Settings

_AT_ONCE: Final = 500
#: What the broker says of one record, and will say of it again.
_POISON: Final = (MessageSizeTooLargeError, InvalidMessageError)


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that the broker does not take for what it is."""

    record: Record
    why: str


Confirmed: TypeAlias = Sequence[tuple[Record, RecordMetadata]]


async def send_confirmed(
    settings: Settings,
    records: Iterable[Record],
    *,
    confirmed: Callable[[Confirmed], None],
) -> list[Refused]:
    """Send records to the players' topic; gives those that the broker refuses.

    `confirmed` is called with those that all replicas in sync have. Raises KafkaUnreachableError,
    TopicsMissingError, and WorkFailedError when Kafka confirms no more.
    """
    topic = settings.events_topic
    async with connected_admin(settings) as admin:
        # The producer would look for a missing topic for 40 s.
        (described,) = await admin.describe_topics([topic])
        if described["error_code"] == TopicAuthorizationFailedError.errno:
            raise _no_right(topic)
        if not described["partitions"]:
            raise TopicsMissingError(f"there is no topic {topic}: run `pop-stream topics ensure`")
    rest, refused, done = iter(records), [], 0
    async with _Sender(settings) as sender:
        while some := list(islice(rest, _AT_ONCE)):
            answers = await sender.answers(some)
            good = [(record, place) for record, place in answers
                    if isinstance(place, RecordMetadata)]  # fmt: skip
            done += len(good)
            confirmed(good)
            for record, answer in answers:
                if isinstance(answer, _POISON):
                    refused.append(Refused(record, str(answer) or type(answer).__name__))
                elif isinstance(answer, BaseException):
                    raise _failed(answer, topic, done) from answer
    return refused


class _Sender:
    """A producer, in the place of which another one comes when it has failed with anything.

    Of an idempotent producer Kafka takes nothing more on a partition where it has refused a batch:
    the numbers of the next ones do not follow.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._renew()

    async def answers(
        self, records: Sequence[Record]
    ) -> list[tuple[Record, RecordMetadata | BaseException]]:
        """What the broker said of each, in their order."""
        sent = [await self._sent(record) for record in records]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        if any(isinstance(answer, BaseException) for answer in answers):
            await self._renew()
        found: list[tuple[Record, RecordMetadata | BaseException]] = []
        is_over = False
        for record, answer in zip(records, answers, strict=True):
            if isinstance(answer, KafkaError) and not is_over:
                # A batch is refused as a whole: once more by itself, to see whether it is this one.
                again = await self._alone(record)
                # It would be so with each of the others, after a long time.
                is_over = isinstance(again, KafkaError) and not isinstance(again, _POISON)
                found.append((record, again))
            else:
                found.append((record, answer))
        return found

    async def _sent(self, record: Record) -> Future[RecordMetadata]:
        try:
            producer = await self._started()
            sent: Future[RecordMetadata] = await producer.send(
                self._settings.events_topic, record.value, key=record.key, headers=record.headers
            )
        except KafkaError as error:
            sent = asyncio.get_running_loop().create_future()
            sent.set_exception(error)
        return sent

    async def _alone(self, record: Record) -> RecordMetadata | BaseException:
        (answer,) = await asyncio.gather(await self._sent(record), return_exceptions=True)
        if isinstance(answer, BaseException):
            await self._renew()
        return answer

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **client_options(self._settings), acks="all", enable_idempotence=True
            )
            await producer.start()
            self._producer = producer
        return self._producer

    async def _renew(self) -> None:
        """Have another one next time."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()


def _failed(error: BaseException, topic: str, done: int) -> BaseException:
    if isinstance(error, TopicAuthorizationFailedError):
        return _no_right(topic)
    if isinstance(error, KafkaError):
        return WorkFailedError(
            f"Kafka confirmed {done:,} and then no more ({type(error).__name__}: {error})"
        )
    return error


def _no_right(topic: str) -> WorkFailedError:
    return WorkFailedError(f"no right to write to {topic}: this user needs Write on it")
