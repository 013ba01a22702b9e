"""The players of a run: they mean events, send them, and write down what the broker confirmed.

They use another client than the worker (librdkafka), straight to the brokers: what is on trial is
the way from the topic on. An event that is not confirmed is sent again under its id, as an outbox
does, until it is.
"""

import hashlib
import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import KafkaException, Producer

from faults.evidence import Acked, Produced, line_of
from pop_stream.pop.identity import PopIdMaker

#: Records that no player of ours would send: each is parked at once, byte for byte.
_NO_EVENTS = (b"", b"null", b"[1]", b"{", b"\xff\xfe", b'{"siteId": 7}', b'{"a":' * 40)


class Players:
    """Send events at a rate from a thread of their own, until they are told to stop."""

    def __init__(
        self, servers: str, topic: str, folder: Path, *, screens: int, bad_share: float, seed: int
    ) -> None:
        self._topic = topic
        self._screens = screens
        self._bad_share = bad_share
        self._random = random.Random(seed)  # noqa: S311 - repeatable
        self._new_id = PopIdMaker(lambda: time.time_ns() // 1_000_000, self._random.getrandbits)
        self._seqs: Counter[str] = Counter()
        self._produced = (folder / "produced.ndjson").open("w", encoding="utf-8")
        self._acked = (folder / "acked.ndjson").open("w", encoding="utf-8")
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 5,
                # Without end: an outbox gives up nothing.
                "message.timeout.ms": 0,
                "log_level": 2,
            }
        )
        #: How many events the broker has confirmed.
        self.acked = 0
        #: How many were meant.
        self.produced = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, *, events_per_second: float) -> None:
        """Begin to send."""
        self._thread = threading.Thread(
            target=self._run, args=(events_per_second,), name="players", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Send no more; what is on its way is confirmed by `finish`."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def send(self, count: int) -> None:
        """Send so many at once, from this thread: not while `start` runs."""
        for _ in range(count):
            self._send_one()

    def finish(self, *, within_seconds: float) -> bool:
        """Wait until all is confirmed; whether it is."""
        left = self._producer.flush(within_seconds)
        self._produced.flush()
        self._acked.flush()
        return left == 0

    def close(self) -> None:
        """Close the ledgers."""
        self._produced.close()
        self._acked.close()

    def _run(self, events_per_second: float) -> None:
        began, sent = time.monotonic(), 0
        while not self._stop.is_set():
            due = int((time.monotonic() - began) * events_per_second)
            for _ in range(due - sent):
                self._send_one()
            sent = due
            self._producer.poll(0)
            self._produced.flush()
            self._stop.wait(0.02)

    def _send_one(self) -> None:
        screen = self._random.randrange(self._screens)
        key = f"site-{screen // 4}/{screen % 4}"
        is_bad = self._random.random() < self._bad_share
        value = self._random.choice(_NO_EVENTS) if is_bad else play_of(screen, self._seqs[key])
        event = Produced(
            id=self._new_id(),
            key=key,
            seq=self._seqs[key],
            sha256=hashlib.sha256(value).hexdigest(),
            at=time.time(),
        )
        self._seqs[key] += 1
        self._produced.write(line_of(event))
        self.produced += 1
        self._hand_over(event.id, key, value)

    def _hand_over(self, pop_id: str, key: str, value: bytes) -> None:
        def confirmed(error: Any, message: Any) -> None:
            if error is not None:
                self._hand_over(pop_id, key, value)
                return
            acked = Acked(
                id=pop_id, partition=message.partition(), offset=message.offset(), at=time.time()
            )
            self._acked.write(line_of(acked))
            self.acked += 1

        while True:
            try:
                self._producer.produce(
                    self._topic,
                    value,
                    key=key,
                    headers=[("pop-id", pop_id.encode())],
                    on_delivery=confirmed,
                )
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                raise RuntimeError(f"the players cannot send: {error}") from error
            else:
                return


def play_of(screen: int, seq: int) -> bytes:
    """A play of a screen: every other one as nearly all are, and the rest with more in it.

    The worker forwards the first kind without parsing, and must not fail at either.
    """
    begin = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(1_795_000_000 + seq * 15))
    end = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(1_795_000_015 + seq * 15))
    members: dict[str, object] = {
        "filename": f"GSTV-{seq % 97:04}.webm",
        "assetId": f"asset-{seq % 31}",
        "startTimestamp": begin,
        "endTimestamp": end,
        "siteId": f"site-{screen // 4}",
        "screenId": str(screen % 4),
    }
    return orjson.dumps(members if seq % 2 else {**members, "seq": seq, "ratio": 1.10})
