"""Tells of a connection that was closed as aiokafka's callers expect it, also on uvloop.

Whoever writes to a transport that is closed meanwhile gets a RuntimeError of uvloop's, where
asyncio's own transport lets it pass and the connection's end is told afterwards. aiokafka expects
an OSError at most: one reset by a broker ended whatever task was about to send, a worker's commits
among them.
"""

from collections.abc import Callable
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_send: Callable[..., Any] = AIOKafkaConnection.send


def expect_closed_connections() -> None:
    """Let every client of this process expect it. May be called again."""
    setattr(AIOKafkaConnection, "send", _send_or_tell)  # noqa: B010 - its type may not be replaced


def _send_or_tell(connection: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return _send(connection, *args, **kwargs)
    except RuntimeError as error:
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"the connection was closed: {error}") from error
