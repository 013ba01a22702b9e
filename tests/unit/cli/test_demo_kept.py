import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pydantic import SecretStr

from pop_stream.cli.demo_kept import told_of_kept
from pop_stream.settings import Settings


def _told(tmp_path: Path, log: str, **given: Any) -> list[str]:
    worker = tmp_path / "worker.log"
    worker.write_text(log)
    system: Any = SimpleNamespace(
        partner_url="http://127.0.0.1:4",
        partner_ledger=tmp_path / "partner.ndjson",
        players_ledger=tmp_path / "players.ndjson",
        worker=SimpleNamespace(log=worker),
    )
    return list(told_of_kept(system, Settings().model_copy(update=given)))


def test_the_lines_of_a_kept_demo_lead_other_commands_to_it(tmp_path: Path) -> None:
    """Its Kafka, its topics where they have other names, and the port that the worker found."""
    log = 'no json\n{"metrics.listening"}\n' + json.dumps(
        {"event": "metrics.listening", "host": "127.0.0.1", "port": 4711}
    )

    told = _told(
        tmp_path, log, kafka_bootstrap_servers="127.0.0.1:5", events_topic="pop-demo-1-pop-events"
    )

    assert [line.split()[1] for line in told if " export " in line] == [
        "POP_STREAM_KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:5",
        "POP_STREAM_EVENTS_TOPIC=pop-demo-1-pop-events",
        "POP_STREAM_METRICS_PORT=4711",
    ]
    assert "              its page: http://127.0.0.1:4711/" in told


def test_the_lines_of_a_kept_demo_show_no_secret(tmp_path: Path) -> None:
    """Not even one that the commands would need."""
    told = _told(tmp_path, "", kafka_sasl_username="me", kafka_sasl_password=SecretStr("hush-hush"))

    assert "hush-hush" not in "\n".join(told)
    assert "              export POP_STREAM_KAFKA_SASL_USERNAME=me" in told
    assert not any("METRICS_PORT" in line for line in told)
