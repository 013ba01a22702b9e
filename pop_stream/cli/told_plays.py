"""The plays that `player send` is given: by flags, from a file or from stdin; all are judged."""

import secrets
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final
from uuid import UUID

import click
import orjson

from pop_stream.errors import UsageError
from pop_stream.player.telling import Told, Wrong, judged, told_in
from pop_stream.pop.event import Rules
from pop_stream.pop.identity import PopIdMaker
from pop_stream.pop.play_times import latest_local_time
from pop_stream.settings import Settings

#: Of what is wrong, or odd.
_NAMED_MOST: Final = 20
#: As the owner's document lists them, with their flags.
FLAGS: Final = {
    "filename": "filename", "assetId": "asset_id", "ioNumber": "io_number",
    "startTimestamp": "start", "endTimestamp": "end", "screenState": "screen_state",
    "siteId": "site", "screenId": "screen",
}  # fmt: skip
_OPTIONAL: Final = frozenset(("ioNumber", "screenState"))


@dataclass(frozen=True, slots=True)
class ToldPlays:
    """Plays of which each may be kept or sent."""

    file: IO[bytes]
    rules: Rules
    latest: str

    def __iter__(self) -> Iterator[tuple[Told, bytes]]:
        """Each with a new pop-id."""
        make_id = PopIdMaker(lambda: time.time_ns() // 1_000_000, secrets.randbits)
        self.file.seek(0)
        for _, body in told_in(self.file):
            told = judged(body, rules=self.rules, latest=self.latest)
            if isinstance(told, Told):
                yield told, UUID(make_id()).bytes


@contextmanager
def told_plays(
    settings: Settings, source: str | None, flags: Mapping[str, str | None]
) -> Iterator[ToldPlays]:
    """Judge all that is told, and give it.

    Raises UsageError, which names each field that is wrong, and the line that it is on.
    """
    given = [name for name, flag in FLAGS.items() if flags[flag] is not None]
    if source is not None and given:
        raise UsageError(f"give either --from, or {_flag(given[0])} and the others")
    # A file of ours: stdin is read once only, and what was judged must be what is sent.
    with TemporaryFile() as file:
        if source is None:
            file.write(orjson.dumps(_event(flags)))
        else:
            _copy(source, file)
        plays = ToldPlays(
            file,
            Rules(
                max_bytes=settings.max_event_bytes,
                overlong=timedelta(seconds=settings.max_overlong_seconds),
            ),
            latest_local_time(datetime.now(UTC)),
        )
        _judge(plays, source)
        yield plays


def _event(flags: Mapping[str, str | None]) -> dict[str, str]:
    missing = [f"{_flag(name)} ({name})" for name, flag in FLAGS.items()
               if flags[flag] is None and name not in _OPTIONAL]  # fmt: skip
    if missing:
        raise UsageError(f"missing: {', '.join(missing)}; or give --from FILE")
    return {name: value for name, flag in FLAGS.items() if (value := flags[flag]) is not None}


def _flag(name: str) -> str:
    return f"--{FLAGS[name].replace('_', '-')}"


def _copy(source: str, file: IO[bytes]) -> None:
    try:
        if source == "-":
            shutil.copyfileobj(sys.stdin.buffer, file)
        else:
            with Path(source).open("rb") as given:
                shutil.copyfileobj(given, file)
    except OSError as error:
        raise UsageError(f"{source} cannot be read ({error.strerror})") from error


def _judge(plays: ToldPlays, source: str | None) -> None:
    plays.file.seek(0)
    wrong, odd, number = [], [], 0
    for line, body in told_in(plays.file):
        number += 1
        judgement = judged(body, rules=plays.rules, latest=plays.latest)
        place = "" if source is None else f"line {line}: "
        if isinstance(judgement, Wrong):
            wrong.append(place + "; ".join(judgement.why))
        elif judgement.flags:
            odd.append(place + ", ".join(judgement.flags))
    if wrong:
        raise UsageError("nothing was kept or sent:\n" + "\n".join(_first(wrong)))
    if not number:
        raise UsageError(f"there is no event in {source}: write one JSON object a line")
    for said in _first(odd):
        click.echo(f"odd, and goes on: {said}", err=True)


def _first(lines: list[str]) -> list[str]:
    more = len(lines) - _NAMED_MOST
    return [*lines[:_NAMED_MOST], *([f"and {more:,} more"] if more > 0 else ())]
