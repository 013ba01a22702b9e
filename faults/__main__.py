"""`python -m faults`: plays scenarios on a real cluster, and ends 0 only if all is well."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from faults.cluster import running_cluster
from faults.plan import Scenario
from faults.report import as_markdown
from faults.run import Played, play
from faults.scenarios import SCENARIOS

_FOLDER = Path("faults/results")


def main(argv: Sequence[str] | None = None) -> int:
    """Play what was asked for; 1 when the checker found something, 2 for wrong use."""
    options = _options().parse_args(argv)
    if options.list:
        for scenario in SCENARIOS.values():
            print(f"{scenario.name:28} {scenario.rows:8} {scenario.title}")
        return 0
    unknown = [name for name in options.scenario if name not in SCENARIOS]
    if unknown:
        print(f"no such scenario: {', '.join(unknown)}; --list names them", file=sys.stderr)
        return 2
    chosen = [SCENARIOS[name] for name in options.scenario] or list(SCENARIOS.values())
    return _play_all(chosen, seed=options.seed, folder=options.folder)


def _play_all(scenarios: Sequence[Scenario], *, seed: int, folder: Path) -> int:
    played: list[Played] = []
    _say(f"{len(scenarios)} scenarios, seed {seed}; evidence in {folder}/")
    with running_cluster(seed=seed) as cluster:
        for number, scenario in enumerate(scenarios, 1):
            _say(f"[{number}/{len(scenarios)}] {scenario.name}: {scenario.title}")
            one = play(scenario, cluster, folder / scenario.name, seed=seed, say=_say)
            played.append(one)
            _say(f"  {'ok' if one.verdict == 0 else 'FAILED'} in {one.seconds:.0f} s")
            if one.verdict:
                _say(one.report)
    table = as_markdown(played)
    (folder / "report.md").write_text(table, "utf-8")
    print(table)
    return 1 if any(one.verdict for one in played) else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m faults",
        description="Play faults on three real brokers and real workers, and judge what came of it.",
        epilog="Example: python -m faults --scenario leader-killed --scenario gstv-down",
    )
    parser.add_argument("--scenario", action="append", default=[], metavar="NAME",
                        help="only this one; may be repeated")  # fmt: skip
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--folder", type=Path, default=_FOLDER, metavar="FOLDER",
                        help=f"where the evidence goes (default: {_FOLDER})")  # fmt: skip
    return parser


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
