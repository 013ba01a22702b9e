"""`python -m drill`: plays everything, and ends 0 if every panel and every alert showed it."""

import json
import shutil
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from drill.judge import AlertVerdict, PanelVerdict, judge_alerts, judge_panels
from drill.numbers import NEVER_QUIET, NUMBERS
from drill.phases import PHASES, Phase
from drill.prometheus import is_installed, running_prometheus
from drill.report import as_markdown
from drill.shortened import shortened
from drill.system import System, running_system
from grafana.expressions import Expression, expressions

_FOLDER = Path("drill/results")
_RULES = Path("docker/prometheus/rules")
_BOARDS = Path("grafana/dashboards")
_EVENTS_PER_SECOND = 150.0
#: What variables stand at besides "All".
_CHOSEN = {"topic": "pop-events", "job": "pop-stream"}


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--folder", type=click.Path(path_type=Path), default=_FOLDER, show_default=True,
              help="Where logs, evidence and the report go.")  # fmt: skip
@click.option("--seed", default=1, show_default=True, metavar="N", help="For whatever is drawn.")
@click.option("--only", multiple=True, metavar="PHASE",
              type=click.Choice([phase.name for group in PHASES for phase in group]),
              help="Play this phase only, to try it; may be repeated.")  # fmt: skip
def main(*, folder: Path, seed: int, only: Sequence[str]) -> None:
    r"""Let everything happen that dashboards and alerts are made for, beside a real Prometheus.

    Takes about ten minutes. Ends 0 when every panel of every dashboard has data, with each variable
    at "All" and at one value, and when every alert has fired and gone quiet.

    \b
    Example:
      python -m drill
      python -m drill --only outage
    """
    if not is_installed():
        raise click.UsageError("needs Prometheus: apt-get install prometheus")
    # What a drill before has left would be taken for this one's.
    shutil.rmtree(folder, ignore_errors=True)
    rules = _shortened_rules(folder)
    with (
        running_system(folder, seed=seed) as system,
        running_prometheus(folder / "prometheus", system.jobs, sorted(rules)) as prometheus,
    ):
        began = time.time()
        _play(system, only)
        span = (began, time.time())
        _say("asking Prometheus what it saw")
        panels = judge_panels(prometheus, _all_expressions(), span)
        alerts = judge_alerts(prometheus, [r for each in rules.values() for r in each], span)
    report = as_markdown(panels, alerts)
    (folder / "report.md").write_text(report, "utf-8")
    click.echo(report)
    sys.exit(0 if _is_well(panels, alerts) else 1)


def _is_well(panels: Sequence[PanelVerdict], alerts: Sequence[AlertVerdict]) -> bool:
    quiet = all(each.ok or (each.key in NEVER_QUIET and each.fired_seconds) for each in alerts)
    return quiet and not any(each.fault for each in panels)


def _shortened_rules(folder: Path) -> Mapping[Path, list[dict[str, Any]]]:
    """Write the rules with all times short; by the file, its rules."""
    target = folder / "rules"
    target.mkdir(parents=True, exist_ok=True)
    written = {}
    for path in sorted(_RULES.glob("*.yml")):
        quick = shortened(yaml.safe_load(path.read_text("utf-8")), NUMBERS)
        (target / path.name).write_text(yaml.safe_dump(quick, sort_keys=False), "utf-8")
        written[target / path.name] = [r for group in quick["groups"] for r in group["rules"]]
    (target / "failing.yml").write_text(yaml.safe_dump(_FAILING, sort_keys=False), "utf-8")
    written[target / "failing.yml"] = []
    return written


#: Cannot be evaluated while there are more than two workers: while the odd one lives.
_FAILING = {
    "groups": [
        {
            "name": "drill",
            "rules": [
                {
                    "record": "drill:fails",
                    "expr": 'vector(1) * on () ((up{job="pop-stream"} == 1)'
                    ' and on (job) count by (job) (up{job="pop-stream"} == 1) > 2)',
                }
            ],
        }
    ]
}


def _all_expressions() -> list[Expression]:
    """Every query of every dashboard: with all variables at "All", and at one value each."""
    boards = [json.loads(path.read_text("utf-8")) for path in sorted(_BOARDS.glob("*.json"))]
    return [
        each
        for board in boards
        for chosen in (None, _CHOSEN)
        for each in expressions(board, chosen, rate_interval="10s", span="5m")
    ]


def _play(system: System, only: Sequence[str]) -> None:
    for worker in system.workers:
        worker.start()
    system.watch.start()
    _wait_until_started(system)
    system.players.start(events_per_second=_EVENTS_PER_SECOND)
    began = time.monotonic()
    for group in PHASES:
        chosen = [phase for phase in group if not only or phase.name in only]
        for phase in chosen:
            _say(f"{time.monotonic() - began:4.0f} s  {phase.name}: {phase.title}")
        _at_the_same_time(system, chosen)


def _wait_until_started(system: System) -> None:
    deadline = time.monotonic() + 60
    while not all(worker.has_started() for worker in system.workers):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the workers did not start: see {system.folder}/worker-*.log")
        time.sleep(0.2)


def _at_the_same_time(system: System, phases: Sequence[Phase]) -> None:
    errors: list[BaseException] = []

    def run(phase: Phase) -> None:
        try:
            phase.happen(system)
        except BaseException as error:  # noqa: BLE001 - raised below
            error.add_note(f"in the phase {phase.name!r}")
            errors.append(error)

    threads = [threading.Thread(target=run, args=(one,), daemon=True) for one in phases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _say(line: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {line}", err=True)


if __name__ == "__main__":
    main()
