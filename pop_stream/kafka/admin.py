"""A connected admin client, with its failures told in our words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError, NodeNotReadyError

from pop_stream.errors import WorkFailedError
from pop_stream.kafka.clients import admin_of
from pop_stream.kafka.complaints import heard_from_aiokafka
from pop_stream.kafka.reach import require_kafka, unreachable
from pop_stream.settings import Settings

REQUEST_TIMEOUT_SECONDS = 15.0


@asynccontextmanager
async def connected_admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Give an admin client for the time of the block.

    Raises KafkaUnreachableError when Kafka is not there or goes away meanwhile, and
    WorkFailedError when it refuses what is asked of it.
    """
    await require_kafka(settings)
    admin = admin_of(settings, request_timeout_ms=int(REQUEST_TIMEOUT_SECONDS * 1000))
    with heard_from_aiokafka() as complaints:
        try:
            await admin.start()
            yield admin
        except (KafkaConnectionError, NodeNotReadyError, OSError) as exc:
            # Also when the brokers name addresses for themselves that cannot be reached from here.
            raise unreachable(settings, complaints[-1] if complaints else repr(exc)) from exc
        except KafkaError as exc:
            raise WorkFailedError(f"Kafka refused: {exc}") from exc
        finally:
            await admin.close()
