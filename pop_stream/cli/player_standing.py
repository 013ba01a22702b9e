"""How an outbox stands: for people, for programs, and for node_exporter."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from pop_stream.errors import WorkFailedError
from pop_stream.player.outbox.clock import Sync
from pop_stream.player.outbox.row import State
from pop_stream.player.outbox.standing import NAMED_MOST, Contents, Standing
from pop_stream.pop.moments import utc
from pop_stream.watch.figures import span

_WORDS = {
    State.OPEN: "being shown",
    State.READY: "waiting",
    State.LEASED: "being sent",
    State.ACKED: "confirmed, and kept for a while",
    State.ASIDE: "set aside",
}
_NAMES = {State.OPEN: "open", State.READY: "ready", State.LEASED: "leased",
          State.ACKED: "acked", State.ASIDE: "aside"}  # fmt: skip
_MIB = 1024 * 1024
#: A metric, what it is, further labels, and its value.
_Sample: TypeAlias = tuple[str, str, str, float | None]


def as_object(standing: Standing, *, now_ms: int) -> dict[str, Any]:
    """All of it, for a program; null where the file cannot be read."""
    contents, limits = standing.contents, standing.limits
    return {
        "outbox": str(standing.path),
        "plays": contents and {_NAMES[state]: plays for state, plays in contents.plays.items()},
        "oldestWaiting": contents and _iso(contents.oldest),
        "oldestWaitingSeconds": contents and _age(contents.oldest, now_ms),
        "lastAck": contents and _iso(contents.last_ack),
        "heartbeat": contents and _iso(contents.heartbeat),
        "bytes": {"used": contents and contents.used_bytes, "file": standing.file_bytes,
                  "log": standing.log_bytes, "soft": limits and limits.soft,
                  "hard": limits and limits.hard},
        "lost": contents and [each.as_object() for each in contents.untold],
        "aside": contents and [
            {"popId": each.pop_id, "screen": each.key, "playedAt": _iso(each.started),
             "error": each.error}
            for each in contents.aside
        ],
        "clock": {"now": standing.clock, "atLastPlay": contents and contents.last_clock},
        "recordedBy": standing.recorder,
        "sentBy": standing.sender,
        "damage": list(standing.damage),
        "mode": None if standing.mode is None else f"{standing.mode:04o}",
    }  # fmt: skip


def as_lines(standing: Standing, *, now_ms: int) -> Iterator[str]:
    """All of it, for people."""
    contents = standing.contents
    if contents is not None:
        yield from _lines_of(contents, now_ms)
    if contents is not None and (limits := standing.limits) is not None:
        yield (f"{contents.used_bytes / _MIB:,.1f} MiB used; warns from "
               f"{limits.soft / _MIB:,.0f} on, takes nothing beyond {limits.hard / _MIB:,.0f}"
               )  # fmt: skip
    if contents is not None:
        yield f"clock: {standing.clock}; at the latest play: {contents.last_clock or 'no play'}"
    yield f"recorded by {_process(standing.recorder)}; sent by {_process(standing.sender)}"
    if contents is not None:
        yield from _alarms_of(contents)
    if standing.mode is not None and standing.mode & 0o007:
        yield (f"OPEN    everybody on this machine can use it (mode {standing.mode:04o}): "
               f"chmod o= {standing.path}*")  # fmt: skip
    for said in standing.damage:
        yield f"DAMAGED {said}"


def _lines_of(contents: Contents, now_ms: int) -> Iterator[str]:
    for state, plays in contents.plays.items():
        if plays or state in (State.READY, State.ASIDE):
            yield f"{plays:>12,}  {_WORDS[state]}"
    age = _age(contents.oldest, now_ms)
    yield "nothing waits" if age is None else f"the oldest waits for {span(max(age, 0))}"
    acked = _age(contents.last_ack, now_ms)
    yield "none is known to be confirmed" if acked is None else (
        f"the last was confirmed {span(max(acked, 0))} ago"
    )  # fmt: skip


def _alarms_of(contents: Contents) -> Iterator[str]:
    for each in contents.untold:
        numbers = f"numbers {each.first} to {each.last}"
        yield f"LOST    {each.plays:,} of screen {each.key}, {numbers}: {each.reason}"
    for one in contents.aside:
        yield f"ASIDE   {one.pop_id}  {one.key}  {one.error or 'no reason is known'}"
    if contents.plays[State.ASIDE] > NAMED_MOST:
        yield f"        and {contents.plays[State.ASIDE] - NAMED_MOST:,} more"


def as_textfile(standing: Standing) -> str:
    """All that can be counted, as node_exporter's textfile collector reads it.

    What is not known is absent: 0 would be a lie.
    """
    contents, limits = standing.contents, standing.limits
    samples = [
        *(_of_contents(contents) if contents is not None else ()),
        ("outbox_soft_limit_bytes", "From here on the outbox says so.", "",
         limits and limits.soft),
        ("outbox_hard_limit_bytes", "Nothing is written beyond.", "", limits and limits.hard),
        ("outbox_damaged", "1: the file is not what was written.", "", int(bool(standing.damage))),
        ("clock_synchronised", "1: the kernel's clock is kept in time; absent when unknown.", "",
         {Sync.SYNCED: 1, Sync.UNSYNCED: 0}.get(Sync(standing.clock))),
        ("recording", "1: a process records plays.", "", int(standing.recorder is not None)),
        ("sending", "1: a process sends plays.", "", int(standing.sender is not None)),
    ]  # fmt: skip
    lines: list[str] = []
    name, before = _escaped(standing.path.name), ""
    for metric, text, labels, value in samples:
        if value is None:
            continue
        full = f"pop_stream_player_{metric}"
        if full != before:
            lines += [f"# HELP {full} {text}", f"# TYPE {full} gauge"]
        lines.append(f'{full}{{outbox="{name}"{labels}}} {value}')
        before = full
    return "\n".join(lines) + "\n"


def _of_contents(contents: Contents) -> Iterator[_Sample]:
    for state, plays in contents.plays.items():
        yield "plays", "Plays in the outbox by state.", f',state="{_NAMES[state]}"', plays
    yield ("oldest_waiting_timestamp_seconds",
           "When the oldest play began that Kafka has not confirmed; absent when none waits.", "",
           _seconds(contents.oldest))  # fmt: skip
    yield ("last_ack_timestamp_seconds", "When Kafka last confirmed a play.", "",
           _seconds(contents.last_ack))  # fmt: skip
    yield ("heartbeat_timestamp_seconds", "When the recording process last noted that it lives.",
           "", _seconds(contents.heartbeat))  # fmt: skip
    yield ("outbox_used_bytes", "Bytes of the outbox that hold something.", "",
           contents.used_bytes)  # fmt: skip
    yield ("lost_plays", "Plays declared lost that no play has told of yet.", "",
           contents.lost)  # fmt: skip


def write_textfile(path: Path, text: str) -> None:
    """Put a file in place at once: who reads it meanwhile has the old one. Raises WorkFailedError.

    Its name while it is written does not end as the collector wants it.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(text, "utf-8")
        # The collector is another user.
        unfinished.chmod(0o644)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise WorkFailedError(f"{path} cannot be written ({error.strerror})") from error


def _process(pid: int | None) -> str:
    return "nobody" if pid is None else f"process {pid}"


def _iso(epoch_ms: int | None) -> str | None:
    return None if epoch_ms is None else utc(epoch_ms)


def _age(epoch_ms: int | None, now_ms: int) -> float | None:
    return None if epoch_ms is None else round((now_ms - epoch_ms) / 1000, 3)


def _seconds(epoch_ms: int | None) -> float | None:
    return None if epoch_ms is None else epoch_ms / 1000


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
