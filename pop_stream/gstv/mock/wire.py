"""How an action looks on the wire."""

import asyncio
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from pop_stream.gstv.mock.rules import Action, Reset

#: SO_LINGER on, 0 seconds: closing then sends RST instead of FIN.
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
#: Time for what was written to leave before the connection is reset.
_FLUSH_SECONDS: Final = 0.005
_SLOW_PIECES: Final = 20
_REASONS: Final = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}
_WITHOUT_LENGTH: Final = frozenset({204, 304})


def response(status: int, body: bytes, headers: bytes = b"") -> bytes:
    """Make a whole response; each line of `headers` ends with CRLF."""
    return _head(status, len(body), headers) + body


class Wire:
    """Carries actions out on one connection."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def perform(self, action: Action, answered: Callable[[], None]) -> None:
        """Carry an action out; `answered` is called if the connection can serve on."""
        if action.hang:
            return
        if action.reset is None and not action.slow_body_seconds:
            self._transport.write(response(action.status, action.body, action.headers))
            answered()
        elif action.reset is None:
            self._write_slowly(action, answered)
        else:
            self._reset_at(action, action.reset)

    def reset(self) -> None:
        """End the connection with RST."""
        if self._transport.is_closing():
            return
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE
        )
        self._transport.abort()

    def _reset_at(self, action: Action, when: Reset) -> None:
        if when in {Reset.BEFORE_READ, Reset.AFTER_READ}:
            self.reset()
            return
        whole = response(action.status, action.body, action.headers)
        cut = len(whole) - (len(action.body) + 1) // 2 if action.body else len(whole) // 2
        self._transport.write(whole if when is Reset.AFTER_RESPONSE else whole[:cut])
        asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.reset)

    def _write_slowly(self, action: Action, answered: Callable[[], None]) -> None:
        body = action.body
        self._transport.write(_head(action.status, len(body), action.headers))
        size = max(1, -(-len(body) // _SLOW_PIECES))
        pieces = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
        pause = action.slow_body_seconds / len(pieces)

        def go_on() -> None:
            if self._transport.is_closing():
                return
            self._transport.write(pieces.pop(0))
            if pieces:
                asyncio.get_running_loop().call_later(pause, go_on)
            else:
                answered()

        asyncio.get_running_loop().call_later(pause, go_on)


def _head(status: int, length: int, headers: bytes) -> bytes:
    measure = b"" if status in _WITHOUT_LENGTH else b"Content-Length: %d\r\n" % length
    return b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\n%b%b\r\n" % (
        status,
        _REASONS.get(status, b""),
        measure,
        headers,
    )
