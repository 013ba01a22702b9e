"""`python -m faults`: plays scenarios on a real cluster, and ends 0 only if all is well."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from faults.cluster import running_cluster
from faults.controls import CONTROLS, Control, without_one_delivery
from faults.lanes import play_all
from faults.plan import Scenario
from faults.report import Caught, controls_as_markdown, scenarios_as_markdown
from faults.run import Played, judge, play
from faults.scenarios import SCENARIOS

_FOLDER = Path("faults/results")
#: How many scenarios are played at once, where they do not strike Kafka.
_LANES = 2


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--scenario", "scenarios", multiple=True, metavar="NAME",
    type=click.Choice(list(SCENARIOS)), help="Only this one; may be repeated.",
)  # fmt: skip
@click.option(
    "--control", "controls", multiple=True, metavar="NAME",
    type=click.Choice(["all", *CONTROLS]),
    help="Plant this defect in the workers (all: each in turn): it must be caught.",
)  # fmt: skip
@click.option("--long", "with_long", is_flag=True, help="Also those that take minutes each.")
@click.option("--list", "only_list", is_flag=True, help="Name the scenarios and the controls.")
@click.option("--seed", default=1, show_default=True, metavar="N", help="For whatever is drawn.")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=_FOLDER, show_default=True,
    help="Where the evidence goes.",
)  # fmt: skip
def main(
    *,
    scenarios: Sequence[str],
    controls: Sequence[str],
    with_long: bool,
    only_list: bool,
    seed: int,
    folder: Path,
) -> None:
    r"""Play faults on three real brokers and real workers, and judge what came of them.

    Ends 0 when every check of every scenario is met, and when every planted defect is caught.

    \b
    Example:
      python -m faults --scenario leader-killed --scenario gstv-down
      python -m faults --control all
      python -m faults.checker faults/results/leader-killed
    """
    if only_list:
        for scenario in SCENARIOS.values():
            click.echo(f"{scenario.name:28} {scenario.rows:8} {scenario.title}")
        for control in CONTROLS.values():
            click.echo(f"{control.name:28} control  {control.title}")
        return
    if controls:
        names = list(CONTROLS) if "all" in controls else controls
        sys.exit(_plant([CONTROLS[name] for name in names], seed=seed, folder=folder))
    usual = [one for one in SCENARIOS.values() if with_long or not one.long]
    chosen = [SCENARIOS[name] for name in scenarios] or usual
    sys.exit(_play(chosen, seed=seed, folder=folder))


def _play(scenarios: Sequence[Scenario], *, seed: int, folder: Path) -> int:
    played: dict[str, Played] = {}
    _say(f"{len(scenarios)} scenarios, seed {seed}; evidence in {folder}/")
    with running_cluster(seed=seed) as cluster:

        def play_one(scenario: Scenario) -> Played:
            _say(f"{scenario.name}: {scenario.title}")
            return play(scenario, cluster, folder / scenario.name, seed=seed, say=_say)

        for one in play_all(scenarios, play_one, lanes=_LANES):
            played[one.scenario.name] = one
            came = "FAILED" if one.failed else "ok"
            _say(f"{one.scenario.name}: {came} in {one.seconds:.0f} s, "
                 f"{len(played)} of {len(scenarios)} are played")  # fmt: skip
            if one.failed:
                _say(one.report)
    table = scenarios_as_markdown([played[each.name] for each in scenarios])
    (folder / "report.md").write_text(table, "utf-8")
    click.echo(table)
    return 1 if any(one.failed for one in played.values()) else 0


def _plant(controls: Sequence[Control], *, seed: int, folder: Path) -> int:
    caught: list[Caught] = []
    _say(f"{len(controls)} planted defects, seed {seed}; evidence in {folder}/")
    with running_cluster(seed=seed) as cluster:
        for number, control in enumerate(controls, 1):
            _say(f"[{number}/{len(controls)}] {control.name}: {control.title}")
            one = play(
                control.scenario,
                cluster,
                folder / control.scenario.name,
                seed=seed,
                say=_say,
                argv=control.argv,
            )
            found = [check for check in one.failed if check in control.caught_by]
            caught.append(Caught(control.name, control.title, tuple(found), tuple(one.failed)))
            _say(f"  {'caught by ' + ', '.join(found) if found else 'NOT CAUGHT'}")
            if not found:
                _say(one.report)
    caught.append(_short_ledger(folder / controls[0].scenario.name))
    table = controls_as_markdown(caught)
    (folder / "controls.md").write_text(table, "utf-8")
    click.echo(table)
    return 0 if all(one.by for one in caught) else 1


def _short_ledger(folder: Path) -> Caught:
    """The checker's own control: one event's requests are taken out of the partner's ledger."""
    missing = without_one_delivery(folder)
    failed = [str(found["check"]) for found in judge(folder).findings
              if not found["ok"] and missing in str(found["examples"])]  # fmt: skip
    return Caught(
        "ledger-one-short",
        "the checker is fed a partner's ledger without one event",
        tuple(check for check in failed if check == "loss"),
        tuple(failed),
    )


def _say(line: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {line}", err=True)


if __name__ == "__main__":
    main()
