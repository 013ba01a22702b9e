"""Runs the mock: a socket, a ledger, the rules."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pop_stream.errors import SettingsError, WorkFailedError
from pop_stream.gstv.mock.control import Control
from pop_stream.gstv.mock.guard import Guard
from pop_stream.gstv.mock.http import HttpConnection
from pop_stream.gstv.mock.ledger import LedgerWriter
from pop_stream.gstv.mock.partner import Partner
from pop_stream.gstv.mock.rules import Rules

_BACKLOG: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class MockConfig:
    """How the mock is set up."""

    host: str = "127.0.0.1"
    #: 0 takes any free port.
    port: int = 8080
    rules: Rules = field(default_factory=Rules)
    ledger: Path | None = None
    #: PEM files for https; both or none.
    certfile: Path | None = None
    keyfile: Path | None = None
    #: What is asked of whoever posts; none: nothing.
    guard: Guard | None = None
    #: Of all that is left to chance.
    seed: int = 1


@dataclass(frozen=True, slots=True)
class RunningMock:
    """A mock that is listening."""

    url: str
    partner: Partner

    async def failed(self) -> None:
        """Wait until the mock cannot go on, and raise WorkFailedError then."""
        # Shielded: whoever stops waiting must not make the ledger look failed.
        error = await asyncio.shield(self.partner.ledger_failed)
        raise WorkFailedError(f"the ledger cannot be written: {error}")


@asynccontextmanager
async def running_mock(config: MockConfig) -> AsyncIterator[RunningMock]:
    """Listen until the context ends. Raises SettingsError when it cannot start."""
    context = _tls(config)
    ledger = _open_ledger(config.ledger)
    guard = config.guard
    partner = Partner(config.rules, ledger, seed=config.seed, guard=guard)
    connections: set[HttpConnection] = set()
    control = Control(partner, None if guard is None else guard.desk)
    try:
        server = await _listen(
            lambda: HttpConnection(partner, control, connections), config, context
        )
        try:
            yield RunningMock(_url(server, config), partner)
        finally:
            server.close()
            partner.close()
            for connection in list(connections):
                connection.abort()
    finally:
        if ledger is not None:
            ledger.close()


async def _listen(
    factory: Callable[[], HttpConnection], config: MockConfig, context: ssl.SSLContext | None
) -> asyncio.Server:
    try:
        return await asyncio.get_running_loop().create_server(
            factory, config.host, config.port, ssl=context, backlog=_BACKLOG
        )
    except OSError as error:
        where = f"{config.host}:{config.port}"
        raise SettingsError([f"port: cannot listen on {where}: {_reason(error)}"]) from None


def _url(server: asyncio.Server, config: MockConfig) -> str:
    port = server.sockets[0].getsockname()[1]
    host = f"[{config.host}]" if ":" in config.host else config.host
    return f"{'https' if config.certfile else 'http'}://{host}:{port}"


def _open_ledger(path: Path | None) -> LedgerWriter | None:
    if path is None:
        return None
    try:
        return LedgerWriter(path)
    except OSError as error:
        raise SettingsError([f"ledger: cannot write {path}: {_reason(error)}"]) from None


def _tls(config: MockConfig) -> ssl.SSLContext | None:
    if config.certfile is None and config.keyfile is None:
        return None
    if config.certfile is None or config.keyfile is None:
        raise SettingsError(["certfile and keyfile: https needs both"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(config.certfile, config.keyfile)
    except OSError as error:
        raise SettingsError([f"certfile and keyfile: cannot be used: {_reason(error)}"]) from None
    return context


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
