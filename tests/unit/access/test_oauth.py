"""Tokens for a client's id and secret: asked for over real sockets."""

import base64
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from pop_stream.access.bounded_post import PostAnswer, PostTarget
from pop_stream.access.oauth import (
    OAuthClient,
    Refusal,
    Token,
    TokenRefused,
    fetch_token,
    read_token,
)
from pop_stream.access.proxy import Proxy, ProxyUser
from pop_stream.access.tls import client_ssl_context
from tests.support.forward_proxy import forward_proxy
from tests.support.token_endpoint import Answer, token, token_endpoint

CERTS = Path(__file__).parents[2] / "support" / "certs"
CANARY = "canary-4f1d"


def client_of(url: str, *, client_id: str = "worker", scope: str | None = None,
              secret: str = CANARY, **target: Any) -> OAuthClient:  # fmt: skip
    """A client of an endpoint."""
    where = PostTarget(url=url, **target)
    return OAuthClient(target=where, client_id=client_id, secret=lambda: secret, scope=scope)


def refused(found: Token | TokenRefused, why: Refusal) -> str:
    """What is said of a refusal, without secrets."""
    assert isinstance(found, TokenRefused), found
    assert found.why is why, found
    assert found.detail
    assert CANARY not in repr(found)
    return found.detail


def server_context(certificate: str = "server") -> ssl.SSLContext:
    """TLS of an endpoint."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTS / f"{certificate}.pem")
    return context


def test_a_token_is_asked_for_as_the_rfc_has_it() -> None:
    """One POST of a form; id and secret are form-encoded before they are put together."""
    with token_endpoint(token("tulip")) as endpoint:
        found = fetch_token(
            client_of(endpoint.url, client_id="a:b c", secret="s:ü+/", scope="pops.write x")
        )
        (asked,) = endpoint.asked

    assert isinstance(found, Token)
    assert found.value == "tulip"
    assert (asked.method, asked.target) == ("POST", "/oauth/token?tenant=1")
    assert asked.form == {"grant_type": ["client_credentials"], "scope": ["pops.write x"]}
    scheme, _, pair = asked.headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(pair)) == ("Basic", b"a%3Ab+c:s%3A%C3%BC%2B%2F")
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert asked.headers["Host"] == endpoint.url.split("/")[2]


def test_without_a_scope_none_is_asked_for() -> None:
    """The endpoint knows what its client is for."""
    with token_endpoint(token("tulip")) as endpoint:
        fetch_token(client_of(endpoint.url))
        assert endpoint.asked[0].form == {"grant_type": ["client_credentials"]}


def test_a_token_is_asked_for_over_tls() -> None:
    """From an endpoint whose certificate is good."""
    context = client_ssl_context(str(CERTS / "ca.pem"))
    with token_endpoint(token("tulip"), context=server_context()) as endpoint:
        assert isinstance(fetch_token(client_of(endpoint.url, ssl_context=context)), Token)


@pytest.mark.parametrize("certificate", ["other-name", "expired", "server"])
def test_an_endpoint_without_a_good_certificate_is_told_no_secret(certificate: str) -> None:
    """Another name, an old one, or an authority that we do not know."""
    cafile = None if certificate == "server" else str(CERTS / "ca.pem")
    with token_endpoint(token("tulip"), context=server_context(certificate)) as endpoint:
        context = client_ssl_context(cafile)
        refused(fetch_token(client_of(endpoint.url, ssl_context=context)), Refusal.TLS)
        assert endpoint.asked == []


def test_an_endpoint_without_tls_is_told_no_secret() -> None:
    """Where https is asked for."""
    with token_endpoint(token("tulip")) as endpoint:
        url = endpoint.url.replace("http:", "https:")
        context = client_ssl_context(str(CERTS / "ca.pem"))
        refused(fetch_token(client_of(url, ssl_context=context)), Refusal.TLS)
        assert endpoint.asked == []


def test_an_endpoint_that_cannot_be_reached_is_down() -> None:
    """Whether nobody listens, or the name leads nowhere."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    refused(fetch_token(client_of(f"http://127.0.0.1:{port}/")), Refusal.DOWN)
    refused(fetch_token(client_of("http://no.such.host.invalid/")), Refusal.DOWN)


