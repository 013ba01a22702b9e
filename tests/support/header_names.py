"""Writes records whose header names are not UTF-8, as clients in other languages can."""

from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

_NO_PRODUCER = (-1, -1, -1)


class NameInBytes(str):
    """A header's name that goes to Kafka as these bytes. Only aiokafka's Python writer asks it."""

    __slots__ = ("_data",)

    def __new__(cls, data: bytes) -> Self:
        made = super().__new__(cls, repr(data))
        made._data = data
        return made

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:  # noqa: ARG002
        return self._data


async def produce_named(
    bootstrap_servers: str, topic: str, values: list[bytes], names: list[bytes]
) -> None:
    """Produce values in one batch to partition 0, each with a header of one of these names."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all") as producer:
        batch = producer.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, *_NO_PRODUCER, 1_000_000)
        for value, name in zip(values, names, strict=True):
            batch.append(key=None, value=value, timestamp=None, headers=[(NameInBytes(name), b"")])
        await (await producer.send_batch(batch, topic, partition=0))
