import json

import click
import pytest

from pop_stream.cli.lazy import LazyGroup
from pop_stream.cli.main import COMMANDS, run
from pop_stream.settings import SETTINGS
from pop_stream.watch.table import METRICS
from tests.support.command_tree import family

every_command = pytest.mark.parametrize("name", COMMANDS)


@every_command
def test_every_option_is_described(name: str) -> None:
    """No flag without a word about it."""
    for path, command in family(name):
        options = [each for each in command.params if isinstance(each, click.Option)]

        assert not [option.name for option in options if not option.help], path


@every_command
def test_no_secret_has_a_flag(name: str) -> None:
    """What stands on a command line is seen by every user of the machine."""
    secrets = {setting.flag for setting in SETTINGS.values() if setting.secret}
    for _, command in family(name):
        assert secrets.isdisjoint(flag for each in command.params for flag in each.opts)


@every_command
def test_a_lazy_groups_table_tells_what_its_commands_tell(name: str) -> None:
    """Likewise, one floor below."""
    for _, group in family(name):
        for each in group.lazy.values() if isinstance(group, LazyGroup) else ():
            assert each.short_help == (each.load().help or "").partition("\n")[0]


@every_command
def test_the_table_tells_of_a_command_what_it_tells_itself(name: str) -> None:
    """The short help stands in the table so that nothing need be imported for it."""
    own = COMMANDS[name].load().help or ""

    assert COMMANDS[name].short_help == own.partition("\n")[0]


def test_examples_keep_their_lines() -> None:
    """An example is not rewrapped like prose."""
    context = click.Context(COMMANDS["config"].load(), info_name="config")

    assert "\n    pop-stream config\n" in context.get_help()


def test_every_metric_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """With its full name, its type, who serves it, and what it means."""
    assert run(["metrics"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]

    assert len(rows) == len(METRICS) == len({row[0] for row in rows})
    assert [
        "pop_stream_gone_events_total",
        "counter",
        "worker",
        "Records deleted before they were delivered, as this worker told of them.",
    ] in rows
    assert run(["metrics", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(METRICS)
