"""Values made of files that others replace: certificates, keys, passwords.

Whoever renews a certificate replaces its file and tells nobody. So whoever uses the value asks for
it each time, and gets it made anew when a file has changed.
"""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_logger = logging.getLogger(__name__)
#: How often files are looked at, at most.
_LOOK_SECONDS: Final = 1.0

#: When it was changed, how long it is, and which file it is; None when it cannot be looked at.
_State = tuple[int, int, int] | None


class Reread(Generic[T]):
    """A value, made anew when one of its files has changed. Safe to ask from several threads."""

    def __init__(
        self,
        files: Sequence[Path],
        make: Callable[[], T],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the value. What `make` raises now is raised; later, OSError and ValueError are not.

        While the files cannot be used the value stays as it is: half of a certificate and its key
        may be there already, and what was good a moment ago mostly still is.
        """
        self._files = tuple(files)
        self._make = make
        self._clock = clock
        self._looked_at = clock()
        self._states = self._look()
        self._value = make()
        self._failed = False

    def get(self) -> T:
        """The value as the files have it, as of a second ago at most."""
        now = self._clock()
        if self._files and now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            states = self._look()
            if states != self._states:
                self._renew(states)
        return self._value

    def _renew(self, states: tuple[_State, ...]) -> None:
        files = ", ".join(path.name for path in self._files)
        try:
            self._value = self._make()
        except (OSError, ValueError) as error:
            if not self._failed:
                _logger.warning(
                    "access.reread.failed", extra={"files": files, "detail": _reason(error)}
                )
            self._failed = True
            return
        # Kept only now: files that could not be used are tried again until they can.
        self._states = states
        self._failed = False
        _logger.info("access.reread", extra={"files": files})

    def _look(self) -> tuple[_State, ...]:
        return tuple(_state(path) for path in self._files)


def _state(path: Path) -> _State:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _reason(error: OSError | ValueError) -> str:
    """What went wrong, without the path or anything that the file holds."""
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
