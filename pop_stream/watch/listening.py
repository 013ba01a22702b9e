"""The HTTP server of metrics and pages, which no client can fill up.

A thread of each connection waits for its request. Whoever opened many and said nothing would have
taken all file descriptors of the worker, and with them its connections to GSTV.
"""

import socket
import threading
from contextlib import suppress
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client.exposition import ThreadingWSGIServer

#: What a server calls itself: no version, neither of ours nor of Python.
NAME: Final = "pop-stream"
#: Many times what ever asks at once. The oldest has to go: what is answered is answered soon.
_AT_ONCE: Final = 64
#: Without a byte.
_SILENT_SECONDS: Final = 10.0


def listen(host: str, port: int) -> WSGIServer:
    """Listen; `serve_forever` answers by the app that is set before it.

    Raises OSError when the port is taken, or no such host.
    """
    passive = socket.AI_PASSIVE
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=passive)
    family, _, _, _, address = found[0]
    server_class = type("_Server", (_Server,), {"address_family": family})
    server: WSGIServer = server_class((str(address[0]), port), _Handler)
    return server


class _Server(ThreadingWSGIServer):
    #: Of those that were not accepted yet: with socketserver's five, clients wait for seconds.
    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        self._lock = threading.Lock()
        #: Connections, in the order in which they came.
        self._open: dict[Any, None] = {}
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open[request] = None
            oldest = next(iter(self._open)) if len(self._open) > _AT_ONCE else None
            self._open.pop(oldest, None)
        if oldest is not None:
            with suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)  # its thread then ends
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: that a client left, or said nothing, is no news for the log."""


class _Handler(WSGIRequestHandler):
    timeout = _SILENT_SECONDS

    def version_string(self) -> str:
        """What is told of us where a request is none, and no page is looked for."""
        return NAME

    def log_message(self, *_: Any) -> None:
        pass
