"""The way to an endpoint: which addresses may be connected to."""

from dataclasses import dataclass

from pop_stream.settings.networks import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How endpoints are reached."""

    #: Networks that a name may lead to though they are not public.
    allowed: tuple[Network, ...] = ()
