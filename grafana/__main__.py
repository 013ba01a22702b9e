"""`python -m grafana`: writes the dashboards."""

from pathlib import Path

import click

from grafana.boards import FOLDER, files
from grafana.variables import DEFAULT_RUNBOOKS


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--runbooks", default=DEFAULT_RUNBOOKS, show_default=True, metavar="URL",
    help="The address below which the pages of docs/runbooks are.",
)  # fmt: skip
@click.option(
    "--folder", default=FOLDER, type=click.Path(path_type=Path, file_okay=False),
    help="Where to write; the folder of the committed files, unless said.",
)  # fmt: skip
def main(*, runbooks: str, folder: Path) -> None:
    r"""Write the Grafana dashboards as JSON.

    \b
    Example:
      python -m grafana
      python -m grafana --runbooks https://wiki.example.com/runbooks --folder dashboards
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files(runbooks).items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main()
