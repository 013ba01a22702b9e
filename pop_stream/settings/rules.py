"""Rules that look at more than one value, or at a file on this machine.

A rule is not asked when one of the settings that it reads is already known to be wrong.
"""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pop_stream.settings.model import TOPICS, Settings


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


def authorities(name: str, path: str | None) -> Iterator[Blame]:
    """Judge a file of CAs."""
    if path is None:
        return
    if why := _unreadable(path):
        yield Blame(name, why)
        return
    try:
        ssl.create_default_context(cafile=path)
    except (ssl.SSLError, OSError):
        yield Blame(name, f"holds no certificate in PEM form ({path})")


def own_certificate(settings: Settings, certfile: str, keyfile: str) -> Iterator[Blame]:
    """Judge our certificate and its key, which two settings name."""
    certificate, key = getattr(settings, certfile), getattr(settings, keyfile)
    if key and not certificate:
        yield Blame(keyfile, f"needs POP_STREAM_{certfile.upper()}, too: set it, or drop the key")
    unreadable = [
        Blame(name, why)
        for name, file in ((certfile, certificate), (keyfile, key))
        if file and (why := _unreadable(file))
    ]
    yield from unreadable
    if not certificate or unreadable:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # A password is given so that OpenSSL does not ask the terminal for one.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError, ValueError):
        yield Blame(
            certfile,
            "and its key must be a certificate and the unencrypted key that belongs to it, "
            f"in PEM form ({', '.join(filter(None, (certificate, key)))})",
        )


RULES = (
    Rule(TOPICS, _topics_differ),
    Rule(("max_held_events", "gstv_max_in_flight", "max_held_bytes", "max_event_bytes"), _room),
    Rule(("progress_timeout_seconds", "gstv_timeout_seconds"), _patience),
)
