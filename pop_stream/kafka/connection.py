"""From settings to what clients need to know to reach Kafka."""

from typing import Any

from pop_stream.access.tls import client_ssl_context
from pop_stream.kafka.tokens import TokenProvider, for_librdkafka, hear_refusals, tokens_of
from pop_stream.settings import Settings, parse_bootstrap_servers


def bootstrap_servers(settings: Settings) -> list[str]:
    """Give the brokers to ask first, each as host:port."""
    return [
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        for host, port in parse_bootstrap_servers(settings.kafka_bootstrap_servers)
    ]


def client_options(settings: Settings) -> dict[str, Any]:
    """Give the keyword arguments that every client of aiokafka takes.

    Reads the certificate files; `load_settings` has made sure that they can be read, and that
    nothing goes beyond this machine in the clear unless that is allowed.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": bootstrap_servers(settings),
        "security_protocol": settings.kafka_security_protocol,
    }
    if "SSL" in settings.kafka_security_protocol:
        options["ssl_context"] = client_ssl_context(
            settings.kafka_ssl_cafile, settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile
        )
    if settings.kafka_security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        if settings.kafka_sasl_mechanism == "OAUTHBEARER":
            hear_refusals()
            options["sasl_oauth_token_provider"] = TokenProvider(tokens_of(settings))
        else:
            password = settings.kafka_sasl_password
            options["sasl_plain_username"] = settings.kafka_sasl_username
            options["sasl_plain_password"] = password.get_secret_value() if password else None
    return options


def librdkafka_options(settings: Settings) -> dict[str, Any]:
    """Give what every client of librdkafka takes: the same, under its names."""
    options: dict[str, Any] = {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "security.protocol": settings.kafka_security_protocol,
    }
    if "SSL" in settings.kafka_security_protocol:
        options["ssl.endpoint.identification.algorithm"] = "https"
        given = {
            "ssl.ca.location": settings.kafka_ssl_cafile,
            "ssl.certificate.location": settings.kafka_ssl_certfile,
            # By itself it does not look for the key in the certificate's file.
            "ssl.key.location": settings.kafka_ssl_keyfile or settings.kafka_ssl_certfile,
        }
        options |= {name: str(path) for name, path in given.items() if path}
    if settings.kafka_security_protocol.startswith("SASL"):
        options["sasl.mechanism"] = settings.kafka_sasl_mechanism
        if settings.kafka_sasl_mechanism == "OAUTHBEARER":
            options["oauth_cb"] = for_librdkafka(tokens_of(settings))
        else:
            password = settings.kafka_sasl_password
            options["sasl.username"] = settings.kafka_sasl_username
            options["sasl.password"] = password.get_secret_value() if password else ""
    return options
