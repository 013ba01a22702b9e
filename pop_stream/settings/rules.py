"""Rules that look at more than one value, or at a file on this machine.

A rule is not asked when one of the settings that it reads is already known to be wrong.
"""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pop_stream.settings.model import TOPICS, Settings
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


@dataclass(frozen=True, slots=True)
class Blame:
    """The setting that is wrong, and what goes on after its name."""

    setting: str
    problem: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A check, and the settings that it reads."""

    reads: tuple[str, ...]
    check: Callable[[Settings], Iterator[Blame]]


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


def _gstv_in_the_clear(settings: Settings) -> Iterator[Blame]:
    for name in ("gstv_url", "notification_url"):
        parts = urlsplit(getattr(settings, name) or "")
        remote = parts.scheme == "http" and not is_loopback(parts.hostname or "")
        if remote and not settings.gstv_allow_plaintext:
            yield Blame(
                name,
                "would send events beyond this machine without TLS: use https, "
                "or set POP_STREAM_GSTV_ALLOW_PLAINTEXT to true",
            )


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
    yield from _authorities("kafka_oauth_ssl_cafile", settings.kafka_oauth_ssl_cafile)


def _kafka_certificates(settings: Settings) -> Iterator[Blame]:
    for name in ("kafka_ssl_cafile", "kafka_ssl_certfile", "kafka_ssl_keyfile"):
        if getattr(settings, name) and "SSL" not in settings.kafka_security_protocol:
            yield Blame(
                name,
                "would not be used: set POP_STREAM_KAFKA_SECURITY_PROTOCOL to SASL_SSL or SSL, "
                "or drop it",
            )
    yield from _authorities("kafka_ssl_cafile", settings.kafka_ssl_cafile)
    certificate, key = settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile
    if key and not certificate:
        yield Blame(
            "kafka_ssl_keyfile",
            "needs POP_STREAM_KAFKA_SSL_CERTFILE, too: set it, or drop the key",
        )
    unreadable = [
        Blame(name, why)
        for name, file in (("kafka_ssl_certfile", certificate), ("kafka_ssl_keyfile", key))
        if file and (why := _unreadable(file))
    ]
    yield from unreadable
    if certificate and not unreadable:
        yield from _own_certificate(certificate, key)


def _gstv_certificates(settings: Settings) -> Iterator[Blame]:
    yield from _authorities("gstv_ssl_cafile", settings.gstv_ssl_cafile)


def _topics_differ(settings: Settings) -> Iterator[Blame]:
    seen: dict[str, str] = {}
    for name in TOPICS:
        topic = getattr(settings, name)
        # Kafka refuses a topic whose name differs from another only by dot and underscore.
        first = seen.setdefault(topic.replace(".", "_"), name)
        if first != name:
            yield Blame(
                name,
                f"must differ from POP_STREAM_{first.upper()}, not {topic!r} "
                "(to Kafka, dot and underscore are alike)",
            )


def _room(settings: Settings) -> Iterator[Blame]:
    if settings.max_held_events < settings.gstv_max_in_flight:
        yield Blame(
            "max_held_events",
            f"must be at least POP_STREAM_GSTV_MAX_IN_FLIGHT ({settings.gstv_max_in_flight})",
        )
    if settings.max_held_bytes < settings.max_event_bytes:
        yield Blame(
            "max_held_bytes",
            f"must be at least POP_STREAM_MAX_EVENT_BYTES ({settings.max_event_bytes})",
        )


def _patience(settings: Settings) -> Iterator[Blame]:
    if settings.progress_timeout_seconds <= settings.gstv_timeout_seconds:
        yield Blame(
            "progress_timeout_seconds",
            "must be above POP_STREAM_GSTV_TIMEOUT_SECONDS "
            f"({settings.gstv_timeout_seconds:g}): a slow answer is no standstill",
        )


def _unreadable(path: str) -> str | None:
    try:
        with Path(path).open("rb"):
            return None
    except OSError as error:
        return f"cannot be read: {error.strerror} ({path})"


def _authorities(name: str, path: str | None) -> Iterator[Blame]:
    if path is None:
        return
    if why := _unreadable(path):
        yield Blame(name, why)
        return
    try:
        ssl.create_default_context(cafile=path)
    except (ssl.SSLError, OSError):
        yield Blame(name, f"holds no certificate in PEM form ({path})")


def _own_certificate(certificate: str, key: str | None) -> Iterator[Blame]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # A password is given so that OpenSSL does not ask the terminal for one.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError, ValueError):
        yield Blame(
            "kafka_ssl_certfile",
            "and its key must be a certificate and the unencrypted key that belongs to it, "
            f"in PEM form ({', '.join(filter(None, (certificate, key)))})",
        )


RULES = (
    Rule(
        ("kafka_bootstrap_servers", "kafka_security_protocol", "kafka_allow_plaintext"),
        _kafka_in_the_clear,
    ),
    Rule(("gstv_url", "notification_url", "gstv_allow_plaintext"), _gstv_in_the_clear),
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
    Rule(("gstv_ssl_cafile",), _gstv_certificates),
    Rule(TOPICS, _topics_differ),
    Rule(("max_held_events", "gstv_max_in_flight", "max_held_bytes", "max_event_bytes"), _room),
    Rule(("progress_timeout_seconds", "gstv_timeout_seconds"), _patience),
)
