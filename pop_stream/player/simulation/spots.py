"""What simulated screens show without a playlist: a loop of spots, as at any fuel station."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from random import Random
from typing import Protocol
from uuid import UUID

_ADVERTISING = (
    "Advertisement-Cold_Brew_Summer.webm",
    "Advertisement-Pickup_Awards_English.webm",
    "Advertisement-Trail-Mix_App.webm",
    "Advertisement-Winter_Tires_15s.webm",
    "Advertisement-Iced-Tea_Lemon.webm",
    "Advertisement-Mobile_Plan_Unlimited.webm",
    "Advertisement-Credit_Union_True_Rate.webm",
    "Advertisement-Energy-Drink_Snowboarder.webm",
    "RPA-Station_Drinks_3_for_3.webm",
    "RPA-Station_Dark_Roast.webm",
    "RPA-Station_Quest_For_Fresh.webm",
    "RPA-Station_Car_Wash_Club.webm",
)
_OTHER = (
    "Branded-Messaging-Station_Intro.webm",
    "Branded-Messaging-You_Are_Watching.webm",
    "Programming-WEATHER.webm",
    "Programming-SPORTS_Weekday.webm",
    "Programming_BRAINTEASER.webm",
    "GSTV.BO__.gstvbos.webm",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One place in the loop: an asset and how long it plays."""

    filename: str
    #: 24 hexadecimal digits or a UUID: GSTV has used both.
    asset_id: str
    #: The insertion order. Only paid spots have one: about two thirds of a loop.
    io_number: str | None
    #: 15 to 30 seconds.
    duration_seconds: int


class Programme(Protocol):
    """What the screens of one site show, spot by spot."""

    def next(self, started_ms: int, zone: tzinfo) -> Spot | None:
        """The spot that starts at a moment, in the zone of the site; None: none does."""
        ...


class Loop:
    """The same spots round and round, all day."""

    def __init__(self, spots: Sequence[Spot], first: int) -> None:
        """Begin with the spot of that number."""
        self._spots = spots
        self._next = first

    def next(self, started_ms: int, zone: tzinfo) -> Spot | None:  # noqa: ARG002 - at any time
        """The next spot."""
        spot = self._spots[self._next % len(self._spots)]
        self._next += 1
        return spot


def spot_loop(random: Random) -> tuple[Spot, ...]:
    """Make a loop of 18 spots in a random order, two thirds of them paid."""
    spots = [_spot(name, random, paid=True) for name in _ADVERTISING]
    spots += [_spot(name, random, paid=False) for name in _OTHER]
    random.shuffle(spots)
    return tuple(spots)


def _spot(filename: str, random: Random, *, paid: bool) -> Spot:
    if random.random() < 0.75:
        asset_id = f"{random.getrandbits(96):024x}"
    else:
        asset_id = str(UUID(int=random.getrandbits(128), version=4))
    return Spot(
        filename=filename,
        asset_id=asset_id,
        io_number=str(random.randint(100, 99_999)) if paid else None,
        duration_seconds=random.randint(15, 30),
    )
