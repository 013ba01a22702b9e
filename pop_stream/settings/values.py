"""The kinds of values that settings have: how each is written, read and refused.

A ValueError that is raised here goes on after the name of the setting: "must ...".
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from pop_stream.settings.networks import parse_networks
from pop_stream.settings.signing_secrets import parse_signing_secrets

DEFAULT_KAFKA_PORT = 9092

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_SERVER = re.compile(r"(?:\[(?P<ipv6>[^\]]*)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?")
_STATUSES = re.compile(r"([0-9]{3})(?:-([0-9]{3}))?")
_WAIT = re.compile(r"([1-9][0-9]{0,8})([smhd])")
_WAIT_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_WAIT = 365 * 86_400
_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_CREDENTIAL = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
#: What a request has already, or what says where it ends.
_TAKEN_HEADERS = frozenset(
    {
        "authorization", "connection", "content-length", "content-type", "cookie", "expect", "host",
        "idempotency-key", "keep-alive", "proxy-authorization", "te", "traceparent", "trailer",
        "transfer-encoding", "upgrade", "user-agent", "webhook-id", "webhook-signature",
        "webhook-timestamp", "x-pop-attempt",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """How people are told what a value must be, where its type and bounds do not say it."""

    #: Goes on after "must be".
    must_be: str
    #: What stands for the value in a command's help.
    metavar: str
    #: May hold a key or a name that is nobody's business: never repeated in a message.
    confidential: bool = False


def parse_statuses(text: str) -> frozenset[int]:
    """Read `200-299,409`. Raises ValueError unless all are HTTP statuses from 200 to 599."""
    statuses: set[int] = set()
    for part in text.split(","):
        match = _STATUSES.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 200 <= first <= last <= 599:
            raise ValueError("must be statuses from 200 to 599 and ranges, like 200-299,409")
        statuses.update(range(first, last + 1))
    return frozenset(statuses)


def parse_waits(text: str) -> tuple[int, ...]:
    """Read `1h,6h,24h` into seconds; `off` into none."""
    if text.strip() == "off":
        return ()
    return tuple(_wait(part.strip()) for part in text.split(","))


def parse_bootstrap_servers(text: str) -> tuple[tuple[str, int], ...]:
    """Read `host:port,[::1]:9092` into pairs. A port that is left out is 9092."""
    return tuple(_server(part.strip()) for part in text.split(","))


def is_loopback(host: str) -> bool:
    """Whether this name or address can only mean this machine."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def check_credential(text: str) -> str:
    """Give a token or a key back. Raises ValueError when it cannot stand in a header."""
    if not _CREDENTIAL.fullmatch(text):
        raise ValueError("must be ASCII without control characters, or spaces around it")
    return text


def _wait(text: str) -> int:
    match = _WAIT.fullmatch(text)
    seconds = int(match[1]) * _WAIT_UNITS[match[2]] if match else 0
    if not 0 < seconds <= _LONGEST_WAIT:
        raise ValueError("must be off, or waits of at most 365d with commas, like 1h,6h,24h")
    return seconds


def _server(text: str) -> tuple[str, int]:
    match = _SERVER.fullmatch(text)
    port = int(match["port"] or DEFAULT_KAFKA_PORT) if match else 0
    host = (match["host"] or match["ipv6"] or "") if match else ""
    known = _is_ipv6(host) if text.startswith("[") else _is_name(host)
    if not (known and 1 <= port <= 65535):
        raise ValueError("must be host:port, or several with commas; IPv6 like [::1]:9092")
    return host, port


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.IPv6Address(host).scope_id is None
    except ValueError:
        return False


def _is_name(host: str) -> bool:
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    labels = name.removesuffix(".").split(".")
    return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in labels)


def _check_bootstrap_servers(text: str) -> str:
    parse_bootstrap_servers(text)
    return ",".join(part.strip() for part in text.split(","))


def _check_statuses(text: str) -> str:
    parse_statuses(text)
    return text


def _check_waits(text: str) -> str:
    parse_waits(text)
    return text


