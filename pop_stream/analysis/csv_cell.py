"""Texts for files that people open with a spreadsheet, which takes some for formulas."""

import re
from typing import Final

#: Spreadsheets pass over spaces and what cannot be seen before they look for a formula.
_UNSEEN: Final = r"\x00-\x20\x7f-\xa0" "\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2060\u3000\ufeff"
#: How a text begins that gets an apostrophe before it: like a formula, also in wide letters; like
#: a new line or cell; or with an apostrophe, so that one can always be taken away. A regular
#: expression of Python's and of RE2.
FORMULA_BEGINS: Final = rf"^(?:[{_UNSEEN}]*[=+\-@＝＋－＠]|[\t\r\n'])"  # noqa: RUF001

_is_formula = re.compile(FORMULA_BEGINS).match


def formula_safe(text: str) -> str:
    """The same text; with an apostrophe before it where a spreadsheet would compute it."""
    return f"'{text}" if _is_formula(text) else text
