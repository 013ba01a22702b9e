"""Tokens by OAuth 2.0, from an issuer over real HTTP."""

import base64
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from pop_stream.access import oauth
from pop_stream.access.oauth import NoToken, OAuthClient, Token, Tokens, fetch_token
from pop_stream.access.tls import client_ssl_context
from tests.support.authority import Authority
from tests.support.issuer import CLIENT, SECRET, Answer, Issuer, issuer


@pytest.fixture
def server() -> Iterator[Issuer]:
    """Run an issuer."""
    with issuer() as made:
        yield made


def client(url: str, **more: object) -> OAuthClient:
    """Make the client that the issuer knows."""
    values: dict[str, object] = {"url": url, "client_id": CLIENT, "secret": lambda: SECRET}
    return OAuthClient(**(values | more))  # type: ignore[arg-type]


def test_a_token_is_asked_for_as_rfc_6749_has_it(server: Issuer) -> None:
    """The login is encoded before it is joined; grant and scope are in the form."""
    token = fetch_token(client(server.token_url, scope="pop:write"))

    assert isinstance(token, Token)
    assert token.value.count(".") == 2
    ((headers, form),) = server.asked
    login = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
    assert [unquote_plus(part) for part in login.split(":")] == [CLIENT, SECRET]
    assert form == {"grant_type": ["client_credentials"], "scope": ["pop:write"]}


def test_a_token_is_renewed_before_it_ends(server: Issuer) -> None:
    """A fifth of its life before, and a minute at most."""
    for life, early in ((100.0, 20.0), (3600.0, 60.0)):
        server.life_seconds = life
        token = fetch_token(client(server.token_url))
        assert isinstance(token, Token)
        assert token.ends_at - token.renew_at == pytest.approx(early)


def said(status: int, body: object, **headers: str) -> Callable[[], Answer]:
    """Make an answer."""
    return lambda: (status, headers, json.dumps(body).encode())


SECRET_ANSWER = "canary-token"
GOOD = {"access_token": "abc", "token_type": "bearer"}


@pytest.mark.parametrize(
    ("answer", "why", "refused"),
    [
        (said(401, {"error": "invalid_client"}), "answered 401 (invalid_client)", True),
        (said(400, {"error": f"{SECRET_ANSWER}!"}), "answered 400", True),
        (said(302, {}, Location="http://127.0.0.1:1/"), "answered 302", True),
        (said(429, {}), "answered 429", False),
        (said(503, [SECRET_ANSWER]), "answered 503", False),
        (said(200, {}), "without a token", True),
        (said(200, GOOD | {"access_token": "a\r\nX-Evil: 1"}), "without a token", True),
        (said(200, GOOD | {"access_token": [SECRET_ANSWER]}), "without a token", True),
        (said(200, GOOD | {"token_type": "mac"}), "no bearer token", True),
        (lambda: (200, {}, b"[" * 60_000), "without a token", True),
        (lambda: (200, {}, b'{"access_token": "a' + b"a" * 70_000), "without a token", True),
    ],
)
def test_what_is_no_token_is_told_without_its_words(
    server: Issuer, answer: Callable[[], Answer], why: str, refused: bool
) -> None:
    """The issuer's status and its code are repeated, and nothing else that it says."""
    server.answer = answer
    given = fetch_token(client(server.token_url))

    assert isinstance(given, NoToken)
    assert why in given.why
    assert given.refused is refused
    assert SECRET_ANSWER not in repr(given)


@pytest.mark.parametrize("life", [None, "soon", -1, 0, 1e300, True])
def test_a_life_that_makes_no_sense_is_five_minutes(server: Issuer, life: object) -> None:
    """Most issuers say how long a token is good for; none has to."""
    server.answer = said(200, GOOD | {"expires_in": life})
    token = fetch_token(client(server.token_url))

    assert isinstance(token, Token)
    assert token.ends_at - token.renew_at in (60.0, pytest.approx(0.2))