def _check_url(text: str) -> str:
    if not text.isprintable() or " " in text:
        raise ValueError("must not hold spaces or control characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("must be like https://host:port/path, with a port to 65535") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("must start with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or a password")
    if "#" in text:
        raise ValueError("must not hold a fragment (#...)")
    host = parts.hostname or ""
    if port == 0 or not (_is_ipv6(host) if ":" in host else _is_name(host)):
        raise ValueError("must hold a valid host, and a port from 1 to 65535 if any")
    if not (parts.path + parts.query).isascii():
        raise ValueError("must be ASCII after the host: percent-encode the rest")
    return parts.scheme + text[len(parts.scheme) :]


def _check_text(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be text without control characters, and not empty")
    return text


def _check_secret(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("must not be empty")
    return secret


def _check_header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError("must be a header's name: letters, digits and - mostly")
    if name.lower() in _TAKEN_HEADERS:
        raise ValueError("must not be a header that requests have already")
    return name


def _check_proxy(text: str) -> str:
    checked = _check_url(text)
    parts = urlsplit(checked)
    if parts.scheme != "http" or parts.path.strip("/") or "?" in text:
        raise ValueError("must be like http://host:port, without a path")
    return checked


def _check_networks(text: str) -> str:
    parse_networks(text)
    return text


def _check_signing_secrets(secret: SecretStr) -> SecretStr:
    parse_signing_secrets(secret.get_secret_value())
    return secret


def _check_topic(name: str) -> str:
    if not _TOPIC.fullmatch(name) or name in (".", ".."):
        raise ValueError("must be a topic's name: 1 to 249 of letters, digits, dot, - and _")
    if name.startswith("__"):
        raise ValueError("must not start with __: Kafka keeps such topics for itself")
    return name


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _each_once(what: str) -> AfterValidator:
    def check(names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError(f"must not name a {what} twice")
        return names

    return AfterValidator(check)


Text = Annotated[str, AfterValidator(_check_text), Kind("text", "TEXT")]
File = Annotated[str, AfterValidator(_check_text), Kind("the path of a file", "FILE")]
Url = Annotated[
    str,
    AfterValidator(_check_url),
    Kind("a URL like https://host/path", "URL", confidential=True),
]
Secret = Annotated[
    SecretStr, AfterValidator(_check_secret), Kind("a secret", "TEXT", confidential=True)
]
SigningSecrets = Annotated[
    SecretStr,
    AfterValidator(_check_signing_secrets),
    Kind("whsec_ and base64, or several", "TEXT", confidential=True),
]
HeaderName = Annotated[str, AfterValidator(_check_header_name), Kind("a header's name", "NAME")]
ProxyUrl = Annotated[
    str,
    AfterValidator(_check_proxy),
    Kind("a URL like http://host:port", "URL", confidential=True),
]
Networks = Annotated[
    str,
    AfterValidator(_check_networks),
    Kind("networks with commas, like 10.0.0.0/8,fd00::/8", "NETWORK,..."),
]
TopicName = Annotated[str, AfterValidator(_check_topic), Kind("a topic's name", "TOPIC")]
BootstrapServers = Annotated[
    str, AfterValidator(_check_bootstrap_servers), Kind("host:port, or several", "HOST:PORT,...")
]
Statuses = Annotated[
    str, AfterValidator(_check_statuses), Kind("statuses and ranges of them", "STATUS,...")
]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Rate = Annotated[
    float,
    Field(ge=0.1, le=1_000_000, allow_inf_nan=False),
    Kind("a number of events a second from 0.1 to 1000000", "EVENTS/S"),
]
Backoff = Annotated[
    tuple[Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)], ...],
    BeforeValidator(_split),
    Field(min_length=1, max_length=100),
    Kind("numbers of seconds from 0 to 86400 with commas, like 1,5,30", "SECONDS,..."),
]
Waits = Annotated[
    str,
    AfterValidator(_check_waits),
    Kind("off, or waits with commas, like 1h,6h,24h", "WAIT,..."),
]
RedriveReasons = Annotated[
    tuple[Literal["transient", "rejected"], ...],
    BeforeValidator(_split),
    Field(min_length=1),
    _each_once("reason"),
    Kind("one or both of transient and rejected, with commas", "REASON,..."),
]
Stage = Literal["forward", "retry", "failure"]
Stages = Annotated[
    tuple[Stage, ...],
    BeforeValidator(_split),
    Field(min_length=1),
    _each_once("stage"),
    Kind("one or more of forward, retry and failure, with commas", "STAGE,..."),
]
