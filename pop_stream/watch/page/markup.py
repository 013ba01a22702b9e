"""Elements of HTML and SVG. Every text is escaped when it is put into one."""

from html import escape

_VOID = frozenset({"meta", "br", "hr"})


class Markup(str):
    """Text that is HTML already: made by this module alone, or a constant."""

    __slots__ = ()


Child = str | Markup
Value = str | int | float


def element(name: str, /, *children: Child, **attributes: Value) -> Markup:
    """One element.

    An attribute is named as in HTML, with `_` for `-`, and with `_` behind it where Python has the
    word: `class_`; one that is empty is left out. A text that is no Markup is escaped, in
    attributes always.
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value != ""
    )
    if name in _VOID:
        return Markup(f"<{name}{said}>")
    inner = "".join(map(_escaped, children))
    return Markup(f"<{name}{said}>{inner}</{name}>")


def together(*children: Child) -> Markup:
    """Several, one after the other."""
    return Markup("".join(map(_escaped, children)))


def _escaped(child: Child) -> str:
    return child if isinstance(child, Markup) else escape(child)


def _text(value: Value) -> str:
    # A tenth of a pixel is all that anybody sees.
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
