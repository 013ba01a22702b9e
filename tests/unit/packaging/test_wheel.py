"""What is released can be built again by anybody, to the same bytes, and holds what it should."""

import configparser
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from release.graph import read_project
from release.pins import ROOT
from tests.support.built_wheel import build, copy_of_the_sources

VERSION = read_project().version


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist, from a checkout."""
    folder = tmp_path_factory.mktemp("built")
    wheel, sdist = build(copy_of_the_sources(folder / "sources"), folder / "dist", "wheel", "sdist")
    return wheel, sdist


def test_another_checkout_gives_the_same_bytes(built: tuple[Path, Path], tmp_path: Path) -> None:
    """In another folder, years later, by somebody with other rights, time, tongue and home."""
    sources = copy_of_the_sources(tmp_path / "some where" / "else")
    for path in sources.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700 if path.is_dir() else 0o600)
    environ = {"TZ": "Asia/Kolkata", "LC_ALL": "C", "HOME": str(tmp_path), "PYTHONHASHSEED": "7"}

    again = build(sources, tmp_path / "dist", "wheel", "sdist", umask=0o077, environ=environ)

    assert [path.name for path in again] == [path.name for path in built]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in built]


def test_other_sources_give_other_bytes(built: tuple[Path, Path], tmp_path: Path) -> None:
    """The comparison above can fail."""
    sources = copy_of_the_sources(tmp_path / "sources")
    with (sources / "pop_stream/errors.py").open("a") as file:
        file.write("\n")

    (wheel,) = build(sources, tmp_path / "dist", "wheel")

    assert wheel.name == built[0].name
    assert wheel.read_bytes() != built[0].read_bytes()


def test_the_sdist_gives_the_same_wheel(built: tuple[Path, Path], tmp_path: Path) -> None:
    """So whoever builds from it has what was released."""
    released, sdist = built
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")

    (wheel,) = build(tmp_path / f"pop_stream-{VERSION}", tmp_path / "dist", "wheel")

    assert wheel.read_bytes() == released.read_bytes()


def test_the_wheel_holds_the_package_its_licence_and_nothing_else(
    built: tuple[Path, Path],
) -> None:
    """No tests, no bench, no leavings; each file of the package, and that it has types."""
    about = f"pop_stream-{VERSION}.dist-info"
    package = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "pop_stream").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    names = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    with zipfile.ZipFile(built[0]) as wheel:
        found = set(wheel.namelist())
        entry_points = configparser.ConfigParser()
        entry_points.read_string(wheel.read(f"{about}/entry_points.txt").decode())

    assert found == package | {f"{about}/{name}" for name in names}
    assert "pop_stream/py.typed" in found
    assert {name: dict(entry_points[name]) for name in entry_points.sections()} == {
        "console_scripts": {"pop-stream": "pop_stream.__main__:main"},
        "faust.transports": {"popstream": "pop_stream.stream.transport:Transport"},
    }


def test_the_sdist_holds_what_the_wheel_is_built_from_and_nothing_else(
    built: tuple[Path, Path],
) -> None:
    """The tests and the figures of the bench stay in the repository."""
    with tarfile.open(built[1]) as sdist:
        found = {name.partition("/")[2] for name in sdist.getnames()}
    others = {name for name in found if not name.startswith("pop_stream/")}

    assert others == {
        ".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml",
    }  # fmt: skip
    assert "pop_stream/py.typed" in found
