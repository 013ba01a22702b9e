"""Rules of what leads to Kafka: what is missing, what would not be used, what is not safe."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from pop_stream.settings.model import Settings
from pop_stream.settings.rules import Blame, Rule, authorities, own_certificate
from pop_stream.settings.values import is_loopback, parse_bootstrap_servers

_BY_PASSWORD = ("kafka_sasl_username", "kafka_sasl_password")
#: What only the issuer of tokens is told, or needs to be told to.
_FOR_ISSUER = (
    "kafka_oauth_client_id",
    "kafka_oauth_client_secret",
    "kafka_oauth_scope",
    "kafka_oauth_ssl_cafile",
)
_BY_TOKEN = ("kafka_oauth_url", "kafka_oauth_token", *_FOR_ISSUER)


def _kafka_in_the_clear(settings: Settings) -> Iterator[Blame]:
    if "SSL" in settings.kafka_security_protocol or settings.kafka_allow_plaintext:
        return
    for host, _ in parse_bootstrap_servers(settings.kafka_bootstrap_servers):
        if not is_loopback(host):
            yield Blame(
                "kafka_security_protocol",
                f"would speak to {host} without TLS: set it to SASL_SSL or SSL, "
                "or POP_STREAM_KAFKA_ALLOW_PLAINTEXT to true",
            )
            return


def _sasl(settings: Settings) -> Iterator[Blame]:
    protocol, mechanism = settings.kafka_security_protocol, settings.kafka_sasl_mechanism
    sasl = protocol.startswith("SASL")
    by_token = mechanism == "OAUTHBEARER"
    for name in _BY_PASSWORD:
        given = getattr(settings, name) is not None
        if sasl and not by_token and not given:
            yield Blame(name, f"must be set for {protocol} with {mechanism}")
        if given and sasl and by_token:
            yield Blame(name, "would not be used with OAUTHBEARER: drop it")
    for name in _BY_TOKEN:
        if sasl and not by_token and getattr(settings, name) is not None:
            yield Blame(
                name,
                "would not be used: set POP_STREAM_KAFKA_SASL_MECHANISM to OAUTHBEARER, or drop it",
            )
    for name in (*_BY_PASSWORD, *_BY_TOKEN):
        if getattr(settings, name) is not None and not sasl:
            yield Blame(
                name,
                "would not be used: set POP_STREAM_KAFKA_SECURITY_PROTOCOL to SASL_SSL, or drop it",
            )
    if sasl and by_token:
        yield from _token(settings)


def _token(settings: Settings) -> Iterator[Blame]:
    asked = settings.kafka_oauth_url is not None
    if asked == (settings.kafka_oauth_token is not None):
        yield Blame(
            "kafka_oauth_url",
            "or POP_STREAM_KAFKA_OAUTH_TOKEN_FILE must be set for OAUTHBEARER, and not both",
        )
    for name in ("kafka_oauth_client_id", "kafka_oauth_client_secret"):
        if asked and getattr(settings, name) is None:
            yield Blame(name, "must be set with POP_STREAM_KAFKA_OAUTH_URL")
    for name in _FOR_ISSUER:
        if not asked and getattr(settings, name) is not None:
            yield Blame(name, "would not be used without POP_STREAM_KAFKA_OAUTH_URL: drop it")
    url = urlsplit(settings.kafka_oauth_url or "")
    in_the_clear = url.scheme == "http" and not is_loopback(url.hostname or "")
    if in_the_clear and not settings.kafka_allow_plaintext:
        yield Blame(
            "kafka_oauth_url",
            "would send the secret beyond this machine without TLS: use https, "
            "or set POP_STREAM_KAFKA_ALLOW_PLAINTEXT to true",
        )
    yield from authorities("kafka_oauth_ssl_cafile", settings.kafka_oauth_ssl_cafile)


def _kafka_certificates(settings: Settings) -> Iterator[Blame]:
    for name in ("kafka_ssl_cafile", "kafka_ssl_certfile", "kafka_ssl_keyfile"):
        if getattr(settings, name) and "SSL" not in settings.kafka_security_protocol:
            yield Blame(
                name,
                "would not be used: set POP_STREAM_KAFKA_SECURITY_PROTOCOL to SASL_SSL or SSL, "
                "or drop it",
            )
    yield from authorities("kafka_ssl_cafile", settings.kafka_ssl_cafile)
    yield from own_certificate(settings, "kafka_ssl_certfile", "kafka_ssl_keyfile")


KAFKA_RULES = (
    Rule(
        ("kafka_bootstrap_servers", "kafka_security_protocol", "kafka_allow_plaintext"),
        _kafka_in_the_clear,
    ),
    Rule(
        (
            "kafka_security_protocol",
            "kafka_sasl_mechanism",
            "kafka_allow_plaintext",
            *_BY_PASSWORD,
            *_BY_TOKEN,
        ),
        _sasl,
    ),
    Rule(
        (
            "kafka_security_protocol",
            "kafka_ssl_cafile",
            "kafka_ssl_certfile",
            "kafka_ssl_keyfile",
        ),
        _kafka_certificates,
    ),
)
