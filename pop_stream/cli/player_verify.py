"""`pop-stream player verify`: whether an outbox is what was written."""

from dataclasses import asdict
from pathlib import Path

import click

from pop_stream.cli.outbox_option import outbox_option
from pop_stream.cli.output import print_json, print_table
from pop_stream.cli.player_progress import telling
from pop_stream.cli.settings_options import with_settings
from pop_stream.player.outbox.reading import require_outbox
from pop_stream.player.outbox.repairing import repair as mend
from pop_stream.player.outbox.verifying import Finding, findings
from pop_stream.settings import Settings


@click.command()
@outbox_option
@click.option("--repair", is_flag=True,
              help="Mend it: sound plays go into a new file, the old one is set aside, and what is "
                   "missing is declared lost. Not while a process records.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_settings("log_")
def verify(*, settings: Settings, outbox: Path, repair: bool, as_json: bool) -> int:
    r"""Look at everything in an outbox, and name what is not as it was written.

    The seal of each play, the numbers of each screen (those missing that nobody has declared
    lost), the file itself, its log, and the marks that tell whether its end is missing. It may be
    used meanwhile. A note is no fault: plays without an end, losses that are declared. The exit
    code is 1 when anything is wrong; after --repair, when anything still is.

    \b
    Example:
      pop-stream player verify --outbox /var/lib/player/pops.outbox
      pop-stream player verify --outbox pops.outbox --repair
    """
    del settings
    require_outbox(outbox)
    before = _looked_at(outbox)
    mended = repair and any(each.is_bad for each in before)
    if mended:
        mend(outbox, before)
    now = _looked_at(outbox) if mended else before
    _print(outbox, now, [each for each in before if each.is_bad] if mended else [], as_json=as_json)
    return 1 if any(each.is_bad for each in now) else 0


def _looked_at(outbox: Path) -> list[Finding]:
    with telling("looking at plays") as told:
        return list(findings(outbox, told=told))


def _print(outbox: Path, now: list[Finding], mended: list[Finding], *, as_json: bool) -> None:
    bad = [each for each in now if each.is_bad]
    if as_json:
        print_json(
            {
                "outbox": str(outbox),
                "sound": not bad,
                "findings": [_as_object(each) for each in bad],
                "notes": [_as_object(each) for each in now if not each.is_bad],
                "mended": [_as_object(each) for each in mended],
            }
        )
    else:
        told = [*(("mended", each) for each in mended), *(("", each) for each in now)]
        print_table(
            ("what", "kind", "finding"),
            ((said or ("wrong" if each.is_bad else "note"), each.kind, each.text)
             for said, each in told),
        )  # fmt: skip
    if mended:
        click.echo(f"{len(mended):,} findings mended", err=True)
    click.echo(
        f"{outbox}: {len(bad):,} things are wrong" if bad else f"{outbox} is as it was written",
        err=True,
    )


def _as_object(finding: Finding) -> dict[str, object]:
    return {name: value for name, value in asdict(finding).items() if name != "is_bad"}
