"""Whoever logs in to a real Kafka gets what is theirs; whoever cannot is told why."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pop_stream.kafka.topics import ensure
from pop_stream.settings import TOPICS, Settings
from tests.support.authority import Authority
from tests.support.command import run_here
from tests.support.eventually import eventually
from tests.support.issuer import CLIENT, SECRET, Issuer, issuer
from tests.support.kafka import fresh_settings
from tests.support.plays import events, pop_id_of
from tests.support.secured_kafka import SecuredKafka, secured_kafka
from tests.support.trial import Trial

pytestmark = pytest.mark.kafka

LOGINS = ("password", "plain certificate", "token", "token of a file")
Environ = dict[str, str]


@pytest.fixture(scope="module")
def tokens() -> Iterator[Issuer]:
    """Run an issuer of tokens."""
    with issuer() as made:
        yield made


@pytest.fixture(scope="module")
def secured(tokens: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """Run a Kafka where the user `forwarder` may do everything, however it logs in."""
    folder = tmp_path_factory.mktemp("secured")
    with secured_kafka(folder, jwks_url=tokens.jwks_url) as kafka:
        kafka.allow_everything(CLIENT)
        yield kafka


@pytest.fixture
def topics(secured: SecuredKafka) -> Settings:
    """Settings of whoever may do everything, with topics of their own."""
    settings = fresh_settings(secured.plain_servers)
    asyncio.run(ensure(settings, partitions=4, replication=1))
    return settings


@pytest.fixture
def logins(secured: SecuredKafka, tokens: Issuer, tmp_path: Path) -> dict[str, Environ]:
    """Give the settings of each way to log in, by name."""
    secured.set_password(CLIENT, "first")
    cafile = str(secured.authority.cafile)
    certificate = secured.authority.certificate(common_name=CLIENT, file="forwarder.pem")
    files = {"password": "first\n", "secret": SECRET, "token": tokens.token()}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    sasl = {
        "kafka_bootstrap_servers": secured.sasl_servers,
        "kafka_security_protocol": "SASL_SSL",
        "kafka_ssl_cafile": cafile,
    }
    by_token = sasl | {"kafka_sasl_mechanism": "OAUTHBEARER"}
    return {
        "password": sasl
        | {
            "kafka_sasl_username": CLIENT,
            "kafka_sasl_password_file": str(tmp_path / "password"),
        },
        "plain certificate": {
            "kafka_bootstrap_servers": secured.tls_servers,
            "kafka_security_protocol": "SSL",
            "kafka_ssl_cafile": cafile,
            "kafka_ssl_certfile": str(certificate),
        },
        "token": by_token
        | {
            "kafka_oauth_url": tokens.token_url,
            "kafka_oauth_client_id": CLIENT,
            "kafka_oauth_client_secret_file": str(tmp_path / "secret"),
        },
        "token of a file": by_token | {"kafka_oauth_token_file": str(tmp_path / "token")},
    }


def command(topics: Settings, login: Environ, *arguments: str) -> tuple[int, str, str]:
    """Run a command that is logged in; its exit code, and what it says."""
    values = topics.model_dump(include={"group", *TOPICS}) | login
    environ = {f"POP_STREAM_{name.upper()}": str(value) for name, value in values.items()}
    done = run_here([*arguments], environ)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("login", LOGINS)
def test_a_worker_that_is_logged_in_delivers(
    topics: Settings, logins: dict[str, Environ], tmp_path: Path, login: str
) -> None:
    """By password, certificate or token: all that the players wrote arrives."""
    trial = Trial(topics, tmp_path)
    trial.send(events(200))
    with trial.gstv() as gstv, trial.worker(gstv.url, **logins[login]):
        account = trial.settle()
    account.assert_nothing_lost()


@pytest.mark.parametrize("login", LOGINS)
def test_commands_log_in_through_both_clients(
    topics: Settings, logins: dict[str, Environ], tmp_path: Path, login: str
) -> None:
    """A search reads by librdkafka, `explain` by aiokafka: both know each way to log in."""
    trial = Trial(topics, tmp_path)
    sent = events(3)
    trial.send(sent)
    code, found, said = command(topics, logins[login], "events", "search", "--json")

    assert (code, found.count("\n")) == (0, 3), said
    code, told, said = command(topics, logins[login], "explain", pop_id_of(sent[0]))
    assert code == 0, said
    assert topics.events_topic in told


def test_a_worker_goes_on_with_a_renewed_password(
    topics: Settings, logins: dict[str, Environ], secured: SecuredKafka, tmp_path: Path
) -> None:
    """The password is changed in Kafka and in its file, and every connection is made anew."""
    trial = Trial(topics, tmp_path)
    trial.send(events(20))
    with trial.gstv() as gstv, trial.worker(gstv.url, **logins["password"]):
        eventually(lambda: trial.delivered == 20, "the first events are delivered")
        secured.set_password(CLIENT, "second")
        (tmp_path / "password").write_text("second")
        secured.restart()
        trial.send(events(20, first=20))
        account = trial.settle()
    account.assert_nothing_lost()


def test_a_worker_goes_on_with_a_renewed_certificate(
    topics: Settings, logins: dict[str, Environ], secured: SecuredKafka, tmp_path: Path
) -> None:
    """Its file is replaced while it works; the old certificate is of no use any more."""
    other = Authority(tmp_path, "other")
    trusted = secured.kafka.brokers[0].log_path.parent / "authorities.pem"
    before = trusted.read_bytes()
    trial = Trial(topics, tmp_path)
    trial.send(events(20))
    with trial.gstv() as gstv, trial.worker(gstv.url, **logins["plain certificate"]):
        eventually(lambda: trial.delivered == 20, "the first events are delivered")
        trusted.write_bytes(other.cafile.read_bytes())
        renewed = other.certificate(common_name=CLIENT, file="renewed.pem")
        renewed.rename(logins["plain certificate"]["kafka_ssl_certfile"])
        secured.restart()
        trial.send(events(20, first=20))
        try:
            account = trial.settle()
        finally:
            trusted.write_bytes(before)
            secured.restart()
    account.assert_nothing_lost()


def test_a_worker_goes_on_when_its_tokens_end(
    topics: Settings,
    logins: dict[str, Environ],
    tokens: Issuer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Kafka ends each connection with its token; the next one has a new token."""
    monkeypatch.setattr(tokens, "life_seconds", 3.0)
    asked = len(tokens.asked)
    trial = Trial(topics, tmp_path)
    trial.send(events(20))
    with trial.gstv() as gstv, trial.worker(gstv.url, **logins["token"]):
        eventually(lambda: trial.delivered == 20, "the first events are delivered")
        eventually(lambda: len(tokens.asked) > asked + 3, "tokens have ended, and been renewed")
        trial.send(events(20, first=20))
        account = trial.settle()
    account.assert_nothing_lost()


