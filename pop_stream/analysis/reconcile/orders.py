"""Insertion orders: what was contracted, against what was delivered."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pop_stream.analysis.partner_file import Row, read_rows
from pop_stream.analysis.play import Play, plain_name
from pop_stream.errors import UsageError

#: So far from an even pace, in parts of it, a running order is behind or ahead.
TOLERANCE: Final = 0.05
_NEEDED: Final = ("ioNumber", "from", "to", "plays")
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One line of a file of orders."""

    #: From 1.
    line: int
    io_number: str
    #: None: any.
    asset_id: str | None
    #: None: all.
    sites: frozenset[str] | None
    #: Both days belong to it, in the time of each site.
    first_day: date
    last_day: date
    plays: int

    def covers(self, play: Play) -> bool:
        """Whether a play counts for it, whose insertion order is this one."""
        day = play.get("startTimestamp", "")[:10]
        return (
            (self.asset_id is None or play.get("assetId") == self.asset_id)
            and (self.sites is None or play.get("siteId") in self.sites)
            and self.first_day.isoformat() <= day <= self.last_day.isoformat()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """How an order stands at one moment."""

    order: Order
    delivered: int
    #: Plays of its insertion order that no line of the file covers; told with the first line.
    outside: int
    #: What part of its time is over, from 0 to 1.
    time_share: float
    state: str

    @property
    def share(self) -> float:
        """What part of its plays is delivered; above 1: more than were contracted."""
        return self.delivered / self.order.plays

    @property
    def owed(self) -> int:
        """Plays to be made good: it is over, and they were not delivered."""
        return self.order.plays - self.delivered if self.state == "short" else 0

    def as_object(self) -> dict[str, Any]:
        """For programs. Shares are parts of 1."""
        order = self.order
        return {
            "line": order.line,
            "ioNumber": order.io_number,
            "assetId": order.asset_id,
            "sites": None if order.sites is None else sorted(order.sites),
            "from": order.first_day.isoformat(),
            "to": order.last_day.isoformat(),
            "contracted": order.plays,
            "delivered": self.delivered,
            "outside": self.outside,
            "timeShare": round(self.time_share, 4),
            "deliveredShare": round(self.share, 4),
            "state": self.state,
            "owed": self.owed,
        }


class Orders:
    """Counts plays for orders. A play counts once, for the first line that covers it."""

    def __init__(self, orders: Sequence[Order]) -> None:
        self._orders = orders
        self._by_io: defaultdict[str, list[int]] = defaultdict(list)
        for number, order in enumerate(orders):
            self._by_io[order.io_number].append(number)
        self._delivered = [0] * len(orders)
        self._outside = [0] * len(orders)
        #: Plays that name an insertion order that is not in the file.
        self.unknown = 0

    def count(self, play: Play) -> None:
        """Count a play that was delivered; one without an insertion order counts for none."""
        io_number = play.get("ioNumber")
        if io_number is None:
            return
        numbers = self._by_io.get(io_number)
        if numbers is None:
            self.unknown += 1
            return
        for number in numbers:
            if self._orders[number].covers(play):
                self._delivered[number] += 1
                return
        self._outside[numbers[0]] += 1

    def states(self, as_of: datetime) -> Iterator[OrderState]:
        """How each order stands; `as_of` is in the time of the sites, without a zone."""
        for order, delivered, outside in zip(
            self._orders, self._delivered, self._outside, strict=True
        ):
            share = time_share(order, as_of)
            yield OrderState(
                order=order,
                delivered=delivered,
                outside=outside,
                time_share=share,
                state=state_of(order.plays, delivered, share),
            )


def time_share(order: Order, as_of: datetime) -> float:
    """What part of an order's time is over, from 0 to 1."""
    begin = datetime.combine(order.first_day, datetime.min.time())
    end = datetime.combine(order.last_day, datetime.min.time()) + timedelta(days=1)
    return min(max((as_of - begin) / (end - begin), 0.0), 1.0)


def state_of(plays: int, delivered: int, share: float) -> str:
    """How an order stands whose time is over to a part."""
    if delivered > plays:
        return "over"
    if share >= 1:
        return "short" if delivered < plays else "fulfilled"
    if share <= 0 and not delivered:
        return "not begun"
    even = plays * share
    if delivered < even * (1 - TOLERANCE):
        return "behind"
    return "ahead" if delivered > even * (1 + TOLERANCE) else "on pace"


def read_orders(path: Path) -> Orders:
    """Read a file of orders, CSV or NDJSON. Raises UsageError with all that is wrong with it."""
    orders, wrong = [], []
    for row in read_rows(path):
        named = {plain_name(name): str(value or "").strip() for name, value in row.fields.items()}
        named.setdefault("ionumber", named.get("tinumber", ""))
        missing = [name for name in _NEEDED if not named.get(plain_name(name))]
        if missing:
            wrong.append(f"line {row.number}: no {', '.join(missing)}")
            continue
        try:
            orders.append(_order(row, named))
        except ValueError as error:
            wrong.append(f"line {row.number}: {error}")
    if not orders and not wrong:
        wrong.append(
            f"it has no lines; the columns are {', '.join((*_NEEDED, 'assetId', 'sites'))}"
        )
    if wrong:
        more = [f"and {len(wrong) - _SHOWN} lines more"] if len(wrong) > _SHOWN else []
        raise UsageError(f"{path}: " + "; ".join([*wrong[:_SHOWN], *more]))
    return Orders(orders)


def _order(row: Row, named: Mapping[str, str]) -> Order:
    try:
        plays = int(named["plays"].replace(",", ""))
    except ValueError:
        plays = 0
    if plays < 1:
        raise ValueError(f"plays must be a number above 0, not {named['plays']!r}")
    first, last = _day(named["from"], "from"), _day(named["to"], "to")
    if last < first:
        raise ValueError(f"it ends on {last} before it begins on {first}")
    sites = named.get("sites", "").replace(";", " ").replace(",", " ").split()
    return Order(
        line=row.number,
        io_number=named["ionumber"],
        asset_id=named.get("assetid") or None,
        sites=frozenset(sites) if sites and sites != ["*"] else None,
        first_day=first,
        last_day=last,
        plays=plays,
    )


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{name} must be a day like 2026-11-20, not {text!r}") from error