def test_nobody_there_is_no_refusal() -> None:
    """An issuer that is not reached may be there in a moment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = fetch_token(client(f"http://127.0.0.1:{port}/token"))

    assert isinstance(given, NoToken)
    assert not given.refused
    assert "not reached: Connection refused" in given.why


def test_one_that_never_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for the token does not wait for ever."""
    monkeypatch.setattr(oauth, "_TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        given = fetch_token(client(f"http://127.0.0.1:{deaf.getsockname()[1]}/token"))

    assert isinstance(given, NoToken)
    assert not given.refused


def test_the_issuers_certificate_is_checked(tmp_path: Path) -> None:
    """One of an authority that nobody knows gets no secret."""
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.certificate("127.0.0.1", file="issuer.pem"))
    with issuer(context) as server:
        good = client(server.token_url, ssl_context=client_ssl_context(str(authority.cafile)))
        bad = client(server.token_url, ssl_context=client_ssl_context(str(other.cafile)))

        assert isinstance(fetch_token(good), Token)
        given = fetch_token(bad)
        assert isinstance(given, NoToken)
        assert "TLS with the issuer of tokens failed" in given.why
        assert len(server.asked) == 1


def test_neither_secret_nor_token_is_shown(server: Issuer) -> None:
    """The values that hold them do not repeat them."""
    asking = client(f"{server.token_url}?key=canary")
    token = fetch_token(asking)

    assert isinstance(token, Token)
    for text in (repr(asking), repr(token)):
        assert token.value not in text
        assert SECRET not in text
        assert "canary" not in text


class Issuance:
    """Answers that are given one after the other, and a clock that is moved by hand."""

    def __init__(self, *answers: Token | NoToken) -> None:
        self.now = 0.0
        self.asked = 0
        self._answers = list(answers)
        self.tokens = Tokens(client("http://unused/"), fetch=self._fetch, clock=lambda: self.now)

    def _fetch(self, _: OAuthClient) -> Token | NoToken:
        self.asked += 1
        return self._answers.pop(0)


A = Token(value="a", renew_at=80.0, ends_at=100.0)
B = Token(value="b", renew_at=180.0, ends_at=200.0)
NONE = NoToken(why="the issuer of tokens answered 503", refused=False)


def test_a_token_is_kept_until_it_is_time_to_renew_it() -> None:
    """Whoever asks in between is given the same."""
    issuance = Issuance(A, B)

    assert issuance.tokens.current is None
    assert [issuance.tokens.get() for _ in range(3)] == [A, A, A]
    issuance.now = 79.9
    assert issuance.tokens.current == A
    issuance.now = 80.0
    assert issuance.tokens.current is None
    assert issuance.tokens.get() == B
    assert issuance.asked == 2


def test_the_old_token_is_used_while_no_new_one_is_given() -> None:
    """The issuer may be away for the rest of the old one's life without anybody's noticing."""
    issuance = Issuance(A, NONE, NONE)
    issuance.tokens.get()

    issuance.now = 90.0
    assert issuance.tokens.get() == A
    issuance.now = 100.0
    assert issuance.tokens.get() == NONE


def test_an_issuer_that_gives_none_is_not_asked_by_everybody() -> None:
    """Many connections begin at once: one of them asks, and the next a second later."""
    issuance = Issuance(NONE, A)

    assert [issuance.tokens.get() for _ in range(5)] == [NONE] * 5
    assert issuance.asked == 1
    issuance.now = 1.0
    assert issuance.tokens.get() == A


def test_a_token_that_was_not_taken_is_asked_for_once_more() -> None:
    """Of many requests that come back with it, only the first has another one asked for."""
    issuance = Issuance(A, B)
    issuance.tokens.get()

    for _ in range(5):
        issuance.tokens.refuse("a")
        assert issuance.tokens.get() == B
    assert issuance.asked == 2


def test_threads_that_ask_at_once_share_one_token(server: Issuer) -> None:
    """A worker's two event loops log in at the same time."""
    tokens = Tokens(client(server.token_url))
    given: list[Token | NoToken] = []
    threads = [threading.Thread(target=lambda: given.append(tokens.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(server.asked) == 1
    assert len({token.value for token in given if isinstance(token, Token)}) == 1
