"""Serves metrics, health and status over HTTP, from a thread of its own.

A loop that is stuck cannot hide so: what it counted is still read, and `/livez` says that it
stands still.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, make_wsgi_app

from pop_stream.errors import SettingsError
from pop_stream.watch.hosts import hosts_of
from pop_stream.watch.listening import NAME, listen

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

JSON = "application/json"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
#: A page has no script and asks nobody for anything; and it is of this moment only.
_HEADERS = (
    ("Server", NAME),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
)
_STATUS = {
    200: "200 OK",
    404: "404 Not Found",
    421: "421 Misdirected Request",
    500: "500 Internal Server Error",
    503: "503 Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered to one request."""

    content_type: str
    body: bytes
    status: int = 200


_ELSEWHERE = Page(
    TEXT, b"This is answered under the names of this machine only, as localhost.\n", 421
)
_FAILED = Page(TEXT, b"This page has failed; the log says why.\n", 500)


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
        self._server = listen(host, port)
        is_ours = hosts_of(host, str(self._server.server_address[0]))
        self._server.set_app(_serving(pages, make_wsgi_app(registry), is_ours))
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
    pages: Mapping[str, Callable[[], Page]],
    metrics: "WSGIApplication",
    is_ours: Callable[[str | None], bool],
) -> "WSGIApplication":
    known = "\n".join(["There is nothing here, but at:", "/metrics", *pages, ""])
    nothing = Page(TEXT, known.encode(), 404)

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start, path = _with_headers(start_response), environ["PATH_INFO"]
        if not is_ours(environ.get("HTTP_HOST")):
            return _answer(start, _ELSEWHERE)
        try:
            if path == "/metrics":
                return metrics(environ, start)
            page = pages[path]() if path in pages else nothing
        except Exception:
            log.exception("page.failed", extra={"path": path})
            page = _FAILED
        return _answer(start, page)

    return app


def _with_headers(start_response: "StartResponse") -> "StartResponse":
    def start(status: str, headers: list[tuple[str, str]], /, *rest: Any) -> Any:
        return start_response(status, [*headers, *_HEADERS], *rest)

    return start


def _answer(start: "StartResponse", page: Page) -> Iterable[bytes]:
    start(_STATUS[page.status], [("Content-Type", page.content_type)])
    return [page.body]
