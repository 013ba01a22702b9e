"""A token that GSTV refuses: everything is held, and goes on with another."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from pop_stream.gstv.from_settings import client_maker
from pop_stream.settings import Settings, load_settings
from tests.support.gstv_server import OK, HostileServer, Peer, hostile_server
from tests.support.token_endpoint import Answer, TokenEndpoint, token, token_endpoint
from tests.unit.stream.fakes import until
from tests.unit.stream.scene import EVENT, Scene

UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def gstv_that_takes(good: Callable[[], str]) -> Iterator[HostileServer]:
    """A GSTV that takes one token only."""

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            shown = b"\r\nAuthorization: Bearer %b\r\n" % good().encode()
            peer.send(OK if shown in server.requests[-1][1] else UNAUTHORIZED)

    with hostile_server(script) as server:
        yield server


def settings_of(gstv: HostileServer, endpoint: TokenEndpoint) -> Settings:
    """Settings with a token endpoint."""
    given = {
        "gstv_url": gstv.url,
        "gstv_auth": "oauth2",
        "gstv_oauth_url": endpoint.url,
        "gstv_oauth_client_id": "worker",
        "gstv_oauth_client_secret": "canary-4f1d",
    }
    return load_settings({}, overrides=given, dotenv=None)


def test_events_are_held_on_401_and_go_on_with_the_next_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No attempt is spent, nothing is sent twice in one attempt, one token is fetched for all."""
    with (
        gstv_that_takes(lambda: "tulip") as gstv,
        token_endpoint(token("rose"), token("tulip")) as endpoint,
    ):
        settings = settings_of(gstv, endpoint)

        async def scenario() -> None:
            scene = Scene(retries=0, make_client=client_maker(settings, settings.gstv_url))
            scene.arrive(*[EVENT] * 20)
            await until(lambda: scene.arrivals.ledger.finished == 20)
            await scene.forwarder.aclose()
            assert scene.kafka.tries == 0

        with caplog.at_level(logging.WARNING):
            asyncio.run(scenario())

        assert len(endpoint.asked) == 2
        refused = [r for _, r in gstv.requests if b"Bearer rose" in r]
        taken = [r for _, r in gstv.requests if b"Bearer tulip" in r]
        assert refused
        assert len(taken) == 20
        assert all(b"X-Pop-Attempt: 1\r\n" in request for _, request in gstv.requests)
        told = [record.getMessage() for record in caplog.records]
        assert told == ["delivery.held", "delivery.resumed"]
        assert "rose" not in caplog.text
        assert "canary" not in str([record.__dict__ for record in caplog.records])


def test_events_are_held_while_no_token_can_be_had(caplog: pytest.LogCaptureFixture) -> None:
    """GSTV sees nothing; once the endpoint is back, all goes on by itself."""
    with gstv_that_takes(lambda: "tulip") as gstv, token_endpoint(Answer(status=503)) as endpoint:
        settings = settings_of(gstv, endpoint)

        async def scenario() -> None:
            scene = Scene(retries=0, make_client=client_maker(settings, settings.gstv_url))
            scene.arrive(EVENT, EVENT)
            await until(lambda: "delivery.held" in caplog.text)
            assert gstv.requests == []
            endpoint.answers = [token("tulip")]
            await until(lambda: scene.arrivals.ledger.finished == 2)
            await scene.forwarder.aclose()
            assert scene.kafka.tries == 0

        with caplog.at_level(logging.WARNING):
            asyncio.run(scenario())

        (held,) = [r for r in caplog.records if r.getMessage() == "delivery.held"]
        assert held.__dict__["reason"] == "unreachable"
        assert held.__dict__["error"] == "token: the token endpoint answered 503"


def test_a_refused_client_is_a_matter_of_configuration(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody has to mend it, and hears what."""
    refusal = Answer(status=401, body=b'{"error": "invalid_client"}')
    with gstv_that_takes(lambda: "tulip") as gstv, token_endpoint(refusal) as endpoint:
        settings = settings_of(gstv, endpoint)

        async def scenario() -> None:
            scene = Scene(make_client=client_maker(settings, settings.gstv_url))
            scene.arrive(EVENT)
            await until(lambda: "delivery.held" in caplog.text)
            await scene.forwarder.aclose()
            assert scene.arrivals.ledger.finished == 0

        with caplog.at_level(logging.WARNING):
            asyncio.run(scenario())

        (held,) = [r for r in caplog.records if r.getMessage() == "delivery.held"]
        assert (held.levelname, held.__dict__["reason"]) == ("ERROR", "misconfigured")
        assert (
            held.__dict__["error"]
            == "credentials: the token endpoint answered 401 (invalid_client)"
        )
        assert gstv.requests == []
