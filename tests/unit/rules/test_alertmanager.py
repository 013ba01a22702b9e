"""Whom an alert is told, and beside which other it is not."""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from pop_stream.kafka.ports import free_ports
from tests.support.eventually import eventually
from tests.unit.rules.conftest import Alertmanager
from tests.unit.rules.files import ALERTS, ROOT

CONFIG = ROOT / "docker" / "alertmanager" / "alertmanager.yml"
RECEIVERS = {"critical": "pager", "warning": "tickets", "info": "chat"}
#: Told whether or not a worker lives.
BESIDE_NO_WORKERS = {
    "NoWorkers", "BacklogProbeBlind", "EventsLostToRetention", "RetentionDeadline", "TopicMissing",
    "RuleEvaluationFailing", "Watchdog",
}  # fmt: skip
CAUSES = {"PartnerUnavailable", "PartnerThrottling", "Saturated", "RetriesLate", "FallingBehind"}

Labels = dict[str, str]


def labels_of(alertname: str, severity: str, topic: str = "pop-events") -> Labels:
    """The labels of an alert."""
    return {"alertname": alertname, "severity": severity, "topic": topic, "service": "pop-stream"}


ALL = [labels_of(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS]


class Server:
    """An Alertmanager with the rules of the example, which tells nobody."""

    def __init__(self, address: str) -> None:
        self._address = address

    def _ask(self, path: str, body: object = None) -> bytes:
        request = urllib.request.Request(
            f"http://{self._address}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - http
            told: bytes = answer.read()
        return told

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            self._ask("/-/ready")
        except (urllib.error.URLError, ConnectionError):
            return False
        return True

    def told(self, alerts: Sequence[Labels], inhibited: int) -> list[Labels]:
        """Fire alerts; those that are told, once so many are not."""
        self._ask("/api/v2/alerts", [{"labels": labels} for labels in alerts])

        def look() -> list[Labels] | None:
            seen = json.loads(self._ask("/api/v2/alerts"))
            told = [each["labels"] for each in seen if not each["status"]["inhibitedBy"]]
            return told if len(seen) == len(alerts) and len(told) == len(seen) - inhibited else None

        found = eventually(look, f"{inhibited} of {len(alerts)} alerts inhibited")
        assert found is not None
        return found


@pytest.fixture
def server(alertmanager: Alertmanager, tmp_path: Path) -> Iterator[Server]:
    """A real one."""
    config = yaml.safe_load(CONFIG.read_text())
    config["receivers"] = [{"name": receiver["name"]} for receiver in config["receivers"]]
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_ports(1)[0]}"
    command = [
        alertmanager.server,
        f"--config.file={file}",
        f"--storage.path={tmp_path}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            started = Server(address)
            eventually(started.is_ready, "Alertmanager answers")
            yield started
        finally:
            process.terminate()
            process.wait(timeout=30)


def names(alerts: Sequence[Labels]) -> set[str]:
    """What the alerts are called."""
    return {alert["alertname"] for alert in alerts}


def test_alertmanager_takes_the_example(alertmanager: Alertmanager) -> None:
    """Its own tool finds nothing wrong."""
    ended = subprocess.run(
        [alertmanager.amtool, "check-config", CONFIG], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_example_holds_no_secret() -> None:
    """Receivers are placeholders: addresses of nobody, no user, no key."""
    receivers = yaml.safe_load(CONFIG.read_text())["receivers"]
    hooks = [hook for receiver in receivers for hook in receiver["webhook_configs"]]

    assert all(hook["url"].startswith("https://alerts.example.com/") for hook in hooks)
    assert {key for hook in hooks for key in hook} <= {"url", "send_resolved"}


@pytest.mark.parametrize(
    "labels", ALL, ids=lambda labels: f"{labels['alertname']} {labels['severity']}"
)
def test_an_alert_is_told_whom_its_severity_says(
    alertmanager: Alertmanager, labels: Labels
) -> None:
    """A pager wakes people, a ticket waits for the morning; the watchdog has an ear of its own."""
    receiver = "dead-man" if labels["alertname"] == "Watchdog" else RECEIVERS[labels["severity"]]
    ended = subprocess.run(
        [
            alertmanager.amtool, "config", "routes", "test", f"--config.file={CONFIG}",
            f"--verify.receivers={receiver}", *(f"{name}={text}" for name, text in labels.items()),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.strip() == receiver


def test_without_workers_only_what_is_not_their_doing_is_told(server: Server) -> None:
    """And what is lost or will be soon: it must never be silenced."""
    told = server.told(ALL, inhibited=len(ALL) - len(BESIDE_NO_WORKERS))

    assert names(told) == BESIDE_NO_WORKERS


def test_a_warning_is_not_told_beside_what_is_worse(server: Server) -> None:
    """Of the same topic: that another topic is worse says nothing."""
    alerts = [
        labels_of("OldestUndeliveredTooOld", "critical"),
        labels_of("OldestUndeliveredTooOld", "warning"),
        labels_of("OldestUndeliveredTooOld", "warning", topic="pop-events-retry"),
        labels_of("FailedEventsGrowing", "warning"),
    ]

    told = server.told(alerts, inhibited=1)

    assert alerts[1] not in told
    assert all(alert in told for alert in (alerts[0], *alerts[2:]))


def test_a_cause_is_not_told_beside_the_symptom_that_wakes_somebody(server: Server) -> None:
    """Delivery that fails for good, or events that wait for long."""
    symptom = labels_of("DeliveryBudgetBurn", "critical")
    alerts = [symptom, *(labels_of(cause, "warning") for cause in CAUSES)]

    assert server.told(alerts, inhibited=len(CAUSES)) == [symptom]


def test_a_cause_is_told_beside_a_symptom_that_wakes_nobody(server: Server) -> None:
    """A warning is no reason to be silent."""
    symptom = labels_of("OldestUndeliveredTooOld", "warning")
    alerts = [symptom, *(labels_of(cause, "info") for cause in CAUSES)]

    assert names(server.told(alerts, inhibited=0)) == {symptom["alertname"], *CAUSES}


def test_that_gstv_takes_nothing_is_not_told_beside_why(server: Server) -> None:
    """It refuses us: that is for us to mend."""
    cause = labels_of("PartnerAuthRejected", "critical")

    assert server.told([cause, labels_of("PartnerUnavailable", "info")], inhibited=1) == [cause]


def test_a_blind_watch_blames_nobody(server: Server) -> None:
    """That nothing moves in what it saw last is no news; how old that is may well be."""
    blamed = ["ConsumerStalled", "FallingBehind", "PartitionsUnassigned"]
    others = ["BacklogProbeBlind", "OldestUndeliveredTooOld"]
    alerts = [labels_of(name, "critical") for name in (*blamed, *others)]
    told = server.told(alerts, inhibited=len(blamed))

    assert names(told) == set(others)
