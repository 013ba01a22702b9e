"""The way to an endpoint: which addresses may be connected to, and the proxy between."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pop_stream.access.proxy import Proxy, ProxyUser
from pop_stream.access.secrets import reread_secret
from pop_stream.settings import Settings
from pop_stream.settings.networks import Network, parse_networks


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How endpoints are reached."""

    #: Networks that a name may lead to though they are not public.
    allowed: tuple[Network, ...] = ()
    #: What is asked to connect us; none: we connect.
    proxy: Proxy | None = None


def route_of(settings: Settings) -> Route:
    """What settings say of the way. Raises ValueError when a secret cannot be used."""
    allowed = settings.gstv_allowed_networks
    return Route(
        allowed=parse_networks(allowed) if allowed else (),
        proxy=_proxy_of(settings),
    )


def _proxy_of(settings: Settings) -> Proxy | None:
    if settings.gstv_proxy is None:
        return None
    parts = urlsplit(settings.gstv_proxy)
    user, password = settings.gstv_proxy_username, settings.gstv_proxy_password
    return Proxy(
        host=(parts.hostname or "").encode("idna").decode("ascii"),
        port=parts.port or 80,
        user=ProxyUser(user, reread_secret(password).get) if user and password else None,
    )
