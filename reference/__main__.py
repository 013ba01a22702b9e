"""`python -m reference`: writes the pages of docs/ that are made from the code."""

import sys

import click

from reference.pages import DOCS, PAGES


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--check", is_flag=True, help="Write nothing; name the pages that are out of date.")
def main(*, check: bool) -> None:
    r"""Write the references in docs/: settings, metrics, commands, headers, exit codes, log lines.

    \b
    Example:
      python -m reference
      python -m reference --check
    """
    made = {DOCS / name: make() for name, make in PAGES.items()}
    stale = [page for page, text in made.items() if not page.exists() or page.read_text() != text]
    for page in stale:
        if not check:
            page.write_text(made[page])
        click.echo(f"docs/{page.name} {'is out of date' if check else 'written'}", err=True)
    if check and stale:
        click.echo("Write them with: make docs", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
