"""Serves metrics, health and status over HTTP, from a thread of its own.

A loop that is stuck cannot hide so: what it counted is still read, and `/livez` says that it
stands still.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, make_wsgi_app

from pop_stream.errors import SettingsError
from pop_stream.watch.listening import listen

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

JSON = "application/json"
HTML = "text/html; charset=utf-8"
#: A page has no script and asks nobody for anything; and it is of this moment only.
_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
)
_STATUS = {200: "200 OK", 503: "503 Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered to one request."""

    content_type: str
    body: bytes
    status: int = 200


class Server:
    """Serves a registry at `/metrics`, and pages at their paths."""

    def __init__(
        self,
        registry: CollectorRegistry,
        pages: Mapping[str, Callable[[], Page]],
        *,
        host: str,
        port: int,
    ) -> None:
        """Listen at once. Port 0: any free one. Raises OSError when the port is taken.

        Pages are made at each request, in another thread than the caller's.
        """
        self._server = listen(host, port, _serving(pages, make_wsgi_app(registry)))
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve(
    registry: CollectorRegistry,
    pages: Mapping[str, Callable[[], Page]],
    *,
    host: str,
    port: int,
    setting: str = "metrics_port",
) -> Server:
    """Serve at an address of the settings. Raises SettingsError when the port is taken.

    `setting` is the name of the one that the port comes from.
    """
    try:
        return Server(registry, pages, host=host, port=port)
    except OSError as error:
        problem = (
            f"POP_STREAM_{setting.upper()}: cannot listen on {host}:{port} ({error.strerror}); "
            "choose another port, or 0 for any free one"
        )
        raise SettingsError([problem]) from error


def _serving(
    pages: Mapping[str, Callable[[], Page]], metrics: "WSGIApplication"
) -> "WSGIApplication":
    known = "\n".join(["/metrics", *pages, ""]).encode()

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return metrics(environ, start_response)
        make = pages.get(path)
        if make is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There is nothing here, but at:\n", known]
        page = make()
        headers = [("Content-Type", page.content_type), *_HEADERS]
        start_response(_STATUS[page.status], headers)
        return [page.body]

    return app
