"""How a screen is written in a table."""

from typing import Final

from pop_stream.analysis.report.survey import Screen
from pop_stream.analysis.report.table import Column

SCREEN: Final = (Column("siteId", "Site"), Column("screenId", "Screen"))


def names_of(screen: Screen | None) -> tuple[str, str]:
    """The cells of a screen; None: of the others."""
    return ("", "") if screen is None else (screen.site, screen.screen)
