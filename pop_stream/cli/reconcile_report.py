"""What a reconciliation found, as tables for people and as an object for programs."""

from collections.abc import Iterator
from typing import Any

import click

from pop_stream.analysis.as_object import printable
from pop_stream.analysis.reconcile.orders import OrderState
from pop_stream.analysis.reconcile.playlists import VIOLATIONS
from pop_stream.analysis.reconcile.reconcile import Difference, difference_as_object
from pop_stream.analysis.reconcile.reconciling import Reconciled
from pop_stream.cli.output import print_table


def as_object(found: Reconciled) -> dict[str, Any]:
    """Everything but the differences beyond the first; --csv has them all."""
    return {
        "needsActing": found.needs_acting,
        "ours": {"rows": found.rows, "plays": found.plays},
        "theirs": None if found.tally is None else found.tally.as_object(),
        "firstDifferences": [difference_as_object(each) for each in found.first],
        "orders": [state.as_object() for state in found.orders],
        "playsOfUnknownOrders": found.unknown_orders,
        "playlist": None if found.playlist is None else dict(found.playlist),
        "doubts": [] if found.audit is None else [each.text for each in found.audit.doubts],
    }


def print_found(found: Reconciled) -> None:
    """The counts, the first differences, the orders, and what is to be made good."""
    again = found.rows - found.plays
    repeated = f" ({again:,} rows more tell of the same ids)" if again else ""
    click.echo(f"our side: {found.plays:,} plays{repeated}")
    for line in (*_sides(found), *map(_difference, found.first), *_playlist(found)):
        click.echo(printable(line))
    if not found.orders:
        return
    print_table(
        ("order", "asset", "from", "to", "contracted", "delivered", "share", "time over", "state"),
        [_order(state) for state in found.orders],
    )
    for state in found.orders:
        if state.owed:
            click.echo(printable(f"make good: {state.order.io_number}, line {state.order.line}: "
                                 f"{state.owed:,} plays"))  # fmt: skip
    if outside := sum(state.outside for state in found.orders):
        click.echo(f"{outside:,} plays of these orders are outside their dates, sites or assets")
    if found.unknown_orders:
        click.echo(f"{found.unknown_orders:,} plays name an order that is not in the file")


def _sides(found: Reconciled) -> Iterator[str]:
    tally = found.tally
    if tally is None:
        return
    yield (
        f"against GSTV: {tally.both:,} on both sides, {tally.differing:,} differing, "
        f"{tally.ours_only:,} ours only, {tally.theirs_only:,} theirs only"
    )
    if tally.ours_repeated or tally.theirs_repeated:
        yield f"repeated ids: {tally.ours_repeated:,} of ours, {tally.theirs_repeated:,} of theirs"
    if tally.ours_without_key or tally.theirs_without_key:
        yield (
            f"NOT compared, without a key: {tally.ours_without_key:,} of ours, "
            f"{tally.theirs_without_key:,} of theirs"
        )


def _difference(each: Difference) -> str:
    entry = each.ours or each.theirs
    if entry is None:
        return ""
    play = entry.play
    told = [f"  {each.kind}: {entry.pop_id or 'no id'}", play.get("startTimestamp", ""),
            "/".join(filter(None, (play.get("siteId"), play.get("screenId")))),
            play.get("filename", ""), f"({entry.at})"]  # fmt: skip
    if each.ours is not None and each.theirs is not None:
        told += [f"{name}: {each.ours.play.get(name, '')!r} ours, {each.theirs.play[name]!r} theirs"
                 for name in each.fields]  # fmt: skip
    return " ".join(part for part in told if part)


def _playlist(found: Reconciled) -> Iterator[str]:
    counts = found.playlist
    if counts is None:
        return
    wrong = ", ".join(f"{counts[why]:,} {why}" for why in VIOLATIONS)
    unknown = counts["unknown-site"] + counts["unknown-day"]
    yield (
        f"against the playlist: {counts['in-order']:,} in order, {wrong}; {unknown:,} of sites or "
        "days that it does not tell of"
    )


def _order(state: OrderState) -> tuple[str, ...]:
    order = state.order
    return (
        printable(order.io_number),
        printable(order.asset_id or "any"),
        order.first_day.isoformat(),
        order.last_day.isoformat(),
        f"{order.plays}",
        f"{state.delivered}",
        f"{state.share:.1%}",
        f"{state.time_share:.1%}",
        state.state,
    )
