"""`python -m faults.soak`: rounds of drawn faults for as long as asked, each judged as it ends.

A soak that was interrupted goes on with the round after the last that was judged: what came of each
is a line of `rounds.ndjson` in its folder.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from faults.cluster import running_cluster
from faults.draw import draw_round
from faults.run import Played, play

_FOLDER = Path("faults/results/soak")
_ROUNDS = "rounds.ndjson"


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--minutes", default=60.0, show_default=True, metavar="N",
              help="How long players send, in all rounds together.")  # fmt: skip
@click.option("--round-seconds", default=300.0, show_default=True, metavar="N",
              help="How long they send in a round.")  # fmt: skip
@click.option("--rate", default=600.0, show_default=True, metavar="N", help="Events a second.")
@click.option("--seed", default=1, show_default=True, metavar="N", help="For all that is drawn.")
@click.option("--folder", type=click.Path(path_type=Path), default=_FOLDER, show_default=True,
              help="Where the evidence and the report go.")  # fmt: skip
def main(*, minutes: float, round_seconds: float, rate: float, seed: int, folder: Path) -> None:
    r"""Play drawn faults on a real cluster, round after round, and judge each round.

    Interrupted, it goes on where it was when started again with the same seed and folder. Ends 0
    when every check of every round is met.

    \b
    Example:
      python -m faults.soak --minutes 60 --seed 7
    """
    folder.mkdir(parents=True, exist_ok=True)
    rounds = _read(folder / _ROUNDS, seed=seed)
    try:
        _play_rounds(rounds, minutes=minutes, round_seconds=round_seconds, rate=rate, seed=seed,
                     folder=folder)  # fmt: skip
    except KeyboardInterrupt:
        _say(f"interrupted: the same command goes on with round {len(rounds) + 1}")
        sys.exit(130)
    table = as_markdown(rounds)
    (folder / "report.md").write_text(table, "utf-8")
    click.echo(table)
    sys.exit(1 if any(one["failed"] for one in rounds) else 0)


def _play_rounds(
    rounds: list[dict[str, Any]],
    *,
    minutes: float,
    round_seconds: float,
    rate: float,
    seed: int,
    folder: Path,
) -> None:
    with running_cluster(seed=seed) as cluster:
        while (left := minutes * 60 - sum(one["seconds"] for one in rounds)) > 0:
            number = len(rounds) + 1
            scenario = draw_round(number, seed=seed, seconds=round_seconds, events_per_second=rate)
            _say(f"round {number}, {left / 60:.0f} min left: {scenario.title}")
            played = play(scenario, cluster, folder / scenario.name, seed=seed, say=_say)
            rounds.append(_line(number, seed, scenario.seconds, played))
            with (folder / _ROUNDS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(rounds[-1]) + "\n")
            _say(f"  {'FAILED: ' + ', '.join(played.failed) if played.failed else 'ok'}")
            if played.failed:
                _say(played.report)


def as_markdown(rounds: Sequence[Mapping[str, Any]]) -> str:
    """The report: what all rounds came to."""
    faults: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    for one in rounds:
        faults.update(one["faults"])
        causes.update(one["duplicates"])
    rows = [
        ("rounds, seeds", f"{len(rounds)}, {sorted({one['seed'] for one in rounds})}"),
        ("minutes of sending", f"{sum(one['seconds'] for one in rounds) / 60:.0f}"),
        ("events confirmed to the players", f"{_sum(rounds, 'events'):,}"),
        ("requests that GSTV read", f"{_sum(rounds, 'requests'):,}"),
        ("commits judged", f"{_sum(rounds, 'commits'):,}"),
        ("rebalances", f"{_sum(rounds, 'rebalances'):,}"),
        ("faults that bit", f"{sum(faults.values()):,}"),
        *((f"- {kind}", f"{count:,}") for kind, count in sorted(faults.items())),
        ("lost", f"{_sum(rounds, 'lost'):,}"),
        ("failed checks", ", ".join(check for one in rounds for check in one["failed"]) or "none"),
        ("duplicates", f"{sum(causes.values()):,}"),
        *((f"- {cause}", f"{count:,}") for cause, count in sorted(causes.items())),
        ("slowest recovery, seconds", f"{max(one['recovered'] for one in rounds):.1f}"),
        ("growth of the worker that was never struck, MB an hour",
         ", ".join(f"{one['growth_mb_per_hour']:+.1f}" for one in rounds)),
    ]  # fmt: skip
    return "\n".join(["| what | count |", "| --- | ---: |", *(f"| {a} | {b} |" for a, b in rows)])


def _line(number: int, seed: int, seconds: float, played: Played) -> dict[str, Any]:
    counts = played.judgement.counts
    return {
        "round": number,
        "seed": seed,
        "seconds": seconds,
        "events": counts["events"],
        "requests": counts["requests"],
        "commits": counts["commits"],
        "rebalances": played.rebalances,
        "faults": dict(played.faults),
        "lost": played.measured("loss"),
        "failed": played.failed,
        "duplicates": played.duplicates,
        "recovered": played.measured("progress"),
        "growth_mb_per_hour": played.growth_mb_per_hour,
    }


def _read(path: Path, *, seed: int) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    rounds = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    if any(one["seed"] != seed for one in rounds):
        raise click.UsageError(f"{path} has rounds of another seed: name another folder")
    _say(f"{len(rounds)} rounds are done already")
    return rounds


def _sum(rounds: Sequence[Mapping[str, Any]], name: str) -> int:
    return int(sum(one[name] for one in rounds))


def _say(line: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {line}", err=True)


if __name__ == "__main__":
    main()
