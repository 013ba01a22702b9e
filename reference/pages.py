"""Which pages there are, and what makes each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pop_stream.cli.metrics import metrics_page
from pop_stream.cli.settings_page import settings_page
from reference.commands import commands_page
from reference.exit_codes import exit_codes_page
from reference.headers import headers_page
from reference.logs import logs_page

DOCS: Final = Path(__file__).parents[1] / "docs"

#: By the name of the file in docs/.
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "settings.md": settings_page,
    "metrics.md": metrics_page,
    "commands.md": commands_page,
    "headers.md": headers_page,
    "exit-codes.md": exit_codes_page,
    "logs.md": logs_page,
}
