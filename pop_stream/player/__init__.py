"""The players' side: plays are written down as they are shown, and sent until Kafka has them.

    from pop_stream.player import Outbox

    outbox = Outbox("/var/lib/player/pops.outbox", zone="America/Chicago")
    with outbox.play({"filename": "spot.webm", "assetId": "5942", "siteId": "1202",
                      "screenId": "3"}):
        ...  # show it

`pop-stream player drain` sends what the outbox holds.
"""

from pop_stream.player.outbox.clock import Clock
from pop_stream.player.outbox.limits import Limits
from pop_stream.player.outbox.outbox import Options, Outbox, Play

__all__ = ["Clock", "Limits", "Options", "Outbox", "Play"]
