"""Closes connections, and tells of those that were closed, as aiokafka's callers expect it.

Whoever writes to a transport that is closed meanwhile gets a RuntimeError of uvloop's, where
asyncio's own transport lets it pass and the connection's end is told afterwards. aiokafka expects
an OSError at most: one reset by a broker ended whatever task was about to send, a worker's commits
among them. That is so on uvloop.

Whoever closes a connection waits for its end. With TLS that is the broker's goodbye, and a broker
says nothing while it owes an answer, such as that to a worker which waits for its group to be at
rest: so for 30 s the loop would wait, and a worker be ended before it has drained.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_send: Callable[..., Any] = AIOKafkaConnection.send
_close: Callable[..., Any] = AIOKafkaConnection.close

#: For what was written to go out, and for a goodbye.
_GOODBYE_SECONDS = 1.0


def expect_closed_connections() -> None:
    """Let every client of this process expect it. May be called again."""
    setattr(AIOKafkaConnection, "send", _send_or_tell)  # noqa: B010 - its type may not be replaced
    setattr(AIOKafkaConnection, "close", _close_in_time)  # noqa: B010 - as above


def _send_or_tell(connection: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return _send(connection, *args, **kwargs)
    except RuntimeError as error:
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"the connection was closed: {error}") from error


def _close_in_time(connection: Any, reason: Any = None, exc: BaseException | None = None) -> Any:
    writer = connection._writer  # noqa: SLF001 - aiokafka has no public way
    ended = _close(connection, reason=reason, exc=exc)
    if writer is not None and ended is not None and not ended.done():
        loop = asyncio.get_running_loop()
        late = loop.call_later(_GOODBYE_SECONDS, writer.transport.abort)
        ended.add_done_callback(lambda _: late.cancel())
    return ended
