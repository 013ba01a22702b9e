"""Texts for files that people open with a spreadsheet, which takes some for formulas."""

import re

#: Spreadsheets pass over spaces and what cannot be seen before they look for a formula.
_is_formula = re.compile(r"[\s\x00-\x1f\u200b\ufeff]*[=+\-@]|[\t\r\n]").match


def formula_safe(text: str) -> str:
    """The same text; with an apostrophe before it where a spreadsheet would compute it."""
    return f"'{text}" if _is_formula(text) else text
