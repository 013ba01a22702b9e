"""TLS as a client: whom we believe, and how we show who we are."""

import ssl
from functools import partial
from pathlib import Path
from typing import Any, Self

from pop_stream.access.reread import Reread


class RenewedContext(ssl.SSLContext):
    """A context for clients that keeps up with its files.

    Every new connection has the certificates that the files hold by then; old ones keep theirs.
    Python and uvloop make the TLS of a connection by one of the two methods below, and look at
    nothing else of a context.
    """

    _contexts: Reread[ssl.SSLContext]

    def __new__(cls, contexts: Reread[ssl.SSLContext]) -> Self:
        """Take the contexts: a value that is made anew when a file has changed."""
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        made._contexts = contexts
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        return made

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Make the TLS of a connection of an event loop."""
        return self._contexts.get().wrap_bio(*args, **kwargs)

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        """Make the TLS of a socket."""
        return self._contexts.get().wrap_socket(*args, **kwargs)


def client_ssl_context(
    cafile: str | None = None, certfile: str | None = None, keyfile: str | None = None
) -> ssl.SSLContext:
    """TLS 1.2 or newer, certificate and host name checked; files are read anew when they change.

    All are PEM files. `cafile` replaces the system's CAs; `certfile` is our own certificate, with
    the CAs between if any, and `keyfile` its unencrypted key, unless that is in the same file.
    Raises ValueError when a file cannot be used.
    """
    files = [Path(file) for file in (cafile, certfile, keyfile) if file]
    make = partial(_context, cafile, certfile, keyfile)
    return RenewedContext(Reread(files, make)) if files else make()


def _context(cafile: str | None, certfile: str | None, keyfile: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=cafile)
    except OSError as error:
        raise ValueError(f"the CA file cannot be used: {_reason(error)}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certfile:
        try:
            # A password is given so that OpenSSL does not ask the terminal for one.
            context.load_cert_chain(certfile, keyfile, password="")
        except OSError as error:
            raise ValueError(
                f"the certificate and its key cannot be used: {_reason(error)}"
            ) from error
    return context


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or str(error)
