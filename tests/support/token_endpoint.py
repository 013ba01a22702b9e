"""A token endpoint (RFC 6749, 4.4) over real HTTP or HTTPS, that answers as a test says."""

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


@dataclass
class Answer:
    """What a token endpoint answers."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    #: A pause before each byte of the body.
    slow_seconds: float = 0.0


def token(value: str, **more: object) -> Answer:
    """A good answer."""
    fields = {"access_token": value, "token_type": "Bearer", "expires_in": 3600, **more}
    return Answer(body=json.dumps(fields).encode())


@dataclass(frozen=True)
class Asked:
    """One request for a token."""

    method: str
    target: str
    headers: dict[str, str]
    form: dict[str, list[str]]


class TokenEndpoint:
    """Gives the answers in turn, the last for ever."""

    def __init__(self, *answers: Answer, context: ssl.SSLContext | None) -> None:
        self.answers = list(answers)
        self.asked: list[Asked] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                endpoint.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Say nothing of clients that go away."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._scheme = "http" if context is None else "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}/oauth/token?tenant=1"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Note a request, and answer it."""
        body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
        form = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=bool(body))
        headers = dict(request.headers.items())
        self.asked.append(Asked(request.command, request.path, headers, form))
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(answer.body)))
        request.end_headers()
        for place in range(len(answer.body) if answer.slow_seconds else 0):
            time.sleep(answer.slow_seconds)
            request.wfile.write(answer.body[place : place + 1])
        if not answer.slow_seconds:
            request.wfile.write(answer.body)

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(20)
        self._server.server_close()


@contextmanager
def token_endpoint(
    *answers: Answer, context: ssl.SSLContext | None = None
) -> Iterator[TokenEndpoint]:
    """Run an endpoint for the length of the context."""
    endpoint = TokenEndpoint(*answers, context=context)
    try:
        yield endpoint
    finally:
        endpoint.stop()
