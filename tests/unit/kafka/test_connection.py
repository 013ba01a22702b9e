import ssl

import pytest
from pydantic import SecretStr

from pop_stream.kafka.connection import client_options
from pop_stream.settings import Settings


def test_plaintext_needs_addresses_only() -> None:
    """Addresses are given one by one; a port that is left out is Kafka's."""
    settings = Settings(kafka_bootstrap_servers="localhost,[::1]:9093")

    assert client_options(settings) == {
        "bootstrap_servers": ["localhost:9092", "[::1]:9093"],
        "security_protocol": "PLAINTEXT",
    }


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_sasl_gives_the_login(protocol: str) -> None:
    """The password reaches the client, and the mechanism is the one that is set."""
    settings = Settings.model_validate(
        {
            "kafka_security_protocol": protocol,
            "kafka_sasl_mechanism": "SCRAM-SHA-256",
            "kafka_sasl_username": "worker",
            "kafka_sasl_password": SecretStr("secret"),
        }
    )

    options = client_options(settings)

    assert options["sasl_mechanism"] == "SCRAM-SHA-256"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("worker", "secret")
    assert ("ssl_context" in options) == (protocol == "SASL_SSL")


def test_tls_checks_the_brokers_certificate_and_name() -> None:
    """There is no TLS without knowing whom one speaks to."""
    context = client_options(Settings(kafka_security_protocol="SSL"))["ssl_context"]

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
