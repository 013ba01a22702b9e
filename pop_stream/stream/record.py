"""A record as the transport fetches it: key and value are bytes, or absent."""

from pop_stream.kafka.stored_records import StoredRecord

KafkaRecord = StoredRecord
