"""The clients of aiokafka, made as the settings say.

All of them are made here (`stream` has Faust make its two, and calls `keep_to`), so that what
aiokafka itself does not do holds for each: a password is read anew when its file has changed, and
nobody beyond this machine is spoken to in the clear, whatever address a broker gives for itself.
"""

import logging
from typing import Any

from aiokafka import AIOKafkaClient, AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from pop_stream.access.secrets import reread_secret
from pop_stream.kafka.connection import client_options
from pop_stream.settings import Settings, is_loopback

# Where aiokafka tells of connections that it does not get: whoever listens there hears of ours.
_logger = logging.getLogger("aiokafka")


def producer_of(settings: Settings, **options: Any) -> AIOKafkaProducer:
    """Make a producer; `options` are aiokafka's."""
    producer = AIOKafkaProducer(**client_options(settings), **options)
    keep_to(settings, producer.client)
    return producer


def consumer_of(settings: Settings, *topics: str, **options: Any) -> AIOKafkaConsumer:
    """Make a consumer of topics; `options` are aiokafka's."""
    consumer = AIOKafkaConsumer(*topics, **client_options(settings), **options)
    keep_to(settings, consumer._client)  # noqa: SLF001 - it has no other way in
    return consumer


def admin_of(settings: Settings, **options: Any) -> AIOKafkaAdminClient:
    """Make an admin client; `options` are aiokafka's."""
    admin = AIOKafkaAdminClient(**client_options(settings), **options)
    keep_to(settings, admin._client)  # noqa: SLF001 - it has no other way in
    return admin


def client_of(settings: Settings, **options: Any) -> AIOKafkaClient:
    """Make a bare client; `options` are aiokafka's."""
    client = AIOKafkaClient(**client_options(settings), **options)
    keep_to(settings, client)
    return client


def why_refused(settings: Settings, host: str) -> str | None:
    """Why a broker that says that it is at this host is not spoken to; None: it is."""
    in_the_clear = "SSL" not in settings.kafka_security_protocol
    if not in_the_clear or settings.kafka_allow_plaintext or is_loopback(host):
        return None
    return (
        f"a broker says that it is at {host}, and would be spoken to without TLS: set "
        "POP_STREAM_KAFKA_SECURITY_PROTOCOL to SASL_SSL or SSL, or "
        "POP_STREAM_KAFKA_ALLOW_PLAINTEXT to true"
    )


def keep_to(settings: Settings, client: Any) -> None:
    """Hold an AIOKafkaClient to the settings at each connection that it makes to a broker."""
    get = client._get_conn  # noqa: SLF001 - all connections to brokers are made by it
    secret = settings.kafka_sasl_password
    password = reread_secret(secret) if secret else None

    async def connection(node_id: int, **how: Any) -> Any:
        broker = client.cluster.broker_metadata(node_id)
        if broker is not None and (why := why_refused(settings, broker.host)):
            _logger.error("broker.refused", extra={"detail": why})
            return None  # as for a broker that is not reached
        if password is not None:
            client._sasl_plain_password = password.get()  # noqa: SLF001
        return await get(node_id, **how)

    client._get_conn = connection  # noqa: SLF001
