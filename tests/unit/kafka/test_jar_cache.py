import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pop_stream.errors import EmbeddedKafkaError
from pop_stream.kafka.jar_cache import ATTEMPTS, JarCache, user_cache
from pop_stream.kafka.jar_lock import LockedJar
from pop_stream.kafka.unavailable import unavailable

CONTENT = {f"part{n}": bytes([n]) * (1000 + n) for n in range(8)}
JARS = [
    LockedJar(
        group="g",
        artifact=name,
        version="1",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )
    for name, content in CONTENT.items()
]


class Repository:
    """Gives each jar, and counts how often."""

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.broken: list[bytes | Exception] = []

    def fetch(self, jar: LockedJar, folder: Path, downloaded: Callable[[int], None]) -> Path:
        """Stand in for jgo."""
        self.fetched.append(jar.artifact)
        content = self.broken.pop() if self.broken else CONTENT[jar.artifact]
        if isinstance(content, Exception):
            raise content
        path = folder / jar.file_name
        path.write_bytes(content)
        downloaded(len(content))
        return path


def test_fills_and_then_fetches_nothing(tmp_path: Path) -> None:
    """The second time everything is there."""
    cache, repository = JarCache(tmp_path / "jars"), Repository()

    cache.fill(JARS, repository.fetch, progress=lambda *_: None)
    cache.fill(JARS, repository.fetch, progress=lambda *_: None)

    assert sorted(repository.fetched) == sorted(CONTENT)
    assert {jar.artifact: cache.path(jar).read_bytes() for jar in JARS} == CONTENT


def test_truncated_jar_is_fetched_again(tmp_path: Path) -> None:
    """A jar of the wrong size is not used."""
    cache, repository = JarCache(tmp_path), Repository()
    cache.fill(JARS, repository.fetch, progress=lambda *_: None)
    cache.path(JARS[3]).write_bytes(b"half")
    repository.fetched.clear()

    cache.fill(JARS, repository.fetch, progress=lambda *_: None)

    assert repository.fetched == [JARS[3].artifact]
    assert cache.missing(JARS) == []


def test_wrong_content_never_enters(tmp_path: Path) -> None:
    """A jar of the right size and the wrong SHA-256 is refused, and the error says so."""
    cache, repository = JarCache(tmp_path), Repository()
    repository.broken = [b"?" * JARS[0].size] * ATTEMPTS

    with pytest.raises(EmbeddedKafkaError, match="not the file that is pinned"):
        cache.fill(JARS[:1], repository.fetch, progress=lambda *_: None)

    assert cache.missing(JARS[:1]) == JARS[:1]


def test_network_that_fails_once_does_not_matter(tmp_path: Path) -> None:
    """A fetch that fails is made again."""
    cache, repository = JarCache(tmp_path), Repository()
    repository.broken = [unavailable("reset")]

    cache.fill(JARS, repository.fetch, progress=lambda *_: None)

    assert cache.missing(JARS) == []
    assert len(repository.fetched) == len(JARS) + 1


def test_progress_grows_to_the_total(tmp_path: Path) -> None:
    """Progress counts each byte once, also of a jar that had to be fetched twice."""
    repository = Repository()
    repository.broken = [b"wrong"]
    seen: list[tuple[int, int]] = []

    JarCache(tmp_path).fill(JARS, repository.fetch, progress=lambda *now: seen.append(now))

    total = sum(len(content) for content in CONTENT.values())
    assert {of for _, of in seen} == {total}
    assert seen[-1][0] == total
    assert max(done for done, _ in seen) == total


def test_two_at_once_fetch_each_jar_once(tmp_path: Path) -> None:
    """Whoever comes second waits, and finds everything."""
    repository, together = Repository(), threading.Barrier(2)

    def fill() -> None:
        together.wait(timeout=10)
        JarCache(tmp_path).fill(JARS, repository.fetch, progress=lambda *_: None)

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(fill), pool.submit(fill)]:
            future.result()

    assert sorted(repository.fetched) == sorted(CONTENT)


def test_leaves_nothing_but_jars(tmp_path: Path) -> None:
    """What a killed process left half done goes, and nothing new is left."""
    (tmp_path / ".making-killed").mkdir()

    JarCache(tmp_path).fill(JARS, Repository().fetch, progress=lambda *_: None)

    assert {path.name for path in tmp_path.iterdir()} == {jar.file_name for jar in JARS} | {".lock"}


def test_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Where the cache cannot be, one message says so and what to do instead."""
    (tmp_path / "file").write_text("")

    with pytest.raises(EmbeddedKafkaError, match=r"cannot be written(.|\n)*BOOTSTRAP_SERVERS"):
        JarCache(tmp_path / "file" / "jars").fill(
            JARS, Repository().fetch, progress=lambda *_: None
        )


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_CACHE_HOME": "/var/cache/me"}, Path("/var/cache/me/pop-stream")),
        ({"XDG_CACHE_HOME": "relative"}, Path.home() / ".cache/pop-stream"),
        ({}, Path.home() / ".cache/pop-stream"),
    ],
)
def test_cache_is_where_the_user_has_caches(environ: dict[str, str], expected: Path) -> None:
    """XDG_CACHE_HOME says where, if it is absolute."""
    assert user_cache(environ) == expected
