"""The jars of Apache Kafka on this machine: fetched once per user, verified by checksum.

A jar enters the cache by an atomic rename after its SHA-256 was found right,
so a jar that is there and has the right size is a verified one,
however many processes fill the cache at once and whenever they are killed.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pop_stream.errors import EmbeddedKafkaError
from pop_stream.kafka.jar_lock import LockedJar
from pop_stream.kafka.unavailable import unavailable

#: Called with the bytes that are there and the bytes that there will be; from any thread.
Progress = Callable[[int, int], None]

#: Fetches one jar into a folder and gives its path; calls back with the size of each piece.
Fetch = Callable[[LockedJar, Path, Callable[[int], None]], Path]

PARALLEL_DOWNLOADS = 6
FRESH = ".making-"
ATTEMPTS = 3


def user_cache(environ: Mapping[str, str]) -> Path:
    """Give pop-stream's folder for what can be fetched again: XDG_CACHE_HOME or ~/.cache."""
    base = environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return root / "pop-stream"


@dataclass(frozen=True, slots=True)
class JarCache:
    """A folder of verified jars."""

    folder: Path

    def path(self, jar: LockedJar) -> Path:
        """Where the jar is, or will be."""
        return self.folder / jar.file_name

    def missing(self, jars: Sequence[LockedJar]) -> list[LockedJar]:
        """The jars that are not there, or not whole."""
        return [jar for jar in jars if _size(self.path(jar)) != jar.size]

    def fill(self, jars: Sequence[LockedJar], fetch: Fetch, *, progress: Progress) -> None:
        """Fetch what is missing.

        Raises EmbeddedKafkaError when a jar cannot be fetched or is not the one that is pinned.
        """
        if not self.missing(jars):
            return
        try:
            with exclusive(self.folder):
                self._fill_locked(jars, fetch, progress=progress)
        except OSError as exc:
            raise unavailable(f"the cache {self.folder} cannot be written ({exc}).") from exc

    def _fill_locked(self, jars: Sequence[LockedJar], fetch: Fetch, *, progress: Progress) -> None:
        missing = self.missing(jars)
        total = sum(jar.size for jar in jars)
        meter = _Meter(total - sum(jar.size for jar in missing), total, progress)
        with fresh_folder(self.folder) as staging, ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
            futures = [
                pool.submit(self._admit, jar, fetch, staging=staging, meter=meter)
                for jar in missing
            ]
            try:
                for future in futures:
                    future.result()
            finally:
                for future in futures:
                    future.cancel()

    def _admit(self, jar: LockedJar, fetch: Fetch, *, staging: Path, meter: "_Meter") -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with tempfile.TemporaryDirectory(dir=staging) as folder, meter.jar(jar) as add:
                    fetched = fetch(jar, Path(folder), add)
                    _verify(jar, fetched)
                    fetched.replace(self.path(jar))
            except EmbeddedKafkaError:
                if attempt == ATTEMPTS:
                    raise
            else:
                return


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a folder against other processes; the lock ends with the process at the latest."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def fresh_folder(parent: Path) -> Iterator[Path]:
    """Give a temporary folder in one that is held `exclusive`; those of killed processes go."""
    for old in parent.glob(f"{FRESH}*"):
        shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=FRESH) as folder:
        yield Path(folder)


def _verify(jar: LockedJar, path: Path) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    if found != jar.sha256:
        raise unavailable(
            f"{jar.file_name} is not the file that is pinned: its SHA-256 is {found}, "
            f"it should be {jar.sha256}."
        )


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


@dataclass(slots=True)
class _Meter:
    """Adds up the bytes of many downloads, and takes back those of a failed one."""

    done: int
    total: int
    progress: Progress
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def jar(self, jar: LockedJar) -> Iterator[Callable[[int], None]]:
        seen = 0

        def add(count: int) -> None:
            nonlocal seen
            count = min(count, jar.size - seen)
            seen += count
            self._move(count)

        try:
            yield add
        except BaseException:
            self._move(-seen)
            raise
        add(jar.size - seen)

    def _move(self, count: int) -> None:
        with self.lock:
            self.done += count
            self.progress(self.done, self.total)
