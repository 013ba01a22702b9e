"""An issuer of tokens over real HTTP: signed tokens (RS256), and the key that checks them."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from pop_stream.kafka.secured import AUDIENCE, ISSUER

#: Status, headers beside the length, body.
Answer = tuple[int, dict[str, str], bytes]
CLIENT = "forwarder"
SECRET = "s+cret/ with signs"


class Issuer:
    """What was asked of it, and what it answers. `http://127.0.0.1:PORT` is its `url`."""

    def __init__(self, port: int, *, scheme: str) -> None:
        self.url = f"{scheme}://127.0.0.1:{port}"
        self._key = generate_private_key(public_exponent=65_537, key_size=2048)
        #: The subject of its tokens: who Kafka takes their bearer for.
        self.subject = CLIENT
        self.life_seconds = 300.0
        #: Each request for a token: its headers and its form.
        self.asked: list[tuple[dict[str, str], dict[str, list[str]]]] = []
        #: Answers a request instead of a token.
        self.answer: Callable[[], Answer] | None = None

    @property
    def jwks_url(self) -> str:
        """Where its public key is."""
        return f"{self.url}/jwks"

    @property
    def token_url(self) -> str:
        """Where tokens are asked for."""
        return f"{self.url}/token"

    def jwks(self) -> bytes:
        """Its public key, as a JSON Web Key Set."""
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig"}
        key |= {"n": _number(numbers.n), "e": _number(numbers.e)}
        return json.dumps({"keys": [key]}).encode()

    def token(self) -> str:
        """Sign a token."""
        now = time.time()
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": self.subject}
        times = {"iat": int(now), "exp": int(now + self.life_seconds), "jti": str(time.time_ns())}
        return _signed(claims | times, self._key)

    def give(self) -> Answer:
        """Answer a request for a token."""
        if self.answer is not None:
            return self.answer()
        answer = {"access_token": self.token(), "token_type": "Bearer"}
        return 200, {}, json.dumps(answer | {"expires_in": self.life_seconds}).encode()


@contextmanager
def issuer(context: ssl.SSLContext | None = None) -> Iterator[Issuer]:
    """Run one; with a context it speaks TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, {}, made.jwks())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.asked.append((dict(self.headers), parse_qs(body.decode())))
            self._send(*made.give())

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    made = Issuer(server.server_port, scheme="https" if context else "http")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _signed(claims: dict[str, Any], key: RSAPrivateKey) -> str:
    head = {"alg": "RS256", "kid": "1", "typ": "JWT"}
    text = ".".join(_base64(json.dumps(part).encode()) for part in (head, claims))
    return f"{text}.{_base64(key.sign(text.encode(), PKCS1v15(), SHA256()))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(number: int) -> str:
    return _base64(number.to_bytes((number.bit_length() + 7) // 8, "big"))
