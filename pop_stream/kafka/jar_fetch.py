"""Fetches one jar through jgo, from the repositories that jgo is set up with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pop_stream.kafka.jar_lock import LockedJar
from pop_stream.kafka.unavailable import unavailable

TIMEOUT_SECONDS = 30


def fetch_with_jgo(jar: LockedJar, folder: Path, downloaded: Callable[[int], None]) -> Path:
    """Download a jar into a folder that belongs to this call alone.

    Asks the repositories that the `jgo` command would ask: its default one (or the one that
    takes its name in the user's jgo configuration), then the others of that configuration.
    Raises EmbeddedKafkaError when jgo is not installed or no repository gives the jar.
    """
    try:
        # Here, for the extra that brings it may not be installed.
        from jgo.config import GlobalSettings  # noqa: PLC0415
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415
    except ImportError as exc:
        raise unavailable(
            "it needs more packages: pip install 'pop-stream[embedded]' (jgo is missing)."
        ) from exc

    @contextmanager
    def pieces(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield downloaded

    context = MavenContext(
        resolver=PythonResolver(progress_callback=pieces),
        repo_cache=folder,
        remote_repos=MavenContext().remote_repos | GlobalSettings.load().repositories,
        timeout=TIMEOUT_SECONDS,
    )
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    try:
        return Path(component.artifact().resolve())
    except (OSError, RuntimeError, ValueError) as exc:
        reason = f"{jar.file_name} could not be downloaded"
        raise unavailable(f"{reason} ({type(exc).__name__}: {exc}).") from exc
