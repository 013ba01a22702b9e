from pathlib import Path

import pytest

from tests.unit.settings.certificates import CERTIFICATE, ENCRYPTED_KEY, KEY, OTHER_KEY, Pem
from tests.unit.settings.problems import problems_of

SASL_SSL = {
    "kafka_security_protocol": "SASL_SSL",
    "kafka_sasl_username": "worker",
    "kafka_sasl_password": "tulip",
}
FAR = {"kafka_bootstrap_servers": "127.0.0.1:9092,kafka.example:9092"}


def _problems(**given: object) -> list[str]:
    return problems_of(given)


def _blamed(**given: object) -> list[str]:
    return [problem.split()[0] for problem in _problems(**given)]


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT"])
def test_kafka_beyond_this_machine_needs_tls(protocol: str) -> None:
    """One server elsewhere is enough, and whoever insists may."""
    given = {**SASL_SSL, **FAR} if protocol.startswith("SASL") else FAR
    given = {**given, "kafka_security_protocol": protocol}

    assert _blamed(**given) == ["--kafka-security-protocol"]
    assert _problems(**given, kafka_allow_plaintext=True) == []
    assert _problems(**{**given, "kafka_bootstrap_servers": "localhost:1,[::1]:2"}) == []


def test_kafka_beyond_this_machine_is_fine_with_tls() -> None:
    """TLS needs no permission."""
    assert _problems(**FAR, kafka_security_protocol="SSL") == []
    assert _problems(**FAR, **SASL_SSL) == []


@pytest.mark.parametrize("name", ["gstv_url", "notification_url"])
def test_gstv_beyond_this_machine_needs_tls(name: str) -> None:
    """Https needs no permission, and http on this machine neither."""
    flag = "--" + name.replace("_", "-")

    assert _blamed(**{name: "http://gstv.example/"}) == [flag]
    assert _blamed(**{name: "http://127.0.0.1.example/"}) == [flag]
    assert _problems(**{name: "http://gstv.example/"}, gstv_allow_plaintext=True) == []
    assert _problems(**{name: "http://127.0.0.1:8080/"}) == []
    assert _problems(**{name: "https://gstv.example/"}) == []


def test_sasl_needs_a_user_and_a_password() -> None:
    """Each is missed by its variable's name."""
    assert _blamed(kafka_security_protocol="SASL_SSL") == [
        "POP_STREAM_KAFKA_SASL_USERNAME",
        "POP_STREAM_KAFKA_SASL_PASSWORD",
    ]


def test_a_password_that_would_not_be_used_is_a_mistake() -> None:
    """Whoever gives a password believes that there is a login."""
    given = {**SASL_SSL, "kafka_security_protocol": "SSL"}

    assert _blamed(**given) == ["--kafka-sasl-username", "--kafka-sasl-password"]


def test_certificates_that_would_not_be_used_are_a_mistake(pem: Pem) -> None:
    """Whoever gives a certificate believes that there is TLS."""
    assert _blamed(kafka_ssl_cafile=pem("ca", CERTIFICATE)) == ["--kafka-ssl-cafile"]


@pytest.mark.parametrize("name", ["kafka_ssl_cafile", "gstv_ssl_cafile"])
def test_a_ca_file_holds_certificates(name: str, pem: Pem, tmp_path: Path) -> None:
    """No file, a folder, and a file of something else are told apart."""
    given = {"kafka_security_protocol": "SSL"}

    assert _problems(**given, **{name: pem("ca", CERTIFICATE)}) == []
    for path, why in [
        (str(tmp_path / "none"), "No such file"),
        (str(tmp_path), "Is a directory"),
        (pem("key", KEY), "holds no certificate"),
        (pem("empty", ""), "holds no certificate"),
    ]:
        (problem,) = _problems(**given, **{name: path})
        assert why in problem
        assert path in problem


def test_our_certificate_comes_with_its_key(pem: Pem) -> None:
    """The key may be in a file of its own or with the certificate."""
    given = {"kafka_security_protocol": "SSL"}
    certificate, key = pem("certificate", CERTIFICATE), pem("key", KEY)
    both = pem("both", CERTIFICATE + KEY)

    assert _problems(**given, kafka_ssl_certfile=certificate, kafka_ssl_keyfile=key) == []
    assert _problems(**given, kafka_ssl_certfile=both) == []
    assert _blamed(**given, kafka_ssl_certfile=certificate) == ["--kafka-ssl-certfile"]
    assert _blamed(**given, kafka_ssl_keyfile=key) == ["--kafka-ssl-keyfile"]


