"""One of several processes of GSTV's mock that share a port: `python -m bench.mocks`.

The kernel gives each connection to one of them (SO_REUSEPORT). Each has a port of its own besides,
to be asked what it has counted.
"""

import asyncio
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

import orjson
import uvloop

from pop_stream.gstv.mock.control import Control
from pop_stream.gstv.mock.http import HttpConnection
from pop_stream.gstv.mock.ledger import LedgerWriter
from pop_stream.gstv.mock.partner import Partner
from pop_stream.gstv.mock.rules_json import parse_rules

_BACKLOG = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one of the processes is told, as JSON, in its only argument."""

    #: The port that all of them share.
    port: int
    #: The port that only this one listens on.
    own_port: int
    rules: list[object]
    ledger: str | None
    certificate: str | None
    key: str | None


async def serve(share: Share) -> None:
    """Listen on both ports until the process is ended."""
    ledger = LedgerWriter(Path(share.ledger)) if share.ledger else None
    partner = Partner(parse_rules(orjson.dumps(share.rules)), ledger, seed=1)
    control = Control(partner)
    everyone: set[HttpConnection] = set()
    loop = asyncio.get_running_loop()
    # Its own port comes last: who finds it open may use the other one.
    for port, context in ((share.port, _tls(share)), (share.own_port, None)):
        await loop.create_server(
            lambda: HttpConnection(partner, control, everyone),
            "127.0.0.1",
            port,
            ssl=context,
            reuse_port=True,
            backlog=_BACKLOG,
        )
    raise await partner.ledger_failed


def _tls(share: Share) -> ssl.SSLContext | None:
    if not share.certificate or not share.key:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(share.certificate, share.key)
    return context


if __name__ == "__main__":
    uvloop.run(serve(Share(**orjson.loads(sys.argv[1]))))
