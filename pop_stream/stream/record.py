"""A record as aiokafka hands it out: key and value are bytes, or absent."""

from aiokafka.structs import ConsumerRecord

KafkaRecord = ConsumerRecord[bytes, bytes]
