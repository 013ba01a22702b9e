"""`pop-stream config`: the settings in force."""

import click

from pop_stream.cli.output import print_json, print_table
from pop_stream.cli.settings_options import with_origins
from pop_stream.cli.settings_page import settings_page
from pop_stream.settings import SETTINGS, Loaded, Setting


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--markdown", is_flag=True, help="Print docs/settings.md: what each setting means.")
@with_origins()
def config(*, loaded: Loaded, as_json: bool, markdown: bool) -> None:
    r"""Show the settings in force.

    Each with its value, where that came from, and its default. Secrets are masked. Wrong settings
    are reported, all at once, and the exit code is 2.

    \b
    Example:
      pop-stream config
      POP_STREAM_RETRIES=5 pop-stream config --json
      pop-stream config | grep -v default
    """
    if markdown:
        click.echo(settings_page(), nl=False)
    elif as_json:
        print_json({setting.name: _entry(setting, loaded) for setting in SETTINGS.values()})
    else:
        print_table(
            ("setting", "value", "source", "default"),
            [_row(setting, loaded) for setting in SETTINGS.values()],
        )


def _row(setting: Setting, loaded: Loaded) -> tuple[str, ...]:
    value = getattr(loaded.settings, setting.name)
    return (
        setting.name,
        setting.show(value),
        _source(setting, loaded),
        setting.show(setting.default),
    )


def _entry(setting: Setting, loaded: Loaded) -> dict[str, object]:
    value = getattr(loaded.settings, setting.name)
    masked = setting.secret or setting.kind.confidential
    return {
        "value": setting.show(value) if masked and value is not None else value,
        "source": _source(setting, loaded),
        "default": setting.default,
    }


def _source(setting: Setting, loaded: Loaded) -> str:
    given = loaded.given.get(setting.name)
    return given.label if given else "default"