def test_an_endpoint_that_says_nothing_is_down() -> None:
    """After the time that it has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        refused(fetch_token(client_of(url, timeout_seconds=0.1)), Refusal.DOWN)


def test_a_drip_of_bytes_does_not_hold_us_up() -> None:
    """The time is for all of the answer, not for each byte of it."""
    slow = Answer(body=b" " * 10_000, slow_seconds=0.05)
    with token_endpoint(slow) as endpoint:
        refused(fetch_token(client_of(endpoint.url, timeout_seconds=0.3)), Refusal.DOWN)


@pytest.mark.parametrize(
    "answer",
    [Answer(body=b" " * 70_000), Answer(headers={"X": "y" * 60_000}, body=b" " * 10_000)],
    ids=["body", "headers"],
)
def test_an_endless_answer_is_not_read(answer: Answer) -> None:
    """64 KiB are more than any token."""
    with token_endpoint(answer) as endpoint:
        refused(fetch_token(client_of(endpoint.url)), Refusal.DOWN)


@pytest.mark.parametrize("raw", [b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http_is_no_endpoint(raw: bytes) -> None:
    """Odd bytes are no crash."""
    with forward_proxy(answer=raw) as server:  # answers anything with these bytes
        refused(fetch_token(client_of(server.url)), Refusal.DOWN)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    """Our secret is for one endpoint only."""
    with token_endpoint(token("tulip")) as other:
        away = Answer(status=status, headers={"Location": other.url})
        with token_endpoint(away) as endpoint:
            refused(fetch_token(client_of(endpoint.url)), Refusal.CLIENT)
        assert other.asked == []


def test_variables_name_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a setting does."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with token_endpoint(token("tulip")) as endpoint:
        assert isinstance(fetch_token(client_of(endpoint.url)), Token)


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.1", "127.0.0.1", "fd00::1"])
def test_an_endpoint_with_a_private_address_is_told_no_secret(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Unless its network is allowed: it may have been led there."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (address, 80))])
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("connected"))

    found = fetch_token(client_of("http://login.example/"))

    assert address in refused(found, Refusal.ADDRESS)


def test_an_endpoint_is_reached_through_a_proxy() -> None:
    """Which looks its name up; the certificate is that of the endpoint all the same."""
    with token_endpoint(token("tulip"), context=server_context("other-name")) as endpoint:
        port = int(endpoint.url.split(":")[2].split("/")[0])
        with forward_proxy(port) as proxy:
            client = client_of(
                "https://gstv.example/oauth/token",
                ssl_context=client_ssl_context(str(CERTS / "ca.pem")),
                proxy=Proxy("127.0.0.1", proxy.port, ProxyUser("u", lambda: "p")),
            )
            assert isinstance(fetch_token(client), Token)
            (head,) = proxy.asked
    assert head.startswith(b"CONNECT gstv.example:443 HTTP/1.1\r\nHost: gstv.example:443\r\n")
    assert b"Proxy-Authorization: Basic dTpw\r\n" in head


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", Refusal.PROXY),
        (b"HTTP/1.1 403 canary-4f1d\r\n\r\n", Refusal.PROXY),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", Refusal.DOWN),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9000, Refusal.PROXY),
        (b"what?\r\n\r\n", Refusal.PROXY),
        (b"", Refusal.DOWN),
    ],
)
def test_a_proxy_that_makes_no_tunnel(answer: bytes, why: Refusal) -> None:
    """Refuses us, is none, or cannot get through."""
    with forward_proxy(answer=answer) as proxy:
        where = Proxy("127.0.0.1", proxy.port)
        refused(fetch_token(client_of("http://login.example/", proxy=where)), why)


def answered(**fields: object) -> Answer:
    """A good answer but for some fields."""
    return token("tulip", **fields)


@pytest.mark.parametrize(
    ("told", "life"),
    [(3600, 3600), ("3600", 3600), (60.5, 60.5), (0, 5), (-1, 5), (1e9, 86_400), (None, 300),
     (True, 300), ("soon", 300), ([], 300)],
)  # fmt: skip
def test_a_token_lives_as_long_as_it_is_told(told: object, life: float) -> None:
    """Within reason; one that does not say is renewed every few minutes."""
    found = read_token(PostAnswer(200, answered(expires_in=told).body), 1000.0)

    assert isinstance(found, Token)
    assert found.expires_at == 1000 + life
    assert found.renew_at == pytest.approx(1000 + life - min(life / 5, 60))


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_a_bearer_token_is_one_in_any_case(kind: str) -> None:
    """As RFC 6749 has it."""
    assert isinstance(read_token(PostAnswer(200, answered(token_type=kind).body), 0), Token)


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (400, b'{"error": "invalid_client"}', Refusal.CLIENT),
        (401, b'{"error": "canary-4f1d"}', Refusal.CLIENT),
        (403, b"canary-4f1d", Refusal.CLIENT),
        (404, b"", Refusal.CLIENT),
        (302, b"", Refusal.CLIENT),
        (201, b'{"access_token": "canary-4f1d"}', Refusal.CLIENT),
        (408, b"", Refusal.DOWN),
        (429, b"", Refusal.DOWN),
        (500, b"canary-4f1d", Refusal.DOWN),
        (503, b"", Refusal.DOWN),
        (200, b"", Refusal.CLIENT),
        (200, b"<html>canary-4f1d", Refusal.CLIENT),
        (200, b"[" * 60_000, Refusal.CLIENT),
        (200, b"[]", Refusal.CLIENT),
        (200, b'{"access_token": 5}', Refusal.CLIENT),
        (200, b'{"access_token": ""}', Refusal.CLIENT),
        (200, b'{"access_token": "canary-4f1d\\r\\nX: y"}', Refusal.CLIENT),
        (200, b'{"access_token": "%b"}' % (b"x" * 9000), Refusal.CLIENT),
        (200, b'{"access_token": "canary-4f1d", "token_type": "mac"}', Refusal.CLIENT),
    ],
)
def test_an_answer_without_a_token(status: int, body: bytes, why: Refusal) -> None:
    """Says whether waiting helps; nothing that the endpoint wrote is repeated."""
    refused(read_token(PostAnswer(status, body), 0), why)


def test_an_error_of_the_rfc_is_told() -> None:
    """It says what has to be mended."""
    found = read_token(PostAnswer(400, b'{"error": "invalid_scope"}'), 0)

    assert "invalid_scope" in refused(found, Refusal.CLIENT)


def test_no_secret_is_ever_shown() -> None:
    """Neither the client's nor a token, nor what a URL may hold."""
    client = client_of(f"https://login.example/?key={CANARY}")
    shown = repr(client) + repr(read_token(PostAnswer(200, token(CANARY).body), 0))
    shown += repr(PostAnswer(200, CANARY.encode())) + repr(ProxyUser("u", lambda: CANARY))

    assert CANARY not in shown
