"""A player: `python examples/player.py pops.outbox 3` shows its loop three times."""

import sys
import time

from pop_stream.player import Outbox

LOOP = [
    {"filename": "Cold_Brew.webm", "assetId": "5942a4aac7a201da97cef3a7", "ioNumber": "124"},
    {"filename": "WEATHER.webm", "assetId": "5942a4aac7a201da97cef3b1"},
]
SCREEN = {"siteId": "1202", "screenId": "3"}


def show(filename: str) -> None:
    """Your player's part."""
    print("showing", filename)
    time.sleep(0.05)


def main(path: str, rounds: int) -> None:
    """Every play is on the disk from its first moment, and `pop-stream player drain` sends it."""
    with Outbox(path, zone="America/Chicago") as outbox:
        for _ in range(rounds):
            for spot in LOOP:
                with outbox.play(spot | SCREEN):
                    show(spot["filename"])


main(sys.argv[1], int(sys.argv[2]))
