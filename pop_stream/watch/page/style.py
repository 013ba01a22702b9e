"""How the page looks, in light and in dark. Every text has a contrast of 4.5 to 1 at least."""

from collections.abc import Mapping
from typing import Final

from pop_stream.watch.page.markup import Markup

#: The colours by day, and by night.
LIGHT: Final[Mapping[str, str]] = {
    "page": "#f4f5f7",
    "card": "#ffffff",
    "line": "#d5d9e0",
    "ink": "#16191f",
    "dim": "#565e6c",
    "link": "#0b57b0",
    "mark": "#2563b8",
    "tint": "#dbe7f8",
    "well": "#14713a",
    "wait": "#0b57b0",
    "watch": "#8a5200",
    "act": "#b3161b",
    "well-back": "#e5f4ea",
    "wait-back": "#e6f0fc",
    "watch-back": "#fdf0d9",
    "act-back": "#fde8e8",
}
DARK: Final[Mapping[str, str]] = {
    "page": "#0f1216",
    "card": "#191d24",
    "line": "#363d49",
    "ink": "#eceff4",
    "dim": "#a3acba",
    "link": "#8ab8f5",
    "mark": "#6ea8f0",
    "tint": "#203350",
    "well": "#6fd596",
    "wait": "#8ab8f5",
    "watch": "#f2bd5c",
    "act": "#ff9a94",
    "well-back": "#12281b",
    "wait-back": "#14253c",
    "watch-back": "#2f230d",
    "act-back": "#3a1517",
}

_RULES: Final = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums}
.all{max-width:1180px;margin:0 auto;padding:16px}
a{color:var(--link)}
code{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:.92em}
h2{font-size:15px;margin:0 0 12px}
h3{font-size:13px;font-weight:600;color:var(--dim);margin:0 0 2px}
p{margin:0}
header{display:flex;flex-wrap:wrap;gap:4px 20px;align-items:baseline;margin-bottom:12px;
color:var(--dim);font-size:14px}
header strong{color:var(--ink)}
header .when{margin-left:auto}
.finding{border-left:8px solid;border-radius:10px;padding:16px 20px;margin-bottom:12px}
.finding .level{font-size:13px;font-weight:700;margin-bottom:4px}
.finding h1,.finding .says{color:var(--ink);overflow-wrap:anywhere}
.finding h1{font-size:30px;line-height:1.2;margin:0;text-wrap:balance}
.finding .says{font-size:18px;font-weight:600}
.finding .remedy{color:var(--ink);margin-top:8px;max-width:90ch;text-wrap:pretty}
.well{color:var(--well);background:var(--well-back);border-color:var(--well)}
.wait{color:var(--wait);background:var(--wait-back);border-color:var(--wait)}
.watch{color:var(--watch);background:var(--watch-back);border-color:var(--watch)}
.act{color:var(--act);background:var(--act-back);border-color:var(--act)}
.parts{display:grid;grid-template-columns:minmax(0,4fr) minmax(0,5fr);gap:16px;margin-bottom:16px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px 20px;
min-width:0}
.parts+section,section+section{margin-top:16px}
.parts section{margin-top:0}
.cards{display:grid;grid-template-columns:1fr 1fr;gap:20px 24px;align-content:start}
.cards h2,.cards .wide{grid-column:1/-1}
.cards h2{margin:0}
.big{font-size:24px;line-height:1.25;font-weight:650;overflow-wrap:anywhere}
.note{color:var(--dim);font-size:14px}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--ink);font-size:14px}
.box{fill:var(--card);stroke:var(--dim);stroke-width:1.5}
.stage{fill:var(--tint);stroke:var(--mark);stroke-width:1.5}
svg .name{font-weight:650;text-anchor:middle}
svg .rate{font-weight:650}
svg .verb{font-size:13px}
svg .dim{fill:var(--dim)}
svg .middle{text-anchor:middle}
.arrow{fill:none;stroke:var(--mark);stroke-width:2}
.head{fill:var(--mark)}
.still .arrow{stroke:var(--dim);stroke-width:1}
.still .head{fill:var(--dim)}
.still .rate{fill:var(--dim);font-weight:400}
.spark{height:64px;margin-top:8px}
.spark .curve{fill:none;stroke:var(--mark);stroke-width:1.5;vector-effect:non-scaling-stroke}
.spark .under{fill:var(--tint);stroke:none}
.spark .ground{stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke}
.scale{display:flex;justify-content:space-between;gap:12px;color:var(--dim);font-size:12px}
.bar{height:10px;margin:6px 0;border-radius:5px;overflow:hidden}
.bar .all-of-it{fill:var(--tint)}
.bar .so-far{fill:var(--mark)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:6px 16px 6px 0;border-bottom:1px solid var(--line);
vertical-align:top;white-space:nowrap}
th{font-weight:600;color:var(--dim)}
tbody th{color:var(--ink)}
tbody tr:last-child>*{border-bottom:0}
tr>:last-child{padding-right:0}
.number{text-align:right}
.note+.scroll{margin-top:8px}
.words{white-space:normal;min-width:14em}
tr.act th:first-child{box-shadow:inset 4px 0 var(--act);padding-left:12px}
tr.act>*{color:var(--act);font-weight:650}
.flow svg{max-width:440px;margin:12px auto 0}
details{margin-top:12px;font-size:14px}
summary{cursor:pointer;color:var(--dim)}
footer{margin-top:16px;color:var(--dim);font-size:14px}
footer nav a{display:inline-block;padding:6px 16px 6px 0}
@media(max-width:860px){.parts{grid-template-columns:minmax(0,1fr)}}
@media(max-width:480px){
.all{padding:10px}
section,.finding{padding:14px}
.finding h1{font-size:24px}
.big{font-size:20px}
.cards{grid-template-columns:minmax(0,1fr)}
th,td{padding-right:12px}
table{font-size:13px}
header{display:block;font-size:13px}
header span{margin-right:10px}
}
"""


def style() -> Markup:
    """The style sheet. What belongs together in it is in no text that comes from elsewhere."""
    return Markup(
        f":root{{color-scheme:light dark;{_named(LIGHT)}}}"
        f"@media(prefers-color-scheme:dark){{:root{{{_named(DARK)}}}}}{_RULES}"
    )


def _named(colours: Mapping[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in colours.items())