@pytest.mark.parametrize("key", [OTHER_KEY, ENCRYPTED_KEY, CERTIFICATE, ""])
def test_a_key_that_does_not_fit_is_a_mistake(key: str, pem: Pem) -> None:
    """Nobody is asked for a password on the terminal."""
    blamed = _blamed(
        kafka_security_protocol="SSL",
        kafka_ssl_certfile=pem("certificate", CERTIFICATE),
        kafka_ssl_keyfile=pem("key", key),
    )

    assert blamed == ["--kafka-ssl-certfile"]


def test_files_that_cannot_be_read_are_each_named(tmp_path: Path) -> None:
    """Both the certificate's and the key's."""
    blamed = _blamed(
        kafka_security_protocol="SSL",
        kafka_ssl_certfile=str(tmp_path / "a"),
        kafka_ssl_keyfile=str(tmp_path / "b"),
    )

    assert blamed == ["--kafka-ssl-certfile", "--kafka-ssl-keyfile"]


def test_topics_differ() -> None:
    """The same topic for two things would go round in circles."""
    assert _blamed(retry_topic="pop-events") == ["--retry-topic"]
    assert _blamed(events_topic="a", retry_topic="a", failure_topic="a") == [
        "--retry-topic",
        "--failure-topic",
    ]
    # Kafka refuses to have both.
    assert _blamed(events_topic="pop.events", receipts_topic="pop_events") == ["--receipts-topic"]


def test_what_is_held_has_room_for_what_is_under_way() -> None:
    """A worker that could never take an event would stand still."""
    assert _blamed(max_held_events=10) == ["--max-held-events"]
    assert _problems(max_held_events=10, gstv_max_in_flight=10) == []
    assert _blamed(max_held_bytes=2048) == ["--max-held-bytes"]
    assert _problems(max_held_bytes=2048, max_event_bytes=2048) == []


def test_a_slow_answer_is_no_standstill() -> None:
    """The watchdog is more patient than an attempt."""
    assert _blamed(gstv_timeout_seconds=120) == ["POP_STREAM_PROGRESS_TIMEOUT_SECONDS"]
    assert _problems(gstv_timeout_seconds=120, progress_timeout_seconds=121) == []


BY_TOKEN = {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "OAUTHBEARER"}
ASKED_FOR = {
    "kafka_oauth_url": "https://login.example/token",
    "kafka_oauth_client_id": "worker",
    "kafka_oauth_client_secret": "tulip",
}


@pytest.mark.parametrize("way", [ASKED_FOR, {"kafka_oauth_token": "tulip"}])
def test_a_token_is_asked_for_or_given(way: dict[str, str]) -> None:
    """Either will do, with the scope where it is asked for; both or neither will not."""
    assert _problems(**BY_TOKEN, **way) == []
    assert _problems(**BY_TOKEN, **ASKED_FOR, kafka_oauth_scope="pop") == []
    assert _blamed(**BY_TOKEN) == ["POP_STREAM_KAFKA_OAUTH_URL"]
    assert _blamed(**BY_TOKEN, **ASKED_FOR, kafka_oauth_token="tulip") == ["--kafka-oauth-url"]


@pytest.mark.parametrize("name", ["kafka_oauth_client_id", "kafka_oauth_client_secret"])
def test_who_asks_for_a_token_says_who_he_is(name: str) -> None:
    """An id alone, or a secret alone, gets none."""
    given = {key: value for key, value in ASKED_FOR.items() if key != name}

    assert _blamed(**BY_TOKEN, **given) == [f"POP_STREAM_{name.upper()}"]


def test_what_a_login_does_not_use_is_refused() -> None:
    """A password beside a token, a token beside a password, and either without a login."""
    token = {"kafka_oauth_token": "tulip"}
    assert len(_problems(**BY_TOKEN, **token, kafka_sasl_password="tulip")) == 1
    assert len(_problems(**SASL_SSL, **token)) == 1
    assert len(_problems(**token)) == 1
    assert len(_problems(**BY_TOKEN, **token, kafka_oauth_scope="pop")) == 1


def test_a_secret_for_a_token_goes_nowhere_in_the_clear() -> None:
    """An issuer by http is one of this machine, unless somebody insists."""
    far = {**BY_TOKEN, **ASKED_FOR, "kafka_oauth_url": "http://login.example/token"}

    assert "without TLS" in _problems(**far)[0]
    assert _problems(**far, kafka_allow_plaintext=True) == []
    assert _problems(**(far | {"kafka_oauth_url": "http://127.0.0.1:1/token"})) == []
