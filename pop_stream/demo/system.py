"""The parts of the system under way, each a process of its own: partner, worker, players."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pop_stream.demo.cluster import environment_of
from pop_stream.demo.processes import Child, Children
from pop_stream.demo.scenario import PROBE_MOST_SECONDS, RETRY_BACKOFF_SECONDS
from pop_stream.demo.tail import Tail
from pop_stream.settings import Settings

SITES = 12
SCREENS_PER_SITE = 4

_READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What runs, and where it leaves its traces."""

    #: Where the partner listens.
    partner_url: str
    partner_ledger: Path
    players_ledger: Path
    worker: Child
    players: Child


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayersOrder:
    """What the players are to send."""

    events: int
    per_second: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the parts of the system are to do."""

    players: PlayersOrder
    #: How the partner misbehaves.
    rules: list[dict[str, Any]]


async def start_system(
    children: Children, folder: Path, settings: Settings, orders: Orders
) -> System:
    """Start the partner, then the worker and the players, all with these settings.

    Raises WorkFailedError when the partner does not get ready.
    """
    rules, partner_ledger = folder / "rules.json", folder / "partner.ndjson"
    players_ledger = folder / "players.ndjson"
    rules.write_text(json.dumps(orders.rules))
    order = orders.players
    environment = environment_of(settings, os.environ)
    partner = children.start(
        "partner", "gstv", "mock", "--port", "0", "--rules", str(rules),
        "--ledger", str(partner_ledger), environment=environment,
    )  # fmt: skip
    url = await partner.first_line(_READY_SECONDS)
    told = {
        "gstv_url": f"{url}/pops",
        "retry_backoff_seconds": RETRY_BACKOFF_SECONDS,
        "gstv_probe_most_seconds": PROBE_MOST_SECONDS,
        "metrics_port": 0,
    }
    worker = children.start(
        "worker",
        "worker",
        environment=environment_of(settings.model_copy(update=told), os.environ),
    )
    players = children.start(
        "players", "player", "simulate", "--events", str(order.events),
        "--rate", str(order.per_second), "--sites", str(SITES),
        "--screens", str(SCREENS_PER_SITE), "--seed", str(order.seed),
        "--ledger", str(players_ledger), environment=environment,
    )  # fmt: skip
    return System(
        partner_url=url,
        partner_ledger=partner_ledger,
        players_ledger=players_ledger,
        worker=worker,
        players=players,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """An attempt that the partner saw."""

    pop_id: str
    #: The SHA-256 of the body, in hexadecimal.
    digest: str
    #: Whether the partner took the event: it said success, or that it knew the event already.
    took: bool


class PartnerLedger:
    """Follows what the partner has written down."""

    def __init__(self, path: Path) -> None:
        self._tail = Tail(path)

    def new_answers(self) -> Iterator[Answer]:
        """Yield the attempts since the last call."""
        for line in self._tail.new_lines():
            status = line["status"]
            took = status is not None and (200 <= status < 300 or status == 409)
            yield Answer(pop_id=line["id"] or "", digest=line["sha256"], took=took)
