"""How the page of a report looks: as a worker's page does, and what it has beyond that."""

from typing import Final

from pop_stream.watch.page.markup import Markup
from pop_stream.watch.page.style import LIGHT, style

_RULES: Final = """
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:16px 24px}
.pictures{display:grid;grid-template-columns:1fr 1fr;gap:16px;margin:16px 0}
.pictures section{margin-top:0}
.pictures .tall{grid-row:span 2}
.pictures .note{margin-top:8px}
.pictures svg{max-width:560px;margin:0 auto}
.axis{font-size:11px;fill:var(--dim)}
.end{text-anchor:end}
.rule{stroke:var(--line);stroke-width:1}
.bar-of,.heat{fill:var(--mark)}
.cold{fill:var(--page)}
.under{fill:var(--tint)}
.curve{fill:none;stroke:var(--mark);stroke-width:2}
main td,main th{white-space:normal;overflow-wrap:anywhere}
main .number{white-space:nowrap}
section>.note{max-width:90ch}
section .scroll+.note{margin-top:8px}
section h2+.note{margin-bottom:8px}
.finding{padding-bottom:14px}
@media(max-width:860px){.pictures{grid-template-columns:minmax(0,1fr)}}
"""
_PRINTED: Final = """
body{font-size:12px;background:#fff}
.all{max-width:none;padding:0}
section,.finding{break-inside:avoid}
.pictures{grid-template-columns:1fr 1fr}
section.long{break-inside:auto}
.scroll{overflow:visible}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
"""


def report_style() -> Markup:
    """The style sheet. On paper it is always day."""
    day = ";".join(f"--{name}:{colour}" for name, colour in LIGHT.items())
    return Markup(f"{style()}{_RULES}@media print{{:root{{{day}}}{_PRINTED}}}")
