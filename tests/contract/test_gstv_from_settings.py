"""Clients as settings make them: who is shown what."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from pop_stream.access import reread
from pop_stream.gstv.from_settings import client_maker
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from pop_stream.settings import Settings, load_settings
from tests.support.gstv_server import CERTS, always_ok, hostile_server, server_context
from tests.unit.settings.certificates import CERTIFICATE

Run = Callable[[Coroutine[Any, Any, None]], None]
ELSEWHERE = "https://gstv.example/pops"


def settings_of(**given: Any) -> Settings:
    """Settings for GSTV, with the tests' own CA."""
    given = {"gstv_ssl_cafile": str(CERTS / "ca.pem"), **given}
    return load_settings({}, overrides=given, dotenv=None)


async def post(settings: Settings, url: str) -> Outcome:
    """Make one post as settings say."""
    outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    make = client_maker(settings, url)
    client = make(lambda _, came: outcome.set_result(came))
    client.post("token", b"{}", "id", 1)
    try:
        return await asyncio.wait_for(outcome, 20)
    finally:
        await client.aclose()


def asking_for_a_certificate() -> ssl.SSLContext:
    """TLS of a server that wants to know who we are."""
    context = server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(CERTS / "ca.pem")
    return context


def test_gstv_is_shown_our_certificate(run: Run) -> None:
    """Where it asks for one."""

    async def scenario() -> None:
        with hostile_server(always_ok, context=asking_for_a_certificate()) as server:
            certificate = str(CERTS / "server.pem")
            shown = settings_of(gstv_url=server.url, gstv_ssl_certfile=certificate)
            assert await post(shown, server.url) == Answer(200)
            missing = await post(settings_of(gstv_url=server.url), server.url)
            assert isinstance(missing, NoAnswer)
            assert missing.trouble is Trouble.TLS

    run(scenario())


def test_nobody_else_is_shown_our_certificate(run: Run) -> None:
    """A notification URL of another host, or of another port, is somebody else's."""

    async def scenario() -> None:
        with hostile_server(always_ok, context=asking_for_a_certificate()) as server:
            certificate = str(CERTS / "server.pem")
            settings = settings_of(gstv_url=ELSEWHERE, gstv_ssl_certfile=certificate)
            outcome = await post(settings, server.url)
            assert isinstance(outcome, NoAnswer)
            assert outcome.trouble is Trouble.TLS
            assert server.requests == []

    run(scenario())


def test_a_token_is_for_gstv_alone(run: Run) -> None:
    """The notification URL sees it only where it is of the same scheme, host and port."""

    async def scenario() -> None:
        with hostile_server(always_ok) as server:
            proof = {"gstv_auth": "bearer", "gstv_auth_token": "tulip"}
            for url in (ELSEWHERE, server.url.replace("127.0.0.1", "localhost"), server.url):
                settings = settings_of(gstv_url=url, **proof)
                assert await post(settings, server.url + "/notifications") == Answer(200)
            seen = [b"Authorization: Bearer tulip" in request for _, request in server.requests]
            assert seen == [False, False, True]

    run(scenario())


def test_certificates_that_are_replaced_are_used_without_a_restart(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of GSTV's authority, and our own: the next connection is made with the new ones."""
    monkeypatch.setattr(reread, "_LOOK_SECONDS", 0.0)
    ours, theirs = tmp_path / "ours.pem", tmp_path / "theirs.pem"
    ours.write_bytes((CERTS / "expired.pem").read_bytes())
    theirs.write_text(CERTIFICATE)

    async def scenario() -> None:
        with hostile_server(always_ok, context=asking_for_a_certificate()) as server:
            settings = settings_of(
                gstv_url=server.url, gstv_ssl_cafile=str(theirs), gstv_ssl_certfile=str(ours)
            )
            told: asyncio.Queue[Outcome] = asyncio.Queue()
            client = client_maker(settings, server.url)(lambda _, came: told.put_nowait(came))
            troubles = []
            for replaced, by in ((theirs, "ca"), (ours, "server"), (ours, "server")):
                client.post("token", b"{}", "id", 1)
                troubles.append(await asyncio.wait_for(told.get(), 20))
                replaced.write_bytes((CERTS / f"{by}.pem").read_bytes())
            await client.aclose()
        unknown, old, good = troubles
        assert isinstance(unknown, NoAnswer)
        assert unknown.trouble is Trouble.TLS
        assert isinstance(old, NoAnswer)
        assert old.trouble is Trouble.TLS
        assert good == Answer(200)

    run(scenario())
