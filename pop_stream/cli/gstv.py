"""`pop-stream gstv`: a stand-in for GSTV."""

import asyncio
import os
import signal
from typing import Any

import click
import uvloop

from pop_stream.cli.near import NearGroup
from pop_stream.cli.value_types import FILE
from pop_stream.gstv.mock.guard import guard_of
from pop_stream.gstv.mock.rules import EXAMPLE, Rules
from pop_stream.gstv.mock.rules_json import load_rules
from pop_stream.gstv.mock.server import MockConfig, running_mock
from pop_stream.settings import load_settings

#: As narrow as all help is.
_RULES = EXAMPLE.rstrip().replace(', "then"', ',\n   "then"')
_HELP = f"""Answer POSTs as GSTV would, and misbehave as told.

Runs until SIGTERM (exit 0) or Ctrl-C (exit 130). stdout gets one line, the URL, once it listens.
A POST to any path but /__mock__/... is an event. GET /__mock__/stats tells the figures; GET and PUT
/__mock__/rules shows and replaces the rules.
With --require-auth it wants the credentials and signatures that POP_STREAM_GSTV_AUTH and
POP_STREAM_GSTV_SIGNING_SECRETS of its own environment say, and answers 401 without; with oauth2 it
is the token endpoint, too, at /__mock__/token, and its tokens live for a minute.

\b
Rules are a list; the first that matches decides; without one it is 200.
All conditions of "when" must hold, and without any a rule always matches:
  field    a field of the event: a value, {{"equals": ..}}, {{"prefix": ..}}
           or {{"glob": ..}}
  header   a header of the request, in the same way
  share    a share of the events, by their id, so an event is always on the
           same side: 0.1 for the first 10 %, [0.1, 0.3] for the next 20 %
  random   a share of the attempts, by chance (see --seed)
  nth      the how-manieth attempt of its id: 1, "<=2", ">3"
  window   [from, to] seconds since these rules were set
  above_per_second
           more attempts that match all else than so many a second: a token
           bucket with a burst of a tenth of a second (at least 1); what it
           does not let through takes no token
\b
"then" says what happens:
  status, retry_after, headers, body   the answer
  delay        seconds, or [least, most], before it
  hang         true: no answer, ever
  reset        "before-read", "after-read", "mid-response" or "after-response"
  slow_body    seconds over which the answer's body is sent
  close        true: close the connection after the answer

\b
Example of a rules file:
{_RULES}

\b
Example:
  pop-stream gstv mock --port 8080 --ledger ledger.ndjson \\
    --rules '[{{"when": {{"share": 0.1, "nth": 1}}, "then": {{"status": 503}}}}]'
"""


def _as_host(_context: object, _parameter: object, host: str) -> str:
    try:
        host.encode("idna")
    except UnicodeError as error:
        raise click.BadParameter(f"{host!r} is no name or address of a machine") from error
    return host


@click.group(cls=NearGroup)
def gstv() -> None:
    r"""Stand in for GSTV.

    \b
    Example:
      pop-stream gstv mock --port 8080 --ledger ledger.ndjson
    """


@gstv.command(help=_HELP)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port to listen on. 0: any free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    callback=_as_host,
    help="The address to listen on.",
)
@click.option("--rules", help="A file of rules, or the JSON itself.")
@click.option("--ledger", type=FILE, help="Append a line of JSON for each request here.")
@click.option("--certfile", type=FILE, help="Speak https with this certificate (PEM).")
@click.option("--keyfile", type=FILE, help="The certificate's key (PEM).")
@click.option(
    "--require-auth", is_flag=True, help="Ask for the credentials and signatures of the settings."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Repeats the same chances.")
def mock(rules: str | None, *, require_auth: bool, **options: Any) -> int:  # noqa: D103 - its help is _HELP
    config = MockConfig(
        rules=load_rules(rules) if rules is not None else Rules(),
        guard=guard_of(load_settings(os.environ)) if require_auth else None,
        **options,
    )
    return uvloop.run(_serve(config))


async def _serve(config: MockConfig) -> int:
    """Run the mock until a signal; the exit code."""
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        asyncio.get_running_loop().add_signal_handler(number, _end, ended, code)
    async with running_mock(config) as running:
        click.echo(running.url)
        failed = asyncio.create_task(running.failed())
        failed.add_done_callback(lambda _: _end(ended, 1))
        code = await ended
        if failed.done():
            await failed
        failed.cancel()
        return code


def _end(ended: asyncio.Future[int], code: int) -> None:
    if not ended.done():
        ended.set_result(code)
