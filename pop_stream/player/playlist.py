"""What simulated screens show: a loop of spots such as a fuel station's screens play all day."""

from dataclasses import dataclass
from random import Random
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
