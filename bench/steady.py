"""Sends events one by one, evenly, and notes when."""

import hashlib
import time
import uuid
from collections.abc import Iterable

from confluent_kafka import KafkaError, Message, Producer

from bench.backlog import pop_id_maker
from pop_stream.errors import WorkFailedError
from pop_stream.kafka.connection import librdkafka_options
from pop_stream.player.play_headers import play_headers
from pop_stream.player.simulation.plays import Play
from pop_stream.settings import Settings

_FLUSH_SECONDS = 30.0


class SteadySender:
    """Sends each event alone, as soon as it is there: nothing waits for others in the client.

    librdkafka sends from a thread of its own, so this one keeps its times.
    """

    def __init__(self, settings: Settings) -> None:
        more = {"acks": "all", "linger.ms": 0, "log_level": 0}
        self._producer = Producer(librdkafka_options(settings) | more)
        self._topic = settings.events_topic
        self._make_pop_id = pop_id_maker()
        self._boot_id = str(uuid.uuid4()).encode()
        self._error: KafkaError | None = None

    def send(self, plays: Iterable[Play], events_per_second: float) -> dict[str, float]:
        """Send all at that rate. When each was sent: epoch seconds, by the SHA-256 of its body.

        Raises WorkFailedError when Kafka does not take one.
        """
        sent_at: dict[str, float] = {}
        begun_at = time.monotonic()
        for number, play in enumerate(plays):
            ahead = begun_at + number / events_per_second - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            headers = play_headers(
                self._make_pop_id().encode(), play.seq, self._boot_id, play.times
            )
            body = hashlib.sha256(play.body).hexdigest()
            sent_at[body] = time.time()
            self._producer.produce(
                self._topic, play.body, play.key, headers=list(headers), on_delivery=self._note
            )
            self._producer.poll(0)
        left = self._producer.flush(_FLUSH_SECONDS)
        if left or self._error is not None:
            raise WorkFailedError(
                f"Kafka did not take {left or 'one'} of the events: {self._error}"
            )
        return sent_at

    def _note(self, error: KafkaError | None, _message: Message) -> None:
        self._error = error or self._error
