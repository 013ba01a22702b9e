"""What is said of a demo that goes on running: where everything is, and how to look at it."""

import json
from collections.abc import Iterator
from pathlib import Path

from pop_stream.demo.system import System
from pop_stream.settings import SETTINGS, Settings
from pop_stream.settings.catalogue import as_text

_LISTENS = "metrics.listening"


def told_of_kept(system: System, kafka: Settings) -> Iterator[str]:
    """Give the lines."""
    servers, url = kafka.kafka_bootstrap_servers, system.partner_url
    port = _metrics_port(system.worker.log)
    yield "Everything goes on running. Ctrl-C ends it."
    yield f"  Kafka       {servers}"
    yield f"  GSTV        {url}, its figures: curl {url}/__mock__/stats"
    yield f"  ledgers     {system.partner_ledger}, {system.players_ledger}"
    yield f"  worker      its log: {system.worker.log}"
    if port is not None:
        yield f"              its page: http://127.0.0.1:{port}/"
    yield f"  more plays  pop-stream player simulate --kafka-bootstrap-servers {servers}"
    yield f"              --events-topic {kafka.events_topic} --events 1000 --rate 100"
    yield "  commands    in another terminal, after these lines:"
    for assigned in (*_reach(kafka), *([] if port is None else [f"METRICS_PORT={port}"])):
        yield f"              export POP_STREAM_{assigned}"


def _reach(kafka: Settings) -> Iterator[str]:
    """What leads a command to the run's Kafka and topics. A secret is not shown."""
    for name in SETTINGS:
        value = getattr(kafka, name)
        if name in kafka.model_fields_set and value is not None and not SETTINGS[name].secret:
            yield f"{name.upper()}={as_text(value)}"


def _metrics_port(log: Path) -> int | None:
    """The port that the worker has found free, as its log tells it."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if _LISTENS in line:
            try:
                port = json.loads(line)["port"]
            except (ValueError, KeyError, TypeError):
                continue
            return int(port)
    return None
