"""What stands in a lock can be only one thing, from whatever index it comes."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.graph import Project, closure, read_project
from release.pins import LOCKS, ROOT, parse_pins, read_pins, requirement_lines

A_HASH = "--hash=sha256:" + "a" * 64
WHOLE, IMAGE, BUILD, PEERS = LOCKS


def test_every_lock_there_is_is_looked_at() -> None:
    """A new one that nobody judges would be a way in."""
    found = {
        path
        for path in ROOT.rglob("*.lock")
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    }

    assert found == set(LOCKS)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_a_lock_holds_versions_with_hashes_and_nothing_else(lock: Path) -> None:
    """No address, no index, no range, nothing without a hash: the reader refuses those."""
    pins = read_pins(lock)

    assert pins
    assert all(pin.sha256 for pin in pins)
    assert "://" not in lock.read_text()


@pytest.mark.parametrize(
    "entry",
    [
        "aiohttp==3.14.5",
        f"aiohttp>=3.14.5 {A_HASH}",
        f"aiohttp==3.14.* {A_HASH}",
        f"aiohttp {A_HASH}",
        "aiohttp==3.14.5 --hash=md5:" + "a" * 32,
        "aiohttp==3.14.5 --hash=sha256:" + "a" * 63,
        f"aiohttp==3.14.5 {A_HASH} --hash=sha1:{'a' * 40}",
        f"aiohttp @ https://example.com/aiohttp.whl {A_HASH}",
        f"aiohttp @ git+https://example.com/aiohttp@main {A_HASH}",
        "--index-url https://example.com/simple",
        "--extra-index-url=https://example.com/simple",
        "--find-links /opt/wheels",
        "--no-binary :all:",
        "-e .",
        "-r other.lock",
        f"./aiohttp-3.14.5-py3-none-any.whl {A_HASH}",
    ],
)
def test_what_is_not_pinned_is_refused(entry: str) -> None:
    """Each way that pip knows to install something that nobody has seen before."""
    with pytest.raises(ValueError, match="not a version with its hashes"):
        parse_pins(f"orjson==3.13.0 \\\n    {A_HASH}\n{entry}\n")


def test_an_entry_is_read_whole() -> None:
    """Its condition and all of its hashes; written again it is the same."""
    text = f"colorama==0.4.6 ; sys_platform == 'win32' \\\n    {A_HASH} \\\n    {A_HASH[:-1]}b"
    (pin,) = parse_pins(f"# made by hand\n{text}\n    # via click\n")

    assert (pin.name, pin.version) == ("colorama", "0.4.6")
    assert len(pin.sha256) == 2
    assert not pin.applies({"sys_platform": "linux"})
    assert pin.applies({"sys_platform": "win32"})
    assert requirement_lines(pin) == text


def asked_by(project: Project) -> dict[Path, list[str]]:
    """What each lock is made from."""
    extras = [each for asked in project.extras.values() for each in asked]
    peers = (ROOT / "bench/peers/requirements.in").read_text().splitlines()
    return {
        WHOLE: [*project.base, *extras, *project.dev],
        IMAGE: [*project.base, *project.extras["otel"]],
        BUILD: ["hatchling"],
        PEERS: [line for line in peers if line and not line.startswith("#")],
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_a_lock_has_all_that_is_asked_for_in_versions_that_fit(lock: Path) -> None:
    """`make lock` was run after the last change."""
    versions: dict[str, set[str]] = {}
    for pin in read_pins(lock):
        versions.setdefault(pin.name, set()).add(pin.version)

    for text in asked_by(read_project())[lock]:
        asked = Requirement(text)
        locked = versions.get(canonicalize_name(asked.name), set())
        assert locked, f"{asked.name} is not in {lock.name}: run `make lock`"
        assert all(asked.specifier.contains(each, prereleases=True) for each in locked), text


@pytest.mark.parametrize("lock", [WHOLE, IMAGE, BUILD], ids=["whole", "image", "build"])
def test_a_lock_has_all_that_those_need_in_turn(lock: Path) -> None:
    """With one missing, pip would refuse the lock, for it has no hash of it."""
    names = {pin.name for pin in read_pins(lock)}

    assert closure(asked_by(read_project())[lock]).keys() <= names


def test_a_requirement_is_followed_by_its_extra_alone_and_on_no_other_platform() -> None:
    """Else the list of parts would name what nobody installs."""
    declares = {
        "a": ["b[fast]>=1", "w ; sys_platform == 'win32'", "old ; python_version < '3.12'"],
        "b": ["c ; extra == 'fast'", "d ; extra == 'slow'", "a"],
    }

    edges = closure(["A"], lambda name: declares.get(name, ()))

    assert edges == {"a": {"b", "old"}, "b": {"a", "c"}, "c": frozenset(), "old": frozenset()}