@pytest.mark.parametrize(
    ("login", "wrong", "why"),
    [
        ("password", {"kafka_sasl_password_file": "wrong"}, "invalid credentials"),
        ("password", {"kafka_ssl_cafile": "other.pem"}, "certificate verify failed"),
        ("password", {"kafka_bootstrap_servers": "localhost"}, "doesn't match|mismatch"),
        ("plain certificate", {"kafka_ssl_certfile": "stranger.pem"}, "closed|alert|answer"),
        ("token", {"kafka_oauth_client_id": "nobody"}, r"answered 401 \(invalid_client\)"),
        (
            "token of a file",
            {"kafka_oauth_token_file": "wrong"},
            "invalid_token",
        ),
    ],
)
def test_who_cannot_log_in_is_told_why(
    *,
    topics: Settings,
    logins: dict[str, Environ],
    secured: SecuredKafka,
    tokens: Issuer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    login: str,
    wrong: Environ,
    why: str,
) -> None:
    """Exit code 3, one message without a traceback, and no secret in it."""
    (tmp_path / "wrong").write_text("canary-secret")
    other = Authority(tmp_path, "other")
    other.certificate(common_name=CLIENT, file="stranger.pem")
    if "nobody" in wrong.values():
        refusal = (401, {}, b'{"error": "invalid_client", "x": "canary-secret"}')
        monkeypatch.setattr(tokens, "answer", lambda: refusal)
    place = {"localhost": secured.sasl_servers.replace("127.0.0.1", "localhost")}
    values = {
        name: place.get(value, value if value == "nobody" else str(tmp_path / value))
        for name, value in wrong.items()
    }
    code, _, said = command(topics, logins[login] | values, "topics", "check")

    assert code == 3, said
    assert re.search(why, said), said
    assert "Traceback" not in said
    assert "canary-secret" not in said
