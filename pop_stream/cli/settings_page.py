"""The page docs/settings.md, written from the settings themselves."""

from collections.abc import Iterator

from pop_stream.settings import SECTIONS, SETTINGS, Setting

_HEAD = """\
<!-- Made by `pop-stream config --markdown > docs/settings.md`. Change pop_stream/settings. -->
# Settings

For each setting the first of these that names it wins:

1. the flag of a command: `--gstv-url https://pop.example.com/v1/pops`
2. the environment: `POP_STREAM_GSTV_URL=https://pop.example.com/v1/pops`
3. the file `.env` in the current folder: lines like in the environment, taken literally
   (no `$` is replaced)
4. a TOML file, named by `--config` or `POP_STREAM_CONFIG`: `gstv_url = "https://..."`,
   or `url = "https://..."` in a table `[gstv]`
5. the default

A secret has no flag, for command lines can be seen by others.
`POP_STREAM_<SECRET>_FILE` names a file that holds it; one line break at its end is dropped.

A list is written with commas; in TOML it may be an array.

A name that begins with `POP_STREAM_` and is no setting is an error, but for the variables that
Kubernetes makes from Services. So is an empty value.
All problems are reported at once, with exit code 2, before anything is started.

`pop-stream config` shows the settings in force and where each came from.
"""


def settings_page() -> str:
    """Give the whole page."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for section in SECTIONS:
        yield f"## {(section.__doc__ or '').removesuffix('.')}\n"
        for name in section.model_fields:
            yield _entry(SETTINGS[name])


def _entry(setting: Setting) -> str:
    names = f"`{setting.variable}`"
    if setting.secret:
        names += f" or `{setting.variable}_FILE`"
    else:
        names += f", `{setting.flag}`"
    return (
        f"### {setting.name}\n\n{names}\n\n{setting.description}\n"
        f"Takes {setting.kind.must_be}. Defaults to `{setting.show(setting.default)}`.\n"
    )
