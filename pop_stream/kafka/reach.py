"""Says within seconds whether Kafka is there, and if not, why."""

import asyncio
import re

from aiokafka.errors import KafkaError

from pop_stream.errors import KafkaUnreachableError
from pop_stream.kafka.clients import client_of, why_refused
from pop_stream.kafka.complaints import heard_from_aiokafka
from pop_stream.settings import Settings, parse_bootstrap_servers

_PREFIX = re.compile(r'Unable (connect to|to request metadata from) "[^"]*": ')

#: To open a TCP connection; all bootstrap servers are tried at once.
CONNECT_TIMEOUT_SECONDS = 3.0
#: To shake hands and answer the first request.
HANDSHAKE_TIMEOUT_SECONDS = 5.0


async def require_kafka(settings: Settings) -> None:
    """Return when a broker has answered, handshake and login included.

    Raises KafkaUnreachableError with the reason, in at most about 8 seconds; also when one of the
    brokers says that it is where nobody may go. librdkafka goes wherever it is told, so whoever
    makes a client of it asks here before.
    """
    await require_listener(settings)
    client = client_of(settings, request_timeout_ms=int(HANDSHAKE_TIMEOUT_SECONDS * 1000))
    with heard_from_aiokafka() as complaints:
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_SECONDS):
                await client.bootstrap()
            for broker in client.cluster.brokers():
                if why := why_refused(settings, broker.host):
                    raise unreachable(settings, why)
        except (KafkaError, OSError, TimeoutError) as exc:
            raise unreachable(settings, _why_unused(complaints, settings)) from exc
        finally:
            await client.close()


def unreachable(settings: Settings, why: str) -> KafkaUnreachableError:
    """Make the error, with what to do about it."""
    return KafkaUnreachableError(
        f"no Kafka can be reached at {settings.kafka_bootstrap_servers}: {why}.\n"
        "POP_STREAM_KAFKA_BOOTSTRAP_SERVERS says where it is (and POP_STREAM_KAFKA_* how to speak "
        "to it); `pop-stream kafka up` starts one for development."
    )


def _why_unused(complaints: list[str], settings: Settings) -> str:
    """Say why a server that listens was of no use: aiokafka logs that, and does not raise it."""
    said = complaints[-1] if complaints else ""
    why = _PREFIX.sub("", said).strip()
    if not why or why.endswith("closed"):
        return f"what listens there does not answer {settings.kafka_security_protocol}"
    return why


async def require_listener(settings: Settings) -> None:
    """Return when any bootstrap server takes a TCP connection.

    Raises KafkaUnreachableError with the reasons, in at most 3 seconds.
    """
    servers = parse_bootstrap_servers(settings.kafka_bootstrap_servers)
    reasons = await asyncio.gather(*(_why_not(host, port) for host, port in servers))
    if None in reasons:
        return
    if len(servers) == 1:
        raise unreachable(settings, str(reasons[0]))
    pairs = zip(servers, reasons, strict=True)
    raise unreachable(settings, "; ".join(f"{host}:{port} {why}" for (host, port), why in pairs))


async def _why_not(host: str, port: int) -> str | None:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"did not answer in {CONNECT_TIMEOUT_SECONDS:g} s"
    except ConnectionRefusedError:
        return "refused the connection, so nothing listens there"
    except OSError as exc:
        return f"cannot be reached ({exc.strerror or exc})"
    writer.close()
    return None
