"""Texts for files that people open with a spreadsheet, which takes some for formulas."""

from typing import Final

_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
#: Spreadsheets pass over these before they look for a formula.
_PASSED_OVER: Final = " \u00a0\ufeff\u200b"


def formula_safe(text: str) -> str:
    """The same text; with an apostrophe before it where a spreadsheet would compute it."""
    begins = text.lstrip(_PASSED_OVER)
    return f"'{text}" if begins.startswith(_FORMULAS) else text
